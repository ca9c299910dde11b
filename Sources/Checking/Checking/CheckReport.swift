// The result of a check, and its exact scope.

import GracewalkExploration
import GracewalkMachine
import GracewalkTraces

/// The result of a check.
public enum Verdict: Equatable, Codable, Sendable {
  case holds
  case violated
  case incomplete(Incompleteness)
}

/// Why a check covered only part of what it should.
public enum Incompleteness: Equatable, Codable, Sendable {
  case bound(Bound)
  case spin(String)
  /// The memory model kept more stores apart than there is room for.
  case cap(String)
  /// Every execution was explored and nothing is violated, but these declared outcomes never
  /// happen: perhaps nothing fails only because nothing happens.
  case vacuous([ExpectedOutcome])
  /// The search has not reported its end: the initial value of every report.
  case unfinished
}

/// A verdict with its scope, its counts and, if there is one, its counterexample.
public struct CheckReport: Sendable {
  /// The checked scenario.
  public let checked: CheckedScenario
  /// A description of which CPUs run which operations.
  public let scenario: String
  /// The step the model leaves out, for a broken sibling.
  public let omission: String?
  public let origin: Origin?
  /// The question that the check cannot answer because of its memory model.
  public let openQuestion: String?
  /// Ids of the invariants the model is in the catalogue for violating.
  public let declaredViolations: [String]
  /// Whether an MMU takes part, so that its features matter.
  public let hasHardware: Bool
  public let strategy: Strategy
  /// Threads that searched; with more than one, counts differ from run to run.
  public let jobs: Int
  /// A description of the search, including its seed.
  public let search: String
  /// Why a different search ran than requested, or which options have no effect.
  public internal(set) var note: String?
  public let limits: Limits
  /// Whether states were compared in full.
  public let isExact: Bool
  /// Which executions the verdict is about.
  public let scope: String
  /// The last level of the scenario's tables.
  public let lastLevel: Int
  /// Incomplete until the check says otherwise, so that nothing holds by accident.
  public internal(set) var verdict = Verdict.incomplete(.unfinished)
  public internal(set) var statistics = Statistics()
  public internal(set) var counterexample: Trace?
  /// How operations ended and which entries changed: in all executions if `coversAll`, otherwise in
  /// those explored.
  public internal(set) var coverage = Coverage(of: [])
  /// Invariants that apply to the code that ran but were neither required nor exempt.
  ///
  /// The verdict says nothing about them.
  ///
  /// Empty for a violation, and if the options restrict the required invariants.
  public internal(set) var notJudged: [UnjudgedInvariant] = []
  /// Whether the options restrict the required invariants.
  public let isRestricted: Bool
  /// The number of random executions until one violated an invariant; nil if sampling did not find
  /// the violation.
  public internal(set) var sampledExecutions: Int?
  /// Ways to make the check shorter; empty unless it was long, or would have been without a bound.
  public internal(set) var speedHints: [String] = []
  /// Whether the check was saved, so that it can be resumed.
  public internal(set) var isSaved = false
  /// The steps by which the code orders CPUs, if a census was requested.
  public var synchronisingSteps: [WeakenedStep] { callPaths.steps }
  /// The calls that led to them.
  package internal(set) var callPaths = CallPaths(of: [])
  /// The estimated part explored, from 0 to 1, if a bound ended the search.
  public internal(set) var explored: Double?

  /// Appends to the note.
  mutating func add(note text: String) { note = note.map { "\($0); \(text)" } ?? text }

  init(
    _ model: Model, _ scenario: Scenario, _ plan: SearchPlan, _ choice: ScenarioChoice
  ) {
    isRestricted = choice.invariants != nil
    checked = model.checked(scenario, model.values(choice.parameters))
    self.scenario = model.scenarioText
    let omissions = [model.omission, checked.without?.sentence].compactMap { $0 }
    omission = omissions.isEmpty ? nil : omissions.joined(separator: "; ")
    origin = model.origin
    openQuestion = model.openQuestion
    let own = model.verdicts[scenario.memoryModel] ?? model.expectation
    if case .violates(let ids) = own {
      declaredViolations = ids
    } else {
      declaredViolations = []
    }
    hasHardware = scenario.hasHardware
    strategy = plan.strategy
    jobs = plan.jobs
    search = plan.text
    note = plan.note
    limits = plan.limits
    isExact = plan.isExact
    scope = scenario.scope
    lastLevel = scenario.geometry.lastLevel
  }

  public var model: String { checked.model }
  public var parameters: ParameterValues { ParameterValues(checked.parameters) }
  public var features: Features { checked.features }
  /// The memory model: the values of loads, and the visibility of stores.
  public var memoryModel: MemoryModel { MemoryModel(name: checked.memoryModel) ?? .standard }
  /// Ids of the invariants that were required.
  public var invariants: [String] { checked.invariants }

  /// The id of the violated invariant.
  public var violatedInvariant: String? {
    guard case .violated(let invariant, _) = counterexample?.recording.end else { return nil }
    return invariant
  }

  /// True if every execution was explored and nothing is violated: the model holds, or is vacuous.
  public var coversAll: Bool { verdict == .holds || isVacuous }

  /// True if nothing is violated, but not every declared outcome happened.
  public var isVacuous: Bool { !vacuous.isEmpty }

  /// Declared outcomes that never happened; empty unless they make the verdict incomplete.
  public var vacuous: [ExpectedOutcome] {
    if case .incomplete(.vacuous(let missing)) = verdict { missing } else { [] }
  }

  /// A description of the outcomes that never happen; nil if there are none.
  public var vacuousText: String? {
    let missing = vacuous.map {
      $0 == .wholeExecution
        ? "every execution is cut off by an assumption"
        : "\($0.operation) never returns \($0.result)"
    }
    return missing.isEmpty ? nil : missing.joined(separator: ", and ")
  }

  /// How to get a complete answer; nil if the answer is complete.
  public var advice: String? {
    guard case .incomplete(let reason) = verdict else { return nil }
    switch reason {
    case .spin(let text), .cap(let text): return text
    case .vacuous(let missing) where missing == [.wholeExecution]:
      return "vacuous: what the code assumes (cpu.assume) is never so in a whole execution, so "
        + "nothing is shown; enlarge the scenario, or assume less"
    case .vacuous:
      return "vacuous: a declared outcome (mustHappen) never happens, so the model may hold only "
        + "for that reason; enlarge the scenario, or correct mustHappen"
    case .unfinished: return "[internal] the search ended without saying how"
    case .bound(.interrupted):
      return isSaved
        ? "interrupted; the check was saved and can be resumed"
        : "interrupted; run it again, with --checkpoint FILE if that may happen again"
    case .bound(.executions) where !strategy.isComplete:
      return
        "no violation in \(statistics.executions) sampled executions; that shows nothing about "
        + "the others: try --mode stateful, another --seed, or more --executions"
    case .bound(.preemptions):
      return
        "holds up to \(limits.preemptions ?? 0) preemptions; raise --preemptions or leave it out"
    case .bound(.depth):
      return "executions longer than \(limits.depth) steps were cut; raise --depth, and look for a "
        + "loop that should be a wait"
    case .bound(let bound):
      return "stopped at the bound on \(bound.rawValue); raise --\(bound.rawValue)"
    }
  }
}

extension CheckReport {
  /// A bound on the probability that two different states were merged.
  ///
  /// Nil if states were not compared by hash, and for a violation, which is confirmed by a replay.
  public var collisionBound: CollisionBound? {
    guard strategy.mergesStates, !isExact, statistics.states > 0, verdict != .violated else {
      return nil
    }
    return CollisionBound(states: statistics.states)
  }
}
