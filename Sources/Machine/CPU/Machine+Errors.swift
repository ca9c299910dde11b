// Errors that code throws of its own: facts to be judged, as any other.

import GracewalkSupport

/// An error of its own that code threw, and where it stood.
public struct ThrownError: Hashable, Sendable {
  /// What the error says of itself: short, and fit for a terminal.
  public var text: String
  /// The operation that it ended; nil before the CPUs start.
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
  /// The error with a number, which an event names.
  public func thrownError(_ number: UInt64) -> ThrownError { thrownErrors[Int(number)] }

  /// A number for an error, to be an operand.
  func number(of error: ThrownError) -> UInt64 {
    if let known = thrownErrors.firstIndex(of: error) { return UInt64(known) }
    thrownErrors.append(error)
    return UInt64(thrownErrors.count - 1)
  }

  /// True if an invariant judges errors; where none does, the machine stops at one.
  var judgesErrors: Bool { watched.contains(.threw) }
}
