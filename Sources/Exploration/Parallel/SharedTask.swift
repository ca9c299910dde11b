// A piece of one member's search that another carries out, and what came of it.

import GracewalkSupport

/// A step at a node of another thread's stack, with everything below it.
///
/// The giver fills in the path and looks at the results only once `isDone` is set, between two
/// rounds. Until then the task belongs to the taker.
final class SharedTask {
  /// A node of the giver's stack, with the step taken there; in the last one, the task's step.
  struct Node {
    var cpu: Int
    var choice: Int
    var enabled: CPUSet
    var backtrack: CPUSet
    /// CPUs done there; what is still to do, also of other members, does not count.
    var done: CPUSet
    var sleep: CPUSet
    var key: UInt64
    var permutation: Int16
    var isRevisit: Bool
    var sleepers: [Sleeper]
  }

  /// A CPU asleep or done at a node: the shared numbers of its step and of the set of steps below
  /// it.
  struct Sleeper {
    var cpu: Int
    var step: Int
    var set: UInt32
  }

  let path: [Node]
  /// Per node and CPU that is disabled there, the CPUs that could enable it.
  let enablers: [UInt64]
  /// Per node of the path, the CPUs that must be tried there because of races found.
  var additions: [CPUSet] = []
  /// The shared number of the set of steps that ran.
  var summary: UInt32 = 0
  /// The task's step, with the steps that ran below it.
  var sleeper: Sleeper?
  var isDone = false
  weak var taker: StatefulSearch?

  init(path: [Node], enablers: [UInt64]) {
    self.path = path
    self.enablers = enablers
  }
}

/// A state that a member has finished in a round.
struct FinishedState: BitwiseCopyable {
  var key: UInt64
  /// The number of its summary: the member's own, and at the end of the round the shared one.
  var set: UInt32
  var stateCount: Int32
  var isEnd: Bool
  /// It had been finished before, with more CPUs asleep.
  var isRevisit = false
}
