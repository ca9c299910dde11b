// The words that an invariant reads when it judges, for the story of its violation.

/// The texts of a required invariant.
public struct InvariantText: Equatable, Codable, Sendable {
  public let id: String
  public let statement: String
  public let rationale: String
  public let source: String

  package init(id: String, statement: String, rationale: String, source: String) {
    self.id = id
    self.statement = statement
    self.rationale = rationale
    self.source = source
  }

  public init(_ invariant: any Invariant) {
    id = invariant.id
    statement = invariant.statement
    rationale = invariant.rationale
    source = invariant.source
  }
}

/// A word that the failed invariant had read, and the step that wrote it last.
public struct InspectedWord: Equatable, Codable, Sendable {
  /// The name of the word, or of the page for a lifetime word.
  public let name: String
  /// Position in the recorded steps.
  public let step: Int
}

/// Records the words that the judging invariant reads, in a recorded machine.
final class Inspection {
  /// Words that it read individually.
  private(set) var words: [UInt32] = []
  /// Words that it read only as part of all words of a kind, which are less significant.
  private(set) var around: [UInt32] = []
  private var isOpen = false

  func open() {
    guard !isOpen else { return }
    isOpen = true
    words.removeAll()
    around.removeAll()
  }

  /// - Parameter cell: the word of the event, or 0.
  func close(_ report: Violation?, about cell: UInt32 = 0) {
    isOpen = false
    if report == nil {
      words.removeAll()
      around.removeAll()
    } else if cell != 0 {
      words.append(cell)
    }
  }

  func note(_ cell: UInt32, isOneOfAll: Bool = false) {
    guard isOpen else { return }
    if isOneOfAll { around.append(cell) } else { words.append(cell) }
  }
}
