// Places in a model's source, and the latest finished operation.

/// A place in the model's source.
public struct SourceSite: Hashable, Codable, Sendable {
  public var file: String
  public var line: Int

  static let none = SourceSite(file: "", line: 0)

  public init(file: String, line: Int) {
    self.file = file
    self.line = line
  }
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
