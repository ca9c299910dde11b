// What runs on a virtual CPU: the seam between a machine and whatever asks it for actions.

import GracewalkSupport

/// A local state of code: where it has stopped, what it asks for there, and what it knows.
package struct LocalState: BitwiseCopyable {
  /// What it asks for next; `finished` if nothing.
  package var action: Action
  /// A hash of all that the code knows: of all that decides what it does from here on.
  package var hash: UInt64
  /// A number for what `hash` is a hash of; any in a machine that keeps no `Identities`.
  package var identity: UInt32
  /// The operation that it is in, counted from 0.
  package var operation: Int

  package init(_ action: Action, hash: UInt64, identity: UInt32, operation: Int) {
    self.action = action
    self.hash = hash
    self.identity = identity
    self.operation = operation
  }
}

/// Where in its text code has stopped, for traces.
package struct CodePlace {
  package var operation: Int
  /// Parts of the operation it is nested in, outermost first.
  package var scopes: [String] = []
  package var site = SourceSite.none
  /// The operation that ended last, if the code has observed nothing since.
  package var finished: FinishedOperation?

  package init(operation: Int) { self.operation = operation }
}

/// What runs on a virtual CPU, from one action to the next.
///
/// Code is deterministic: what it does follows from the results of its actions. It has no effect
/// but its actions, and takes none of them itself: a machine does, in its own time, and may go back
/// and give the code another result. It asks the code only what the graph of local states does not
/// hold, so calls are rare, and come in any order: first `begin`, then `goOn` from any node at
/// which the code was told that it stands.
package protocol CPUCode: AnyObject {
  /// Where it has stopped.
  var state: LocalState { get }
  var place: CodePlace { get }

  /// True if equal local states may be one node, because all that the code will ever do follows
  /// from what its hash is a hash of.
  ///
  /// Closures answer no: nobody sees what they keep in variables.
  var mergesStates: Bool { get }
  /// True if a turn of a loop has just ended, and the code says that it knows no more than when the
  /// turn began; only asked of code that does not merge states.
  var beginsAgain: Bool { get }

  /// Runs from its start to its first action.
  func begin()
  /// Runs from a node, having observed a result there, to its next action.
  func goOn(from node: LocalStates.Index, observing result: UInt64)
  /// The same, with a turn of a loop before it that was forgotten: it must make no difference.
  ///
  /// Only asked of code that has said `beginsAgain`.
  func goOn(
    from node: LocalStates.Index, observing result: UInt64, after turn: LocalStates.EdgeIndex)
  /// Takes note of the node that stands for where the code has stopped; code that merges states may
  /// be told so several times of one node, and goes on from the latest.
  func stands(at node: LocalStates.Index)
  /// Gives up what it is in the middle of, and what it keeps of that.
  ///
  /// It may be asked to go on again; where it then has to run anew what it ran before, it does.
  func abandon()
}

extension CPUCode {
  package var beginsAgain: Bool { false }

  package func goOn(
    from node: LocalStates.Index, observing result: UInt64, after turn: LocalStates.EdgeIndex
  ) {
    goOn(from: node, observing: result)
  }
}
