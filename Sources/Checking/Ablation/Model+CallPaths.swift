// What the number of a call path stands for, on this machine and in this build.

import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine

extension Model {
  /// The options with the call paths that the step to be left out is about.
  func resolved(_ options: CheckOptions) throws(CheckError) -> CheckOptions {
    guard let step = options.without, step.path != nil, options.scenario.weakenedPaths.value == nil
    else {
      return options
    }
    guard let paths = try numberedPaths(options).paths(of: step) else { throw .unknownStep(step) }
    var options = options
    options.scenario.weakenedPaths.value = paths
    return options
  }

  /// The call paths that machines met, with numbers that do not depend on how they were searched.
  func callPaths(
    of machines: [Machine], _ options: CheckOptions
  ) throws(CheckError) -> CallPaths {
    let paths = CallPaths(of: machines)
    return options.takesCensus && paths.tellsApart ? try numberedPaths(options) : paths
  }

  /// The call paths in the order in which a search of the model as it is meets them, on one thread:
  /// with no invariant but progress, since what invariants look at decides about the order.
  private func numberedPaths(_ options: CheckOptions) throws(CheckError) -> CallPaths {
    var whole = options.scenario.whole
    whole.invariants = nil
    _ = try scenario(whole)
    var census = CheckOptions(
      scenario: ScenarioChoice(
        parameters: options.parameters, invariants: [ProgressOfCPUs.id],
        features: options.features))
    census.takesCensus = true
    census.limits.states = options.limits.states
    census.watch = options.watch
    let plan = SearchPlan(census, freshScenario(census.scenario))
    let (_, machines) = plan.run(jobs: 1, nil, maker(census.scenario, plan))
    return CallPaths(of: machines)
  }
}
