// Reports as JSON, for other programs. The shape is versioned; keys are sorted.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkTraces

/// One check's report.
public struct CheckDocument: Encodable, Sendable {
  struct Counts: Encodable, Sendable {
    var executions: Int
    var blocked: Int
    var truncated: Int
    var states: Int
    /// What the states stand for if identical CPUs were exchanged.
    var statesCovered: Int?
    var transitions: Int
    var depthMax: Int
  }

  struct Unjudged: Encodable, Sendable {
    var invariant: String
    var appliesTo: String
  }

  struct Missing: Encodable, Sendable {
    var operation: String
    var outcome: String
  }

  struct Counterexample: Encodable, Sendable {
    var invariant: String
    var message: String
    /// What the invariant says, and why.
    var statement: String?
    var rationale: String?
    var details: [String]
    var schedule: String
    /// The first of the steps that repeat for ever, counted from 0.
    var loop: Int?
    var preemptions: Int
    var minimal: Bool
    var steps: [StepDocument]
  }

  var format = "gracewalk check 1"
  var model: String
  var scenario: String
  var leavesOut: String?
  /// What the memory model cannot tell.
  var notAnswered: String?
  var parameters: [String: Int]
  /// What the modelled MMU can do, where there is one.
  var features: String?
  var invariants: [String]
  /// Whether the options say which invariants alone to require.
  var restricted: Bool?
  /// What applies and was not required.
  var notJudged: [Unjudged]?
  var search: String
  /// Threads that searched.
  var jobs: Int
  var note: String?
  var scope: String
  var verdict: String
  /// What must happen in some execution, and does in none.
  var vacuous: [Missing]?
  var reason: String?
  /// What would make a long check shorter.
  var hints: [String]?
  /// Executions sampled on the side of the search, where one of them violates an invariant.
  var sampled: Int?
  var counts: Counts
  var coverage: CoverageEntry
  /// An estimate, from 0 to 1, of an incomplete check.
  public private(set) var explored: Double?
  /// The chance that two different states were merged is below this.
  var collisionChance: Double?
  /// States that had the hash of another and were told apart, if states were compared in full.
  var collisions: Int?
  var counterexample: Counterexample?
  /// The only value that differs between two runs.
  public var seconds: Double?

  public init(_ report: CheckReport, seconds: Double? = nil) {
    model = report.model
    scenario = report.scenario
    leavesOut = report.omission
    notAnswered = report.openQuestion
    parameters = Dictionary(uniqueKeysWithValues: report.parameters.values.map { ($0, $1) })
    features = report.hasHardware ? report.features.text : nil
    invariants = report.invariants
    search = report.strategy.rawValue
    jobs = report.jobs
    note = report.note
    scope = report.scope
    restricted = report.isRestricted ? true : nil
    let unjudged = report.notJudged.map {
      Unjudged(invariant: $0.invariant, appliesTo: $0.appliesTo)
    }
    notJudged = unjudged.isEmpty ? nil : unjudged
    reason = report.advice
    hints = report.speedHints.isEmpty ? nil : report.speedHints
    sampled = report.sampledExecutions
    switch report.verdict {
    case .holds: verdict = "holds"
    case .violated: verdict = "violated"
    case .incomplete: verdict = "incomplete"
    }
    let statistics = report.statistics
    counts = Counts(
      executions: statistics.executions, blocked: statistics.blocked,
      truncated: statistics.truncated, states: statistics.states,
      statesCovered: statistics.statesCovered > 0 ? statistics.statesCovered : nil,
      transitions: statistics.transitions, depthMax: statistics.depthMax)
    coverage = CoverageEntry(report)
    let missing = report.vacuous.map { Missing(operation: $0.operation, outcome: $0.result) }
    vacuous = missing.isEmpty ? nil : missing
    explored = report.explored.map { ($0 * 10_000).rounded() / 10_000 }
    collisionChance = report.collisionBound?.value
    collisions = report.isExact ? statistics.collisions : nil
    counterexample = report.counterexample.flatMap(Self.counterexample)
    self.seconds = seconds
  }

  private static func counterexample(_ trace: Trace) -> Counterexample? {
    let recording = trace.recording
    guard case .violated(let invariant, let violation) = recording.end else { return nil }
    return Counterexample(
      invariant: invariant, message: violation.message,
      statement: recording.requirement(invariant)?.statement,
      rationale: recording.requirement(invariant)?.rationale, details: violation.details,
      schedule: recording.schedule.text, loop: recording.loop,
      preemptions: recording.preemptions.count,
      minimal: trace.isMinimal, steps: StepDocument.all(of: recording))
  }
}

/// Encodes for people and programs: sorted keys, indented, slashes as they are.
public func json(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}
