// The code of a virtual CPU: the interface between a machine and the code that asks it for actions.

import GracewalkSupport

/// A local state of code: the point at which it has stopped, its next action, and its knowledge.
package struct LocalState: BitwiseCopyable {
  /// Its next action; `finished` if there is none.
  package var action: Action
  /// A hash of everything that the code's future depends on.
  package var hash: UInt64
  /// The identity that corresponds to `hash`; arbitrary in a machine without `Identities`.
  package var identity: UInt32
  /// The number of its operation, from 0.
  package var operation: Int

  package init(_ action: Action, hash: UInt64, identity: UInt32, operation: Int) {
    self.action = action
    self.hash = hash
    self.identity = identity
    self.operation = operation
  }
}

/// The source place at which code has stopped, for traces.
package struct CodePlace {
  package var operation: Int
  /// Parts of the operation it is nested in, outermost first.
  package var scopes: [String] = []
  package var site = SourceSite.none
  /// The operation that ended last, if the code has observed nothing since.
  package var finished: FinishedOperation?

  package init(operation: Int) { self.operation = operation }
}

/// Code that runs on a virtual CPU, from one action to the next.
///
/// Code is deterministic: its behaviour is a function of the results of its actions. It has no
/// effects other than its actions, and does not perform them: the machine does, later, and may go
/// back and give the code another result. The machine calls the code only for edges that the graph
/// of local states lacks, so calls are rare and in any order: first `begin`, then `advance` from
/// any node that was passed to `didStop`.
package protocol CPUCode: AnyObject {
  /// The state in which it has stopped.
  var state: LocalState { get }
  var place: CodePlace { get }

  /// True if equal local states may be one node, because the code's future depends only on the
  /// hashed state.
  ///
  /// False for closures, whose variables cannot be seen.
  var mergesStates: Bool { get }
  /// True if a turn of a loop has just ended without a result; called only for code that does not
  /// merge states.
  var beginsAgain: Bool { get }

  /// Runs from its start to its first action.
  func begin()
  /// Runs from a node, with the result of its action, to the next action.
  func advance(from node: LocalStates.Index, observing result: UInt64)
  /// The same after an additional forgotten turn of a loop, which must make no difference.
  ///
  /// Called only for code that has returned `beginsAgain`.
  func advance(
    from node: LocalStates.Index, observing result: UInt64, after turn: LocalStates.EdgeIndex)
  /// Records the node of the state in which the code has stopped.
  ///
  /// Code that merges states may be passed the same node several times; it then continues from the
  /// latest state.
  func didStop(at node: LocalStates.Index)
  /// Abandons the present run, and its state.
  ///
  /// `advance` may be called again; the code then runs again as needed.
  func abandon()
}

extension CPUCode {
  package var beginsAgain: Bool { false }

  package func advance(
    from node: LocalStates.Index, observing result: UInt64, after turn: LocalStates.EdgeIndex
  ) {
    advance(from: node, observing: result)
  }
}
