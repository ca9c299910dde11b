// Checking a model: pick the search, run it, minimise the counterexample, report the coverage.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport
import GracewalkTraces

extension Model {
  /// Checks the model.
  ///
  /// - Throws: `CheckError` if the options do not fit the model or its code breaks the rules.
  public func check(_ options: CheckOptions = CheckOptions()) throws(CheckError) -> CheckReport {
    if let problem = options.problem { throw .badOptions(problem) }
    _ = try scenario(options.scenario.whole)
    let options = try resolved(options)
    let scenario = freshScenario(options.scenario)
    let model = scenario.memoryModel
    guard options.strategy.isSound(under: model) else {
      throw .badOptions(
        "--mode optimal is for sequential consistency: under \(model.text) leave out --mode, or "
          + "take stateful, source, sleep or exhaustive")
    }
    let plan = SearchPlan(options, scenario)
    Machine.beginReports()
    defer { Machine.endReports() }
    let session = try CheckpointSession(options, plan, self)
    let makeMachine = maker(options.scenario, plan)
    var report = CheckReport(self, scenario, plan, options.scenario)
    let (result, machines) = plan.run(session, makeMachine)
    if plan.units > 1, let twice = result.statesTwice {
      report.add(note: Self.note(plan.units, twice, of: result.statistics))
    }
    if options.features != nil, !scenario.hasHardware { report.add(note: Self.featuresNote) }
    report.statistics = result.statistics
    report.coverage = Coverage(of: machines)
    if report.coverage.assumptions != .none { report.add(note: Self.assumptionsNote) }
    report.callPaths = try callPaths(of: machines, options)
    // The first executions give no useful estimate: backtrack sets are still far from full.
    if result.statistics.transitions >= 4_096 { report.explored = result.explored }
    if case .refused(let error) = result.ending {
      throw session?.error(error) ?? .badCheckpoint("no checkpoint was given")
    }
    if result.ending == .violation {
      report.sampledExecutions = result.sample?.executions
      report.counterexample = try counterexample(result, options, plan)
    }
    report.verdict = try verdict(of: result, machines, options, report)
    if report.verdict != .violated {
      if !report.isRestricted {
        report.notJudged = notJudged(report.coverage, by: report.invariants)
      }
      if report.isLong { report.speedHints = plan.speedHints(for: scenario) }
    }
    report.isSaved = options.checkpoints.map { $0.saves > 0 } ?? false
    return report
  }

  /// The report with a picture of the machine at each step of its counterexample, which files of
  /// reports do not have.
  package func withPictures(_ report: CheckReport) throws(CheckError) -> CheckReport {
    guard var trace = report.counterexample else { return report }
    let scenario = try scenario(ScenarioChoice(trace.scenario))
    do throws(RecordingError) {
      trace.recording = try Recording(
        trace.recording.schedule, of: scenario, recordsPictures: true)
    } catch {
      throw .badModel("not deterministic: \(error.text(for: scenario))")
    }
    var report = report
    report.counterexample = trace
    return report
  }

  /// What it cost to divide a search.
  private static func note(_ units: Int, _ twice: Int, of statistics: Statistics) -> String {
    let part = Double(twice) / Double(max(statistics.states + twice, 1))
    return
      "divided into \(units) units, with \(Int((part * 100).rounded())) % of the work done twice"
  }

  private static let assumptionsNote =
    "executions in which an assumption of the code is not so are cut off: what happens before that "
    + "is judged, and their ends are not"

  private static let featuresNote =
    "features of the architecture change nothing: no MMU takes part in this model"

  /// The verdict that follows from the end of the search; only a complete search can prove that a
  /// model holds.
  private func verdict(
    of result: SearchResult, _ machines: [Machine], _ options: CheckOptions, _ report: CheckReport
  ) throws(CheckError) -> Verdict {
    switch result.ending {
    case .complete:
      guard report.strategy.isComplete else { return .incomplete(.unfinished) }
      // A resumed search may have taken the step in an earlier session.
      if let step = options.without, options.resume == nil, report.callPaths.isEmpty {
        throw .unknownStep(step)
      }
      for machine in machines {
        machine.audit()
        if let failure = machine.failure { throw .badModel(machine.text(of: failure)) }
      }
      let missing = mustHappen.filter {
        $0.isPossible(report.parameters, report.features)
          && !report.coverage.includes($0.operation, $0.result)
      }
      if report.coverage.assumptions == .cutOffAll {
        return .incomplete(.vacuous([.wholeExecution]))
      }
      if let text = machines.first(where: \.hasMetCap)?.capText { return .incomplete(.cap(text)) }
      return missing.isEmpty ? .holds : .incomplete(.vacuous(missing))
    case .violation: return report.counterexample == nil ? .incomplete(.unfinished) : .violated
    case .bounded(let bound): return .incomplete(.bound(bound))
    case .halted:
      guard let machine = machines.first(where: { $0.failure != nil }),
        let failure = machine.failure
      else { return .incomplete(.unfinished) }
      let text = machine.text(of: failure)
      switch failure {
      case .spin: return .incomplete(.spin(text))
      case .cap: return .incomplete(.cap(text))
      default: throw .badModel(text)
      }
    case .refused: return .incomplete(.unfinished)
    }
  }

  /// Makes machines for one search; called by several threads.
  func maker(_ choice: ScenarioChoice, _ plan: SearchPlan) -> @Sendable () -> Machine {
    let identities = plan.isExact ? Identities(isShared: true) : nil
    let foresight = plan.foresight
    return { Machine(freshScenario(choice), identities: identities, foresight: foresight) }
  }

  /// The simplest schedule that violates an invariant; nil if it is not found.
  private func minimise(
    _ plan: SearchPlan, _ makeMachine: @escaping @Sendable () -> Machine
  ) -> Minimiser.Result? {
    // Under Armv8 a step costs a hundred times as much, and there are more.
    let most = plan.foresight == nil ? Minimiser.transitionsMax : Minimiser.transitionsMax / 50
    return plan.repeatUntilForeseen(makeMachine, steps: { _ in most }) {
      var machines: [Machine] = []
      var minimiser = Minimiser(isExact: plan.isExact, transitionsMax: most) {
        let machine = makeMachine()
        machines.append(machine)
        return machine
      }
      let result = minimiser.minimise()
      return (result, machines)
    }.0
  }

  /// The simplest execution that violates any invariant, so that it does not depend on the order of
  /// the search.
  private func counterexample(
    _ result: SearchResult, _ options: CheckOptions, _ plan: SearchPlan
  ) throws(CheckError) -> Trace {
    let makeMachine = maker(options.scenario, plan)
    let found = result.schedule ?? Schedule()
    // A livelock is found only if nothing else fails, and is already the simplest one.
    var schedule = found
    var isMinimal = result.isSimplest
    if options.minimises, found.loop == nil, let simplest = minimise(plan, makeMachine) {
      schedule = simplest.schedule
      isMinimal = simplest.isProven
    }
    let scenario = freshScenario(options.scenario)
    do throws(RecordingError) {
      return Trace(
        scenario: checked(scenario, values(options.parameters)), foundBy: plan.text,
        isMinimal: isMinimal,
        recording: try Recording(
          schedule, of: scenario, recordsPictures: options.recordsPictures))
    } catch {
      switch error {
      case .failed(let failure): throw .badModel(makeMachine().text(of: failure))
      case .impossibleStep(let number, let reason):
        throw .badModel(
          "not deterministic: when run again, step \(number) is impossible: \(reason)")
      case .noRepetition(let reason):
        throw .badModel("not deterministic: when run again, it does not loop: \(reason)")
      }
    }
  }
}

extension SearchResult {
  /// The result of a search that ends before its first step.
  static func immediate(_ machine: Machine) -> SearchResult {
    SearchResult(
      ending: machine.failure == nil ? .violation : .halted, statistics: Statistics(),
      schedule: Schedule(), finalStates: [])
  }
}
