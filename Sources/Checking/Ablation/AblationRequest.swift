// One step of an ablation: which invariants fail without it, each required alone.

import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkTraces

/// A step to leave out of a model that holds as it is, as a unit of work.
package struct AblationRequest: WorkUnit {
  /// The check of the model without the step, and with all invariants at once.
  private let check: CheckRequest
  /// The invariants that hold while the step is there.
  private let invariants: [String]

  /// - Parameters:
  ///   - check: of the model as it is.
  ///   - whole: its report.
  init(_ check: CheckRequest, _ step: WeakenedStep, _ whole: CheckReport) {
    var check = check
    check.scenario.without = step
    check.scenario.weakenedPlaces.value = whole.callPaths.places(of: step)
    self.check = check
    invariants = whole.invariants
  }

  package func run(
    _ context: WorkContext<SearchProgress>
  ) throws(CheckError) -> AblationReport.Finding {
    let model = try context.model(named: check.model)
    var options = CheckOptions(scenario: check.scenario, search: check.search)
    context.supervise(&options)
    return try finding(model, options)
  }

  package var isTimed: Bool { check.search.limits.seconds != nil }

  private func finding(
    _ model: Model, _ options: CheckOptions
  ) throws(CheckError) -> AblationReport.Finding {
    var options = options
    options.minimises = false
    options.judgesErrors = false
    var left = invariants
    var violated: [String] = []
    while !left.isEmpty {
      options.invariants = left
      let report: CheckReport
      do { report = try model.check(options) } catch {
        // Without the step, the code may break the rules for model code instead of an invariant.
        guard case .badModel(let text) = error else { throw error }
        if violated.isEmpty { return .inseparable(text) }
        break
      }
      guard let id = report.violatedInvariant else {
        if !violated.isEmpty { break }
        switch report.verdict {
        case .incomplete(.spin(let text)): return .inseparable(text)
        case .holds, .incomplete(.vacuous): return .redundant(neverHappens: report.vacuous)
        case .incomplete, .violated: return .undecided(report.advice ?? "incomplete")
        }
      }
      // Each iteration removes one, so the loop ends.
      guard left.contains(id) else { break }
      violated.append(id)
      left.removeAll { $0 == id }
    }
    violated = InvariantCatalogue.inOrder(violated)
    guard let telling = violated.min(by: { Self.rank($0) < Self.rank($1) }) else {
      return .undecided("no invariant was judged")
    }
    options.minimises = true
    options.judgesErrors = true
    options.invariants = [telling]
    guard let trace = try model.check(options).counterexample else {
      return .undecided("its counterexample is not found again")
    }
    return .necessary(violated: violated, trace)
  }

  /// The damage is more telling than the usage rule whose violation caused it.
  private static func rank(_ id: String) -> Int {
    let rules = [
      ReferencesMatchEntries.id, GracePeriodSafety.id, LocksHeldByReleaser.id,
      ProgressOfCPUs.id,
    ]
    return rules.firstIndex(of: id).map { 1 + $0 } ?? 0
  }
}
