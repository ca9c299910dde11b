// A report on a check of something that is not a scenario, such as a compiled program.

import GracewalkExploration
import GracewalkMachine
import GracewalkTraces

extension CheckReport {
  /// - Parameters:
  ///   - name: what was checked.
  ///   - invariants: ids of everything that was looked for.
  package init(
    ofProgram name: String, summary: String, invariants: [String], strategy: Strategy,
    search: String, limits: Limits, scope: String, verdict: Verdict, statistics: Statistics,
    counterexample: Trace?
  ) {
    checked = CheckedScenario(
      model: name, parameters: [], features: Features(), invariants: invariants)
    scenario = summary
    omission = nil
    origin = nil
    openQuestion = nil
    declaredViolations = []
    hasHardware = false
    self.strategy = strategy
    jobs = 1
    self.search = search
    note = nil
    self.limits = limits
    isExact = false
    self.scope = scope
    lastLevel = 0
    isRestricted = false
    self.verdict = verdict
    self.statistics = statistics
    self.counterexample = counterexample
  }
}
