// A piece of a search that stores no states: one branch of a state, with everything below it.

import GracewalkSupport

/// The piece that a search explores; for a search of its own, everything.
///
/// A *piece* is one branch of a state, with everything below it. The states on the way to a piece
/// are shared: their branches are divided among several pieces, and a race that a piece finds with
/// a step on that way belongs to one of them. Only such findings lead from one piece to another, so
/// a member keeps them until the end of the round.
struct Piece {
  /// A step with one choice and those after it.
  struct Branch {
    var cpu: Int
    var choice: Int
    var sleep: CPUSet
  }

  /// CPUs one of which must be tried at a shared state, because of a race.
  struct Finding: BitwiseCopyable {
    /// The number of the state on the way.
    var node: Int
    var initials: CPUSet
  }

  /// The shared states, from the initial one on.
  var trail: [Junction] = []
  /// Set if the piece has not been started.
  var branch: Branch?
  var isDone = false
  /// The end of the whole search, if this piece has found it.
  var ending: Ending?
  /// The member's transitions at which its part of the round ends; nil if it is in no round.
  var goal: Int?

  /// True if it has been started and is not done.
  var isRunning: Bool { !isDone && branch == nil }
}

/// Rules to leave out, so that tests show that each one is needed.
package struct PieceOmission: OptionSet, Sendable {
  package let rawValue: Int
  package init(rawValue: Int) { self.rawValue = rawValue }

  /// What pieces find about the states that they share.
  package static let findings = PieceOmission(rawValue: 1)
  /// The same in what is saved, where a round has not ended.
  package static let savedFindings = PieceOmission(rawValue: 2)
  /// In what is saved, that shared states have branches which nobody explores.
  package static let savedBranches = PieceOmission(rawValue: 4)
}
