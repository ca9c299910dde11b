// Which of a model's steps are needed: each is left out in turn, and the rest is checked.

import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkTraces

/// What becomes of a model without one of its steps.
public struct AblationReport: Sendable {
  /// What a step is there for.
  public enum Finding: Sendable {
    /// Without it these invariants fail, each when it is the only one required; the counterexample
    /// is of the most telling.
    case necessary(violated: [String], Trace)
    /// Nothing fails without it within the scope of the check; but these outcomes, which some
    /// execution of the whole model has, no execution has then.
    case redundant(neverHappens: [ExpectedOutcome])
    /// What is left is no program that could be checked: it loops for ever by itself, or
    /// breaks the rules for model code.
    case inseparable(String)
    /// A bound was met before the end.
    case undecided(String)
    /// Sequential consistency has no answer: its accesses are ordered anyway.
    case notAsked
  }

  public struct Row: Sendable {
    public let step: WeakenedStep
    public let finding: Finding
    /// The same for each of the calls that lead to the step, where there are several: a helper's
    /// line may be needed in one and not in another, or be redundant only one call at a time.
    public internal(set) var calls: [Row] = []
  }

  /// The check of the model as it is.
  public let whole: CheckReport
  /// One for each step, by place.
  public let rows: [Row]
}

/// Why the steps of a model could not be looked at.
public enum AblationError: Error {
  case check(CheckError)
  /// The model does not hold as it is, or does so only because nothing happens.
  case broken(CheckReport)
  case unknownStep(WeakenedStep, known: [WeakenedStep])
}

extension Model {
  /// Leaves out or weakens each step by which the code orders CPUs, one at a time, and checks what
  /// is left.
  ///
  /// Steps are found by running the code: what no execution of the scenario comes to is not there.
  /// The model needs no change, since steps pass through the virtual CPU, which can drop them.
  ///
  /// - `only`: the steps to look at; nil for all.
  /// - `willCheck`: is told of each step before it is left out.
  public func ablate(
    _ options: CheckOptions = CheckOptions(), only: [WeakenedStep]? = nil,
    willCheck: (_ step: WeakenedStep, _ number: Int, _ count: Int) -> Void = { _, _, _ in }
  ) throws(AblationError) -> AblationReport {
    var options = options
    options.takesCensus = true
    let whole = try checked(options)
    guard case .holds = whole.verdict else { throw .broken(whole) }
    options.takesCensus = false
    let known = whole.synchronisingSteps
    if let stranger = only?.first(where: { whole.callPaths.count(of: $0) == 0 }) {
      throw .unknownStep(stranger, known: known)
    }
    let steps = (only.map { Set($0).sorted() } ?? known).map { step in
      (step, calls: step.weakening.isDecidable ? whole.callPaths.calls(of: step) : [])
    }
    let count = steps.reduce(0) { $0 + 1 + $1.calls.count }
    var number = 0
    func row(_ step: WeakenedStep) throws(AblationError) -> AblationReport.Row {
      willCheck(step, number, count)
      number += 1
      guard step.weakening.isDecidable else { return .init(step: step, finding: .notAsked) }
      options.without = step
      options.scenario.weakenedPaths.value = whole.callPaths.paths(of: step)
      return .init(step: step, finding: try finding(options, of: whole.invariants))
    }
    var rows: [AblationReport.Row] = []
    for (step, calls) in steps {
      rows.append(try row(step))
      for call in calls { rows[rows.count - 1].calls.append(try row(call)) }
    }
    return AblationReport(whole: whole, rows: rows)
  }

  private func checked(_ options: CheckOptions) throws(AblationError) -> CheckReport {
    do { return try check(options) } catch { throw .check(error) }
  }

  private func finding(
    _ options: CheckOptions, of invariants: [String]
  ) throws(AblationError) -> AblationReport.Finding {
    var options = options
    options.minimises = false
    options.judgesErrors = false
    var left = invariants
    var violated: [String] = []
    while !left.isEmpty {
      options.invariants = left
      let report: CheckReport
      do { report = try check(options) } catch {
        // Code may rely on what is gone in ways that no invariant is about.
        guard case .badModel(let text) = error else { throw .check(error) }
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
      // Each turn takes one away, so there is an end to it.
      guard left.contains(id) else { break }
      violated.append(id)
      left.removeAll { $0 == id }
    }
    violated = InvariantCatalogue.inOrder(violated)
    options.minimises = true
    options.judgesErrors = true
    options.invariants = [violated.min { Self.rank($0) < Self.rank($1) } ?? violated[0]]
    guard let trace = try checked(options).counterexample else {
      return .undecided("its counterexample is not found again")
    }
    return .necessary(violated: violated, trace)
  }

  /// A broken rule of usage tells less than the damage it leads to.
  private static func rank(_ id: String) -> Int {
    let rules = [
      ReferencesMatchEntries.id, GracePeriodSafety.id, LocksHeldByReleaser.id,
      ProgressOfCPUs.id,
    ]
    return rules.firstIndex(of: id).map { 1 + $0 } ?? 0
  }
}
