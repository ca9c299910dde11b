// What a check found, and what exactly it covered.

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
  /// Every execution was explored and nothing is violated, but these outcomes, which the model is
  /// made to show, no execution has: nothing may be wrong because nothing happens.
  case vacuous([ExpectedOutcome])
  /// Nobody has said how the search ended: what every report begins as.
  case unfinished
}

/// A verdict with its scope, its counts and, if there is one, its counterexample.
public struct CheckReport: Sendable {
  /// What was checked.
  public let checked: CheckedScenario
  /// Which CPUs do what.
  public let scenario: String
  /// The step the model leaves out, for a broken sibling.
  public let omission: String?
  public let origin: Origin?
  /// What the check leaves open because its memory model cannot tell.
  public let openQuestion: String?
  /// Ids of the invariants the model is in the catalogue for violating.
  public let declaredViolations: [String]
  /// Whether an MMU takes part, so that its features matter.
  public let hasHardware: Bool
  public let strategy: Strategy
  /// Threads that searched; with more than one, counts differ from run to run.
  public let jobs: Int
  /// The search in words, its seed included.
  public let search: String
  /// Why another search ran than was asked for, or what of the options changes nothing.
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
  /// How operations ended and which entries changed, in what was explored: in all executions if
  /// it `coversAll`, and otherwise so far.
  public internal(set) var coverage = Coverage(of: [])
  /// What applies to the code that ran, and was neither required nor exempt.
  ///
  /// Nothing is known of it, whatever the verdict.
  ///
  /// Empty for a violation, and where the options say what alone to require.
  public internal(set) var notJudged: [UnjudgedInvariant] = []
  /// Whether the options say which invariants alone to require.
  public let isRestricted: Bool
  /// Executions that were sampled on the side of the search until one of them violated an
  /// invariant; nil if it was not found in that way.
  public internal(set) var sampledExecutions: Int?
  /// What would make the check shorter; empty unless it was long, or a bound kept it from that.
  public internal(set) var speedHints: [String] = []
  /// Whether the check was saved, so that a later one can go on with it.
  public internal(set) var isSaved = false
  /// The steps by which the code orders CPUs, where they were asked for.
  public var synchronisingSteps: [WeakenedStep] { callPaths.steps }
  /// The calls that led to them.
  package internal(set) var callPaths = CallPaths(of: [])
  /// How much is estimated to be explored, from 0 to 1, where a bound was met before the end.
  public internal(set) var explored: Double?

  /// Says one thing more beside the verdict.
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
    if case .violates(let ids) = model.expectation {
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
  /// What a load could read, and when others saw a store.
  public var memoryModel: MemoryModel { MemoryModel(name: checked.memoryModel) ?? .standard }
  /// Ids of the invariants that were required.
  public var invariants: [String] { checked.invariants }

  /// The id of the violated invariant.
  public var violatedInvariant: String? {
    guard case .violated(let invariant, _) = counterexample?.recording.end else { return nil }
    return invariant
  }

  /// True if every execution was explored and nothing is violated: it holds, or would if what must
  /// happen did.
  public var coversAll: Bool { verdict == .holds || isVacuous }

  /// True if nothing is violated, and not all of what the model is about has happened.
  public var isVacuous: Bool { !vacuous.isEmpty }

  /// Outcomes that the model is made to show, and which no execution has; empty unless that is why
  /// the verdict is incomplete.
  public var vacuous: [ExpectedOutcome] {
    if case .incomplete(.vacuous(let missing)) = verdict { missing } else { [] }
  }

  /// What never happens, in words; nil if that is not known of anything.
  public var vacuousText: String? {
    let missing = vacuous.map { "\($0.operation) never returns \($0.result)" }
    return missing.isEmpty ? nil : missing.joined(separator: ", and ")
  }

  /// What to raise or change to get a complete answer; nil if there is one.
  public var advice: String? {
    guard case .incomplete(let reason) = verdict else { return nil }
    switch reason {
    case .spin(let text): return text
    case .vacuous:
      return "vacuous: what the model says must happen (mustHappen) does not, so it may be right "
        + "only because of that; enlarge the scenario, or correct what must happen"
    case .unfinished: return "[internal] the search ended without saying how"
    case .bound(.interrupted):
      return isSaved
        ? "interrupted; what was found is saved, and the check can go on from there"
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
  /// How likely it is that two different states were merged, if states were compared by their
  /// hashes; nil if none were, and for a violation, which was run again.
  public var collisionBound: CollisionBound? {
    guard strategy.mergesStates, !isExact, statistics.states > 0, verdict != .violated else {
      return nil
    }
    return CollisionBound(states: statistics.states)
  }
}
