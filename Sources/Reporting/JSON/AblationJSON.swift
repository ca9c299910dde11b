// An ablation as JSON, for other programs. The shape is versioned; keys are sorted.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkTraces

/// Whether each step of a model is needed.
public struct AblationDocument: Encodable, Sendable {
  struct Step: Encodable, Sendable {
    /// The step, as `--without` takes it.
    var step: String
    var weakening: String
    var operation: String
    var source: String
    /// `necessary`, `redundant`, `inseparable`, `undecided`, or `not asked`.
    var finding: String
    /// Invariants that fail without it, each alone.
    var violates: [String]?
    /// Declared outcomes that never happen without it.
    var neverHappens: [String]?
    /// Why it is inseparable or undecided.
    var reason: String?
    /// A counterexample of one of the invariants, in steps that `gracewalk replay` takes.
    var counterexample: Counterexample?
    /// The same for each call that leads to the step, if there are several.
    var calls: [Step]?
  }

  struct Counterexample: Encodable, Sendable {
    var invariant: String
    var message: String
    var schedule: String
    var preemptions: Int
    var steps: Int
  }

  var format = "gracewalk ablation 1"
  var model: String
  var parameters: [String: Int]
  var features: String?
  var scope: String
  var findings: [Step]

  public init(_ report: AblationReport) {
    model = report.whole.model
    parameters = Dictionary(uniqueKeysWithValues: report.whole.parameters.values.map { ($0, $1) })
    features = report.whole.hasHardware ? report.whole.features.text : nil
    scope = report.whole.scope
    findings = report.rows.map(Self.step)
  }

  private static func step(_ row: AblationReport.Row) -> Step {
    var step = Step(
      step: row.step.text, weakening: row.step.weakening.rawValue, operation: row.step.operation,
      source: row.place, finding: row.finding.word)
    if !row.calls.isEmpty { step.calls = row.calls.map(Self.step) }
    switch row.finding {
    case .necessary(let violated, let trace):
      step.violates = violated
      if let (id, violation) = trace.violation {
        step.counterexample = Counterexample(
          invariant: id, message: violation.message, schedule: trace.recording.schedule.text,
          preemptions: trace.recording.preemptions.count, steps: trace.recording.visibleSteps)
      }
    case .redundant(let missing):
      if !missing.isEmpty {
        step.neverHappens = missing.map { "\($0.operation): \($0.result)" }
      }
    case .inseparable(let why), .undecided(let why): step.reason = why
    case .notAsked: break
    }
    return step
  }
}
