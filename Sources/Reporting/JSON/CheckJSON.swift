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
    /// States before merging those that differ by an exchange of identical CPUs.
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
    /// The statement of the invariant, and its rationale.
    var statement: String?
    var rationale: String?
    var details: [String]
    var schedule: String
    /// The index of the first step that repeats forever, from 0.
    var loop: Int?
    var preemptions: Int
    var minimal: Bool
    var steps: [StepDocument]
  }

  var format = "gracewalk check 1"
  var model: String
  var scenario: String
  var leavesOut: String?
  /// The question that the memory model cannot answer.
  var notAnswered: String?
  var parameters: [String: Int]
  /// The features of the modelled MMU, if there is one.
  var features: String?
  var invariants: [String]
  /// Whether options restrict the required invariants.
  var restricted: Bool?
  /// Invariants that apply but were not required.
  var notJudged: [Unjudged]?
  var search: String
  /// Threads that searched.
  var jobs: Int
  var note: String?
  var scope: String
  var verdict: String
  /// Declared outcomes that never happen.
  var vacuous: [Missing]?
  var reason: String?
  /// Ways to make a long check shorter.
  var hints: [String]?
  /// Random executions sampled until one violated an invariant.
  var sampled: Int?
  var counts: Counts
  var coverage: CoverageEntry
  /// The estimated part explored by an incomplete check, from 0 to 1.
  public private(set) var explored: Double?
  /// An upper bound on the probability that two different states were merged.
  var collisionChance: Double?
  /// Different states that had the same hash, if states were compared in full.
  var collisions: Int?
  var counterexample: Counterexample?
  /// The only value that differs between two runs.
  public var seconds: Double?

  public init(_ report: CheckReport, seconds: Double? = nil) {
    model = report.model
    scenario = report.scenario
    leavesOut = report.omission
    notAnswered =
      report.memoryModel.whyOrderingsAreNotAsked == nil ? nil : report.openQuestion
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

/// Encodes for people and programs: sorted keys, indented, slashes unescaped.
public func json(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}
