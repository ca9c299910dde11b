// The common interface of all searches' nodes, and the conversion of a stack to a schedule.

import GracewalkSupport

/// A state on a search's stack, with the step taken from it.
protocol SearchNode: BitwiseCopyable {
  var cpu: Int { get }
  var choice: Int { get }
}

extension GrowableBuffer where Element: SearchNode {
  /// The steps of the first `count` nodes.
  func steps(first count: Int) -> [Schedule.Step] {
    (0..<count).map { Schedule.Step(cpu: self[$0].cpu, choice: self[$0].choice) }
  }
}
