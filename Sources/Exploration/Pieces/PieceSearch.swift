// What a stateless search offers so that others can explore parts of it.

import GracewalkSupport

/// A stateless search that can give parts of its stack away, and explore such a part.
///
/// A *piece* is one branch of a state, with everything below it. The states on the way to a piece
/// are shared: their branches are divided among several pieces, and a race that a piece finds with
/// a step on that way belongs to one of them. Only such findings lead from one piece to another, so
/// a member keeps them until the end of the round.
protocol PieceSearch: ResumableSearch {
  /// What the search keeps of a state that is shared.
  associatedtype Place
  /// A step to take at such a state, with all that is needed to explore what is below it.
  associatedtype Branch

  var budget: Budget { get }
  var statistics: Statistics { get }
  var finalStates: [UInt64] { get }
  var depth: Int { get }
  /// The explored part, estimated from the stack.
  var explored: Double? { get }
  var piece: Piece<Place, Branch> { get set }

  /// Starts, as a search of its own.
  func begin() -> Ending?

  /// Explores until the piece is done or so many transitions have been taken; returns the end of
  /// the whole search, or nil.
  func explore(until transitions: Int) -> Ending?

  /// Undoes all steps.
  func unwind()

  // MARK: In a round

  /// Goes to the last shared state of a new piece, and prepares to take its branch.
  func start(_ branch: Branch)

  /// Takes over what others have found about the shared states in earlier rounds.
  func refresh()

  // MARK: Between two rounds

  /// Shares the states up to the first one at which something is left to explore, below those that
  /// are shared already; false if there is none.
  func share() -> Bool

  /// Adds what was found in the round about shared states to their places.
  func addFindings()

  static func hasBranches(_ place: Place) -> Bool

  /// Removes the next branch of a place that has one.
  ///
  /// Its step is asleep in the branches that are taken later.
  static func takeBranch(of place: inout Place) -> Branch
}

/// A state whose branches are divided among pieces.
final class Junction<Place> {
  let parent: Junction?
  /// The step that leads here from the parent; nil for the initial state.
  let step: Schedule.Step?
  let depth: Int
  var place: Place
  /// True while it is in the team's list of those with branches.
  var isOpen = false

  init(_ place: Place, below parent: Junction?, by step: Schedule.Step?) {
    self.place = place
    self.parent = parent
    self.step = step
    depth = (parent?.depth ?? -1) + 1
  }
}

/// The piece that a search explores; for a search of its own, everything.
struct Piece<Place, Branch> {
  /// The shared states, from the initial one on.
  var trail: [Junction<Place>] = []
  /// Set if the piece has not been started.
  var branch: Branch?
  var isDone = false
  /// The end of the whole search, if this piece has found it.
  var ending: Ending?

  /// True if it has been started and is not done.
  var isRunning: Bool { !isDone && branch == nil }
}
