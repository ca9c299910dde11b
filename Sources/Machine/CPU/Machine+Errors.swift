// Errors that model code throws, which are judged like other events.

import GracewalkSupport

/// An error that model code threw, and where.
public struct ThrownError: Hashable, Sendable {
  /// The error's description: short and printable.
  public var text: String
  /// The operation that it ended; nil in boot code.
  public var operation: String?
  /// The place of the CPU's latest action; nil if it took none.
  public var site: SourceSite?

  /// Longer descriptions are cut.
  static let textMax = 200

  init(_ error: any Error, operation: String?, site: SourceSite?) {
    let description = String(describing: error)
    let isEmpty = description.allSatisfy(\.isWhitespace)
    text = (isEmpty ? "\(type(of: error))" : description).excerpt(Self.textMax)
    self.operation = operation
    self.site = site
  }
}

extension Machine {
  /// The error with the number in an event.
  public func thrownError(_ number: UInt64) -> ThrownError { thrownErrors[Int(number)] }

  /// The number of an error, for use as an operand.
  func number(of error: ThrownError) -> UInt64 {
    if let known = thrownErrors.firstIndex(of: error) { return UInt64(known) }
    thrownErrors.append(error)
    return UInt64(thrownErrors.count - 1)
  }

  /// True if an invariant judges errors; if none does, the machine stops at an error.
  var judgesErrors: Bool { watched.contains(.threw) }
}
