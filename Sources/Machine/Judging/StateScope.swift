// What state invariants look at, so that other steps may be reduced.

import GracewalkExploration

/// What the judgements of a state invariant depend on.
public enum StateScope: Sendable {
  /// Anything, so every state must be visited.
  case everything
  /// The tables that the roots lead to: their entries and references, and whether they are
  /// allocated.
  case tables
  /// Named words; a word of another type is converted by `Word(_:)`.
  case words([Word<UInt64>])
}

/// The words that the state invariants of a scenario depend on.
///
/// All steps that write one of them write the same object as well, so they depend on each other.
/// Every class of executions then goes through the same values of these words, and it is enough to
/// judge the states of one: the steps in between change nothing that is judged.
struct JudgedWords: Sendable {
  /// The object that stands for all these words; no word has this number.
  static let object: UInt32 = 0

  private var coversTables = false
  private var cells: [UInt32] = []

  /// Nil if an invariant may depend on anything, or if there are none.
  init?(_ invariants: [any StateInvariant]) {
    if invariants.isEmpty { return nil }
    for invariant in invariants {
      switch invariant.scope {
      case .everything: return nil
      case .tables: coversTables = true
      case .words(let words): cells += words.map(\.cell)
      }
    }
  }

  func contains(_ cell: UInt32, in layout: Layout) -> Bool {
    if layout.isNamed(cell) { return cells.contains(cell) }
    guard coversTables, layout.pageID(at: cell) != nil else { return false }
    let offset = layout.offsetInPage(cell)
    return offset <= Layout.linksOffset || offset >= Layout.pageHeader
  }

  /// Adds the object if a step with this footprint may change a judged word.
  func extend(_ footprint: Footprint, in layout: Layout) {
    for index in 0..<footprint.count
    where footprint[index].writes && contains(footprint[index].object, in: layout) {
      return footprint.write(Self.object)
    }
  }
}

extension Invariant {
  /// Whether a search that leaves out states cannot judge it.
  package var needsEveryState: Bool {
    guard let invariant = self as? any StateInvariant else { return kind == .state }
    if case .everything = invariant.scope { return true }
    return false
  }
}
