// A step of a saved path that was taken again, to compare what was saved with it.

import GracewalkSupport

/// A step that was taken again, and what the system says about the state before it.
struct RetracedStep {
  let step: Schedule.Step
  let enabled: CPUSet
  let choiceCount: Int

  /// - Parameter system: in the state before the step.
  init(_ step: Schedule.Step, in system: TransitionSystem) {
    self.step = step
    enabled = system.enabledCPUs()
    choiceCount = system.choiceCount(of: step.cpu)
  }

  /// True if the step that was taken at a saved node can be this one.
  ///
  /// - Parameters:
  ///   - enabled: the enabled CPUs, as they were saved.
  ///   - choiceCount: the number of choices to try, as it was saved.
  func isStep(of node: some SearchNode, enabled: CPUSet, choiceCount: Int) -> Bool {
    node.cpu == step.cpu && node.choice == step.choice && enabled == self.enabled
      && node.choice < choiceCount && choiceCount <= self.choiceCount
  }
}
