// A part of one thread's search that another thread explores, with its progress.

import GracewalkSupport
import Synchronization

/// A step at a node of another thread's stack, with everything below it.
///
/// The giver fills in the path, hands the task over through the team's queue, and reads the results
/// only after `isDone` is set. Invariant: between those two moments only the taker accesses it,
/// which makes sharing it safe.
///
/// The taker's progress has a lock of its own.
final class SharedTask: @unchecked Sendable {
  /// A node of the giver's stack, with the step taken there; in the last one, the task's step.
  struct Node {
    var cpu: Int
    var choice: Int
    var enabled: CPUSet
    var backtrack: CPUSet
    /// CPUs done there; those still being explored, by any thread, do not count.
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
  let isDone = Atomic<Bool>(false)
  /// The explored part, as the taker reports from time to time.
  let part = Locked(LentPart())

  init(path: [Node], enablers: [UInt64]) {
    self.path = path
    self.enablers = enablers
  }
}

/// The explored part of a member's own work, and of the parts lent to others.
struct LentPart {
  /// Without the lent parts.
  var own = 0.0
  var lent: [(task: SharedTask, share: Double)] = []

  /// Everything, from 0 to 1.
  var explored: Double {
    lent.reduce(own) { sum, item in
      let isDone = item.task.isDone.load(ordering: .acquiring)
      let part = isDone ? 1 : item.task.part.withLock { $0 }.explored
      return sum + item.share * part
    }
  }
}
