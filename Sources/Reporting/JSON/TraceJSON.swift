// An execution as JSON: its steps, and the result of its replay.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkTraces

/// One step, in the same form wherever steps are listed.
struct StepDocument: Encodable, Sendable {
  var cpu: String
  var operation: String
  var scopes: [String]
  var action: String
  var outcome: String
  var local: Bool
  var preempts: Bool
  var source: String?
  var tables: [String]?
  /// What it has to do with a store that others see later than its CPU.
  var visibility: StoreVisibility?

  static func all(of recording: Recording) -> [StepDocument] {
    recording.steps.enumerated().map { position, step in
      StepDocument(
        cpu: recording.cpus[step.cpu], operation: recording.operations[step.cpu][step.operation],
        scopes: step.scopes, action: step.action, outcome: step.outcome, local: step.isLocal,
        preempts: recording.preemptions.contains(position),
        source: step.site.line > 0 ? step.site.text : nil,
        tables: step.tables, visibility: step.visibility)
    }
  }
}

/// A replay: the execution, and its end.
public struct ReplayDocument: Encodable, Sendable {
  var format = "gracewalk replay 1"
  var model: String
  var parameters: [String: Int]
  var features: String
  /// The step that was left out, as `--without` takes it.
  var without: String?
  var memory: String
  var invariants: [String]
  var foundBy: String
  var schedule: String
  /// The index of the first step that repeats forever, from 0.
  var loop: Int?
  var preemptions: Int
  var minimal: Bool
  /// Its end: `violated`, `complete` if no step is left to take, `repeats`, or `unfinished`.
  var end: String
  var invariant: String?
  var message: String?
  var details: [String]?
  /// The statement of the invariant, and its rationale.
  var statement: String?
  var rationale: String?
  var steps: [StepDocument]

  public init(_ trace: Trace) {
    let recording = trace.recording
    model = trace.model
    parameters = Dictionary(trace.parameters.map { ($0.name, $0.value) }) { first, _ in first }
    features = trace.features.text
    without = trace.without?.text
    memory = trace.memoryModel
    invariants = trace.invariants
    foundBy = trace.foundBy
    schedule = recording.schedule.text
    loop = recording.loop
    preemptions = recording.preemptions.count
    minimal = trace.isMinimal
    switch recording.end {
    case .violated(let id, let violation):
      end = "violated"
      invariant = id
      message = violation.message
      details = violation.details
      statement = recording.requirement(id)?.statement
      rationale = recording.requirement(id)?.rationale
    case .complete: end = "complete"
    case .unfinished: end = recording.loop == nil ? "unfinished" : "repeats"
    }
    steps = StepDocument.all(of: recording)
  }
}

/// The whole catalogue: each check that a declared verdict implies.
public struct CatalogueDocument: Encodable, Sendable {
  struct Entry: Encodable, Sendable {
    var expected: String
    var asDeclared: Bool
    var check: CheckDocument
  }

  var format = "gracewalk catalogue 1"
  var asDeclared: Int
  var checks: [Entry]

  public init(_ checks: [JudgedCheck]) {
    asDeclared = checks.count(where: \.isAsDeclared)
    self.checks = checks.map {
      Entry(
        expected: $0.declared.verdict, asDeclared: $0.isAsDeclared,
        check: CheckDocument($0.report, seconds: $0.seconds))
    }
  }
}
