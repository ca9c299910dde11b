// Checking a model: pick the search, run it, minimise what it finds, say what was covered.

import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkSupport
import GracewalkTraces

/// Which search to run.
public enum Strategy: String, CaseIterable, Sendable {
  /// Merges equal states and reduces what is left.
  case stateful
  /// Stateless, one execution per class of equivalent ones: wakeup trees.
  case optimal
  /// Stateless, reduced by source sets and sleep sets.
  case source
  /// Stateless, reduced by sleep sets alone.
  case sleep
  /// Every interleaving; equal states are merged, nothing is reduced.
  case exhaustive
  /// Samples executions, each step of a CPU chosen at random.
  case random
  /// Samples executions by random priorities.
  case pct

  /// Searches that leave out what others have shown: what the fuzzer is there for.
  public static let reduced: [Strategy] = [.stateful, .optimal, .source, .sleep]

  /// True if the search can show that an invariant holds.
  public var isComplete: Bool { self != .random && self != .pct }

  /// True if the search keeps states and goes on only once from those that are equal.
  public var mergesStates: Bool { self == .stateful || self == .exhaustive }
}

/// How to check.
public struct CheckOptions {
  public var strategy = Strategy.stateful
  public var limits = Limits()
  /// Values for the model's parameters, by name; what is missing is standard.
  public var parameters: [String: Int] = [:]
  /// Ids of the only invariants to require; nil for all of the model's.
  public var invariants: [String]?
  /// What the modelled MMU can do; nil for what the model's scenario says.
  public var features: Features?
  /// A step of the code to leave out or to weaken.
  public var without: WeakenedStep?
  /// Whether to note which steps there are by which the code orders CPUs.
  package var takesCensus = false
  /// Whether an error that code throws is a violation where other invariants are named; if not,
  /// it ends the CPU's program, and what else goes wrong is judged.
  package var judgesErrors = true
  /// The call paths that the number of that step stands for.
  var weakenedPaths: Set<UInt64>?
  /// Whether the stateful search takes states that differ only by an exchange of identical CPUs for
  /// one.
  public var usesSymmetry = true
  /// Seed of a search that samples.
  public var seed: UInt64 = 0
  /// Priority changes per execution, for `pct`.
  public var priorityChanges = 2
  /// Threads of a stateful search.
  public var jobs = 1
  /// Whether a long search also samples executions, at most a tenth of its steps: it finds sooner
  /// what lies far from its path, and comes to the same verdict.
  public var usesSamples = true
  /// Whether states are kept and compared in full, for a search that merges states.
  public var isExact = false
  /// Whether to search for the simplest counterexample once one is found.
  public var minimises = true
  /// Whether a counterexample comes with a picture of the machine at each step.
  public var recordsPictures = false
  /// Sees the progress of a search; returns false to interrupt it.
  public var watch: ((SearchProgress) -> Bool)?
  /// Where the check is saved now and then, and when a bound or an interrupt ends it.
  public var checkpoints: CheckpointFile?
  /// Least seconds from one time to the next.
  public var checkpointInterval = 30.0
  /// A check that was saved, to go on with; its limits may be others now, all else is the same.
  public var resume: Checkpoint?

  public init() {}

  /// What decides about the scenario; all else is standard.
  init(
    parameters: [String: Int] = [:], invariants: [String]? = nil, features: Features? = nil,
    without: WeakenedStep? = nil, takesCensus: Bool = false, judgesErrors: Bool = true
  ) {
    self.judgesErrors = judgesErrors
    self.parameters = parameters
    self.invariants = invariants
    self.features = features
    self.without = without
    self.takesCensus = takesCensus
  }
}

/// Why a model could not be checked.
///
/// Each is the user's to mend.
public enum CheckError: Error, Equatable {
  case unknownParameter(name: String, known: [String])
  case parameterOutOfRange(name: String, value: Int, range: ClosedRange<Int>)
  case unknownInvariant(id: String, known: [String])
  /// No execution comes to the step that is to be left out.
  case unknownStep(WeakenedStep)
  /// The model breaks the rules for model code.
  case badModel(String)
  /// What is asked for makes no sense.
  case badOptions(String)
  /// What is to be gone on with is no checkpoint of this check, or damaged.
  case badCheckpoint(String)
}

extension Model {
  /// A fresh scenario with the given options' parameters, invariants and features.
  ///
  /// What `InvariantCatalogue.always` lists is required of every model, as far as it can fail.
  public func scenario(
    parameters: [String: Int] = [:], invariants: [String]? = nil, features: Features? = nil,
    without: WeakenedStep? = nil
  ) throws(CheckError) -> Scenario {
    for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
      guard let parameter = self.parameters.first(where: { $0.name == name }) else {
        throw .unknownParameter(name: name, known: self.parameters.map(\.name))
      }
      guard parameter.range.contains(value) else {
        throw .parameterOutOfRange(name: name, value: value, range: parameter.range)
      }
    }
    if let problem = declarationProblem(CheckOptions(parameters: parameters)) {
      throw .badModel(problem)
    }
    if let invariants {
      let known = freshScenario(CheckOptions(parameters: parameters)).invariants.map(\.id)
      for id in invariants where !known.contains(id) {
        throw .unknownInvariant(id: id, known: known)
      }
    }
    let scenario = freshScenario(
      try resolved(
        CheckOptions(
          parameters: parameters, invariants: invariants, features: features, without: without)))
    if let problem = scenario.firstProblem { throw .badModel(problem) }
    return scenario
  }

  /// A fresh scenario of the largest size that the catalogue is checked with.
  package var largestScenario: Scenario {
    freshScenario(CheckOptions(parameters: largestInstance))
  }

  /// The last of the parameter values that the catalogue is checked with.
  package var largestInstance: [String: Int] { instances.last ?? [:] }

  func freshScenario(_ options: CheckOptions) -> Scenario {
    let scenario = Scenario.noting { build(values(options.parameters)) }
    if let features = options.features { scenario.features = features }
    if let step = options.without {
      scenario.ablation = .weakens(step)
      scenario.weakenedPaths = options.weakenedPaths
    } else if options.takesCensus {
      scenario.ablation = .census
    }
    for invariant in InvariantCatalogue.always where scenario.mayViolate(invariant) {
      if !scenario.invariants.contains(where: { $0.id == invariant.id }) {
        scenario.require(invariant)
      }
    }
    if let invariants = options.invariants {
      scenario.keepInvariants {
        invariants.contains($0)
          || options.judgesErrors && InvariantCatalogue.keptAlways.contains($0)
      }
      scenario.letsErrorsPass = !options.judgesErrors
    }
    name(scenario, options)
    return scenario
  }

  /// Lets reports on code that traps say how to run it again.
  private func name(_ scenario: Scenario, _ options: CheckOptions) {
    let values = values(options.parameters).values
    let settings = values.map { " --set \($0.name)=\($0.value)" }.joined()
    let features = options.features.map { " \($0.options)" } ?? ""
    let without = options.without.map { " --without \($0.text.quotedForShell)" } ?? ""
    let list = values.map { "\"\($0.name)\": \($0.value)" }.joined(separator: ", ")
    let command =
      "\(RunningProgram.invocation) replay \(name.quotedForShell)\(settings)\(features)\(without)"
    scenario.setOrigin(
      model: name, command: ("\(command) --schedule '", "'"),
      call: ("try model.replay(\"", list.isEmpty ? "\")" : "\", parameters: [\(list)])"))
  }

  /// Checks the model.
  ///
  /// - Throws: `CheckError` if the options do not fit the model or its code breaks the rules.
  public func check(_ options: CheckOptions = CheckOptions()) throws(CheckError) -> CheckReport {
    if let problem = options.problem { throw .badOptions(problem) }
    _ = try scenario(
      parameters: options.parameters, invariants: options.invariants, features: options.features)
    let options = try resolved(options)
    let scenario = freshScenario(options)
    let plan = SearchPlan(options, scenario)
    Machine.beginReports()
    defer { Machine.endReports() }
    let session = try CheckpointSession(options, plan, self) { freshScenario(options) }
    var report = CheckReport(
      self, scenario, plan, parameters: values(options.parameters),
      isRestricted: options.invariants != nil)
    var (result, machines) = plan.run(session, maker(options, plan))
    if plan.jobs > 1, result.ending == .halted {
      // Who comes to a dead end first is a matter of luck, so it is not what is reported.
      (result, machines) = plan.run(jobs: 1, nil, maker(options, plan))
    }
    if options.features != nil, !scenario.hasHardware { report.add(note: Self.featuresNote) }
    report.statistics = result.statistics
    report.coverage = Coverage(of: machines)
    let callPaths = try callPaths(of: machines, options)
    report.callPaths = callPaths
    // The first executions say nothing: backtrack sets are still far from full.
    if result.statistics.transitions >= 4_096 { report.explored = result.explored }
    switch result.ending {
    case .complete:
      // A search that was resumed may have taken the step before.
      if let step = options.without, options.resume == nil, callPaths.isEmpty {
        throw .unknownStep(step)
      }
      for machine in machines {
        machine.audit()
        if let failure = machine.failure { throw .badModel(machine.text(of: failure)) }
      }
      let missing = mustHappen.filter {
        $0.isPossible(report.parameters, scenario.features)
          && !report.coverage.includes($0.operation, $0.result)
      }
      report.verdict = missing.isEmpty ? .holds : .incomplete(.vacuous(missing))
    case .refused(let error):
      throw session?.error(error) ?? .badCheckpoint("no checkpoint was given")
    case .bounded(let bound): report.verdict = .incomplete(.bound(bound))
    case .halted:
      guard let failure = machines[0].failure else { break }
      let text = machines[0].text(of: failure)
      guard case .spin = failure else { throw .badModel(text) }
      report.verdict = .incomplete(.spin(text))
    case .violation:
      report.verdict = .violated
      report.sampledExecutions = result.sample?.executions
      report.counterexample = try counterexample(result, options, plan)
    }
    if report.verdict != .violated {
      if !report.isRestricted {
        report.notJudged = notJudged(report.coverage, by: report.invariants)
      }
      if report.isLong { report.speedHints = plan.speedHints(for: scenario) }
    }
    report.isSaved = options.checkpoints.map { $0.saves > 0 } ?? false
    return report
  }

  private static let featuresNote =
    "features of the architecture change nothing: no MMU takes part in this model"

  /// Makes machines for a check; called by several threads.
  func maker(_ options: CheckOptions, _ plan: SearchPlan) -> @Sendable () -> Machine {
    let (parameters, invariants) = (options.parameters, options.invariants)
    let (features, without) = (options.features, options.without)
    let (takesCensus, isExact) = (options.takesCensus, plan.isExact)
    let judgesErrors = options.judgesErrors
    let weakenedPaths = options.weakenedPaths
    return {
      var shape = CheckOptions(
        parameters: parameters, invariants: invariants, features: features, without: without,
        takesCensus: takesCensus, judgesErrors: judgesErrors)
      shape.weakenedPaths = weakenedPaths
      return Machine(freshScenario(shape), isExact: isExact)
    }
  }

  /// The simplest execution that violates an invariant, whichever it is: so it does not depend on
  /// what the search came to first.
  private func counterexample(
    _ result: SearchResult, _ options: CheckOptions, _ plan: SearchPlan
  ) throws(CheckError) -> Trace {
    let makeMachine = maker(options, plan)
    let found = result.schedule ?? Schedule()
    // A livelock is found only where nothing else is wrong, and is the simplest already.
    var schedule = found
    var isMinimal = result.isSimplest
    var minimiser = Minimiser(isExact: plan.isExact, makeSystem: makeMachine)
    if options.minimises, found.loop == nil, let simplest = minimiser.minimise() {
      schedule = simplest.schedule
      isMinimal = simplest.isProven
    } else if plan.jobs > 1 {
      // What several threads come to first is a matter of luck.
      schedule = plan.run(jobs: 1, nil, makeMachine).0.schedule ?? found
    }
    let scenario = freshScenario(options)
    do throws(RecordingError) {
      return Trace(
        model: name, parameters: values(options.parameters).values, features: scenario.features,
        without: options.without, invariants: scenario.invariants.map(\.id), foundBy: plan.text,
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
