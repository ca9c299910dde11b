// An execution of a C program: as a trace that views show, and in words.

import GracewalkChecking
import GracewalkCompiled
import GracewalkExploration
import GracewalkLLVM
import GracewalkMachine
import GracewalkReporting
import GracewalkSupport
import GracewalkTraces

enum ProgramExecution {
  /// The trace of a recorded execution.
  static func trace(
    _ trace: ProgramTrace, of source: ProgramSource, foundBy: String, isMinimal: Bool
  ) -> Trace {
    let steps = trace.steps.map { step in
      var recorded = RecordedStep(
        cpu: step.thread, operation: 0, scopes: Array(step.functions.dropFirst()),
        action: step.action, outcome: step.outcome,
        site: SourceSite(file: step.place?.file ?? "", line: step.place?.line ?? 0),
        observed: step.observed)
      recorded.visibility = step.visibility
      return recorded
    }
    let recording = Recording(
      trace.schedule, cpus: trace.threads, operations: operations(trace), steps: steps,
      preemptions: trace.preemptions.filter { $0 > 0 && $0 < steps.count }, end: end(trace),
      requirements: trace.finding.map { [$0.requirement] } ?? [])
    var result = Trace(
      model: source.name, parameters: [], features: Features(),
      memoryModel: source.options.memoryModel.name,
      invariants: trace.finding.map { [$0.name] } ?? [], foundBy: foundBy,
      isMinimal: isMinimal, recording: recording)
    let words = source.words
    var lines: [String: [String]] = [:]
    for step in steps where lines[step.site.file] == nil && !step.site.file.isEmpty {
      lines[step.site.file] = source.lines(of: step.site.file)
    }
    result.program = ProgramText(arguments: words.arguments, flags: words.flags, lines: lines)
    return result
  }

  private static func end(_ trace: ProgramTrace) -> Recording.End {
    guard let finding = trace.finding else { return trace.isOver ? .complete : .unfinished }
    var details: [String] = []
    if let place = trace.findingPlace {
      details.append(
        "at \(place.file):\(place.line), in \(place.function), by "
          + trace.threads[trace.findingThread])
    }
    return .violated(
      invariant: finding.name, report: Violation(finding.message, details: details))
  }

  /// The function that each thread runs.
  private static func operations(_ trace: ProgramTrace) -> [String] {
    trace.threads.indices.map { thread in
      trace.steps.first { $0.thread == thread && !$0.functions.isEmpty }?.functions[0]
        ?? trace.threads[thread]
    }
  }

  /// The table of steps, and what is wrong in the end.
  static func lines(
    _ execution: Trace, style: Style, width: Int
  ) -> [String] {
    let table = TraceTable(
      execution.recording, width: width, style: style, showsSources: true)
    return table.lines + [""] + conclusion(execution, style, width)
  }

  private static func conclusion(_ trace: Trace, _ style: Style, _ width: Int) -> [String] {
    switch trace.recording.end {
    case .complete: return ["Nothing is wrong in this execution."]
    case .unfinished:
      return ["The schedule ends here; threads could go on. Nothing is wrong so far."]
    case .violated(let id, let report):
      var lines = [style.bad("✗ \(id)")]
      lines += "  \(report.message)".wrapped(to: width)
      lines += report.details.flatMap { "  \($0)".wrapped(to: width) }
      lines.append(
        "  \(counted(trace.recording.preemptions.count, "preemption")), "
          + counted(trace.recording.visibleSteps, "step")
          + (trace.isMinimal ? "; no simpler execution shows it" : ""))
      return lines
    }
  }
}
