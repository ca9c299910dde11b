// What the nodes of all searches have in common, and how their stack becomes a schedule.

import GracewalkSupport

/// A state on a search's stack, with the step that is taken there.
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
