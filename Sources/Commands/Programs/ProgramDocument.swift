// The report about a C program as JSON.

import GracewalkChecking
import GracewalkCompiled
import GracewalkExploration
import GracewalkLLVM
import GracewalkReporting

/// The report as JSON.
struct ProgramDocument: Codable, Sendable {
  struct FindingDocument: Codable {
    var kind: String
    var message: String
    var file: String?
    var line: Int?
    var function: String?
    var thread: String?
  }

  struct StepDocument: Codable {
    var thread: Int
    var action: String
    var outcome: String
    var file: String?
    var line: Int?
    var functions: [String]
  }

  var format = "gracewalk program 1"
  /// The program of the catalogue, if it is one.
  var program: String?
  var files: [String]
  var flags: [String]?
  /// The step that was left out.
  var without: String?
  var verdict: String
  var scope: String
  var search: String
  var completeExecutions: Int
  var assumedExecutions: Int
  var spinningExecutions: Int
  var deadlockedExecutions: Int
  var transitions: Int
  var states: Int
  var seconds: Double
  var finding: FindingDocument?
  /// The simplest execution that shows it, as `replay` takes it.
  var schedule: String?
  var replay: String?
  var steps: [StepDocument]?

  init(_ report: ProgramReport) {
    let source = report.source
    program = source.model?.name
    files = source.model.map { [$0.file] } ?? source.files
    flags = source.flags.isEmpty ? nil : source.flags
    without = source.link.without?.text
    verdict = report.verdict
    scope = report.scope
    search = report.strategy.rawValue
    let result = report.result
    completeExecutions = result.endings.complete
    assumedExecutions = result.endings.assumed
    spinningExecutions = result.endings.spinning
    deadlockedExecutions = result.endings.deadlocked
    transitions = result.result.statistics.transitions
    states = result.result.statistics.states
    seconds = report.seconds
    guard let found = result.finding else { return }
    let place = report.trace?.findingPlace
    finding = FindingDocument(
      kind: found.name, message: found.message, file: place?.file, line: place?.line,
      function: place?.function,
      thread: report.trace.map { $0.threads[$0.findingThread] })
    schedule = report.trace?.schedule.text
    replay = report.execution.map {
      TraceText($0).replayCommand(namesInvariants: false)
    }
    steps = report.trace?.steps.map { step in
      StepDocument(
        thread: step.thread, action: step.action, outcome: step.outcome, file: step.place?.file,
        line: step.place?.line, functions: step.functions)
    }
  }
}
