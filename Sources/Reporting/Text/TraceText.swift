// A trace for the terminal: its origin, its table and its conclusion.

import GracewalkChecking
import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkSupport
import GracewalkTraces

/// A trace in words: header, table, conclusion.
public struct TraceText {
  private let trace: Trace
  private let style: Style
  private let width: Int
  private let showsSources: Bool

  /// - Parameter showsSources: whether to show the source line of each step.
  public init(
    _ trace: Trace, width: Int = 120, style: Style = .plain, showsSources: Bool = false
  ) {
    self.showsSources = showsSources
    self.trace = trace
    self.width = width
    self.style = style
  }

  /// The table and the conclusion: the same for a check and for a replay of its counterexample.
  public var body: [String] {
    let table = TraceTable(
      trace.recording, width: width, style: style, showsSources: showsSources)
    return table.lines + [""] + conclusion
  }

  /// The violation, or a statement that nothing is wrong.
  var conclusion: [String] {
    switch trace.recording.end {
    case .complete: return ["Nothing is wrong in this execution."]
    case .unfinished where trace.recording.loop != nil:
      return ["The steps from ↺ on repeat forever; no invariant that is required forbids it."]
    case .unfinished:
      return ["The schedule ends here; CPUs could continue. Nothing is wrong so far."]
    case .violated(let id, let report):
      var lines = [style.bad("✗ \(id)")]
      lines += "  \(report.message)".wrapped(to: width)
      lines += report.details.flatMap { "  \($0)".wrapped(to: width) }
      if let statement = trace.recording.requirement(id)?.statement {
        lines += "  must hold: \(statement)".wrapped(to: width)
      }
      let steps = trace.recording.visibleSteps
      lines.append(
        "  \(counted(trace.recording.preemptions.count, "preemption")), "
          + "\(counted(steps, "step"))\(simplest)")
      return lines
    }
  }

  /// Whether a simpler execution exists, and for a livelock the number of steps that repeat.
  private var simplest: String {
    guard trace.recording.loop != nil else {
      return trace.isMinimal ? "; no simpler execution shows it" : ""
    }
    let round = counted(trace.recording.stepsOfLoop, "step")
    let rest = ", of which \(round) repeat forever"
    return trace.isMinimal
      ? rest + "; no livelock begins earlier, or as early and has fewer steps" : rest
  }

  /// Parentheses and the empty string need quotes in a shell.
  private var quote: String {
    trace.recording.loop == nil && !trace.recording.schedule.steps.isEmpty ? "" : "'"
  }

  /// The command that replays the trace.
  ///
  /// - Parameters:
  ///   - namesInvariants: whether the invariants differ from those the model requires by itself,
  ///     and so must be named.
  ///   - namesFeatures: the same for the features of the MMU.
  ///   - namesMemoryModel: whether sequential consistency, too, has to be named; others always are.
  public func replayCommand(
    namesInvariants: Bool, namesFeatures: Bool = false, namesMemoryModel: Bool = false
  ) -> String {
    if let program = trace.program {
      let words = { (list: [String]) in list.map { " \($0.quotedForShell)" }.joined() }
      return "\(RunningProgram.invocation) replay\(words(program.arguments))"
        + " --schedule \(quote)\(trace.recording.schedule.text)\(quote)"
        + (program.flags.isEmpty ? "" : " --\(words(program.flags))")
    }
    let settings = trace.parameters.map { " --set \($0.name)=\($0.value)" }.joined()
    let named = trace.invariants.filter { !InvariantCatalogue.keptAlways.contains($0) }
    let invariants =
      (named.isEmpty ? trace.invariants : named).map { " --invariant \($0)" }.joined()
    let features = namesFeatures ? " \(trace.features.options)" : ""
    let memoryModel = MemoryModel(name: trace.memoryModel) ?? .standard
    let memory =
      namesMemoryModel || memoryModel != .standard ? " --memory \(memoryModel.rawValue)" : ""
    let without = trace.without.map { " --without \($0.text.quotedForShell)" } ?? ""
    return "\(RunningProgram.invocation) replay \(trace.model.quotedForShell)\(settings)"
      + (namesInvariants ? invariants : "") + features + memory + without
      + " --schedule \(quote)\(trace.recording.schedule.text)\(quote)"
  }
}
