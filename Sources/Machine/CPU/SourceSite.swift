// Places in a model's source, and the latest finished operation.

/// A place in the model's source.
public struct SourceSite: Hashable, Codable, Sendable {
  public var file: String
  public var line: Int
  /// The function that the code is in, as `#function` says it, or what was given as a label.
  public var label: String

  static let none = SourceSite(file: "", line: 0)

  public init(file: String, line: Int, label: String = "") {
    self.file = file
    self.line = line
    self.label = label
  }

  /// For people; no name of anything, since a line that is added above would make it another.
  public var text: String { "\(file):\(line)" }
}

/// An operation that has just ended, for traces.
package struct FinishedOperation: Equatable {
  package var number: Int
  package var result: String?

  package init(number: Int, result: String?) {
    self.number = number
    self.result = result
  }
}

extension SourceSite: Comparable {
  /// By file and line.
  public static func < (a: SourceSite, b: SourceSite) -> Bool {
    (a.file, a.line, a.label) < (b.file, b.line, b.label)
  }
}
