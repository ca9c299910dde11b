// Maps the numbers in the name of a step to places and return addresses of this build.

import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine

extension Model {
  /// The options, completed with the places and call paths of the step to leave out.
  func resolved(_ options: CheckOptions) throws(CheckError) -> CheckOptions {
    guard let step = options.without, step.ordinal != nil || step.path != nil,
      options.scenario.weakenedPlaces.value == nil
    else {
      return options
    }
    guard let places = try numberedPaths(options).places(of: step) else { throw .unknownStep(step) }
    var options = options
    options.scenario.weakenedPlaces.value = places
    return options
  }

  /// The call paths that machines recorded, with numbers that do not depend on the search.
  func callPaths(
    of machines: [Machine], _ options: CheckOptions
  ) throws(CheckError) -> CallPaths {
    let paths = CallPaths(of: machines)
    return options.takesCensus && paths.tellsApart ? try numberedPaths(options) : paths
  }

  /// The call paths in the order in which a single-threaded search of the unchanged model reaches
  /// them.
  ///
  /// It requires only progress, since the order depends on the kinds of invariants.
  private func numberedPaths(_ options: CheckOptions) throws(CheckError) -> CallPaths {
    var whole = options.scenario.whole
    whole.invariants = nil
    _ = try scenario(whole)
    var census = CheckOptions(
      scenario: ScenarioChoice(
        parameters: options.parameters, invariants: [ProgressOfCPUs.id],
        features: options.features, memoryModel: options.memoryModel))
    census.takesCensus = true
    census.limits.states = options.limits.states
    census.watch = options.watch
    let plan = SearchPlan(census, freshScenario(census.scenario))
    let (_, machines) = plan.run(jobs: 1, nil, maker(census.scenario, plan))
    return CallPaths(of: machines)
  }
}
