// A piece of a search that stores no states, and the states that several pieces share.

import GracewalkSupport

/// A state whose branches are divided among pieces.
final class Junction {
  let parent: Junction?
  /// The step that leads here from the parent; nil for the initial state.
  let step: Schedule.Step?
  let depth: Int
  /// The sets of the state; a CPU is asleep as soon as a piece begins with its step.
  var node: SourceSearch.Node
  /// Choices left of a step whose first ones are explored by another piece.
  private var choicesLeft: [Piece.Branch] = []
  /// True while it is in the team's list of those with branches.
  var isOpen = false

  init(_ node: SourceSearch.Node, below parent: Junction?, by step: Schedule.Step?) {
    self.node = node
    self.parent = parent
    self.step = step
    depth = (parent?.depth ?? -1) + 1
  }

  var hasBranches: Bool {
    !choicesLeft.isEmpty || !node.backtrack.subtracting(node.sleep).isEmpty
  }

  /// Adds choices of a step that another piece has begun.
  func add(_ branch: Piece.Branch) { choicesLeft.append(branch) }

  /// Removes the next branch, of which there is one.
  ///
  /// Its step is asleep in the branches that are taken later.
  func takeBranch() -> Piece.Branch {
    if !choicesLeft.isEmpty { return choicesLeft.removeFirst() }
    let cpu = node.backtrack.subtracting(node.sleep).lowest
    defer { node.sleep.insert(cpu) }
    return Piece.Branch(cpu: cpu, choice: 0, sleep: node.sleep)
  }
}

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

  /// True if it has been started and is not done.
  var isRunning: Bool { !isDone && branch == nil }
}
