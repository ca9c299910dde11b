// A piece of one thread's search that another thread carries out.

import Support
import Synchronization

/// A step at a node of somebody's stack, with all that lies below it.
///
/// The giver fills in the path, hands the task over through the team's queue, and looks at the
/// results only once `isDone` is set. Between those two moments it belongs to the taker alone,
/// which makes sharing it safe.
final class SharedTask: @unchecked Sendable {
  /// A node of the giver's stack, with the step taken there; in the last one, the task's step.
  struct Node {
    var cpu: Int
    var choice: Int
    var enabled: CPUSet
    var backtrack: CPUSet
    var key: UInt64
    var permutation: Int16
  }

  let path: [Node]
  /// Per node and CPU that is disabled there, who could enable it.
  let enablers: [UInt64]
  /// Per node of the path, what must be tried there because of what was found.
  var additions: [CPUSet] = []
  /// The shared number of the set of steps that ran.
  var summary: UInt32 = 0
  let isDone = Atomic<Bool>(false)

  init(path: [Node], enablers: [UInt64]) {
    self.path = path
    self.enablers = enablers
  }
}
