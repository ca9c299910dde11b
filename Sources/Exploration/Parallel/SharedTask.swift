// A piece of one thread's search that another thread carries out, and how far it has come.

import GracewalkSupport
import Synchronization

/// A step at a node of somebody's stack, with all that lies below it.
///
/// The giver fills in the path, hands the task over through the team's queue, and looks at the
/// results only once `isDone` is set. Between those two moments it belongs to the taker alone,
/// which makes sharing it safe.
///
/// How far the taker has come is behind a lock of its own.
final class SharedTask: @unchecked Sendable {
  /// A node of the giver's stack, with the step taken there; in the last one, the task's step.
  struct Node {
    var cpu: Int
    var choice: Int
    var enabled: CPUSet
    var backtrack: CPUSet
    /// CPUs done there; what is still to do, also of other threads, does not count.
    var done: CPUSet
    var sleep: CPUSet
    var key: UInt64
    var permutation: Int16
    var isRevisit: Bool
    var sleepers: [Sleeper]
  }

  /// What is known of a CPU asleep or done at a node: the shared numbers of its step and of the
  /// set of what ran below it.
  struct Sleeper {
    var cpu: Int
    var step: Int
    var set: UInt32
  }

  let path: [Node]
  /// Per node and CPU that is disabled there, who could enable it.
  let enablers: [UInt64]
  /// Per node of the path, what must be tried there because of what was found.
  var additions: [CPUSet] = []
  /// The shared number of the set of steps that ran.
  var summary: UInt32 = 0
  /// The task's step, with what ran below it.
  var sleeper: Sleeper?
  let isDone = Atomic<Bool>(false)
  /// How much of it is explored, as the taker says now and then.
  let part = Locked(LentPart())

  init(path: [Node], enablers: [UInt64]) {
    self.path = path
    self.enablers = enablers
  }
}

/// How much is explored of what one member does, and of what it has lent to others.
struct LentPart {
  /// Without what was lent.
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
