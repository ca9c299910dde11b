// What an invariant looked at when it judged: a story of its violation is about those words.

/// What is known of a required invariant, whoever wrote it.
public struct InvariantText: Equatable, Codable, Sendable {
  public let id: String
  public let statement: String
  public let rationale: String
  public let source: String

  public init(_ invariant: any Invariant) {
    id = invariant.id
    statement = invariant.statement
    rationale = invariant.rationale
    source = invariant.source
  }
}

/// A word that the invariant that failed had looked at, and the step that wrote it last.
public struct InspectedWord: Equatable, Codable, Sendable {
  /// The name of the word, or of the page whose lifetime it is.
  public let name: String
  /// Position in the recorded steps.
  public let step: Int
}

/// Keeps the words that the invariant now judging reads, in a machine that is recorded.
final class Inspection {
  /// Words that it asked for one by one.
  private(set) var words: [UInt32] = []
  /// Words it got along with all others of their kind: that says little.
  private(set) var around: [UInt32] = []
  private var isOpen = false

  func open() {
    guard !isOpen else { return }
    isOpen = true
    words.removeAll()
    around.removeAll()
  }

  /// - Parameter cell: the word that the event is about, or 0.
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
