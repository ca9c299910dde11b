// The report about a C program: its verdict and scope, and the execution that shows a finding.

import GracewalkChecking
import GracewalkCompiled
import GracewalkExploration
import GracewalkMachine
import GracewalkReporting
import GracewalkSupport
import GracewalkTraces

struct ProgramReport {
  let source: ProgramSource
  let strategy: Strategy
  var result: ProgramResult
  let seconds: Double
  let limits: Limits
  /// The execution that shows the finding.
  var trace: ProgramTrace?
  /// The same for other views.
  var execution: Trace?

  var options: ProgramOptions { source.options }
  /// The verdict: `holds`, `violated` or `incomplete`.
  var verdict: String {
    if result.finding != nil { return "violated" }
    guard result.missing.isEmpty else { return "incomplete" }
    return result.result.ending == .complete && strategy.isComplete ? "holds" : "incomplete"
  }

  var exitStatus: Int32 {
    switch verdict {
    case "holds": ExitStatus.holds
    case "violated": ExitStatus.violated
    default: ExitStatus.incomplete
    }
  }

  /// What was looked for, and under which assumptions.
  var scope: String {
    var parts = ["every interleaving of \(counted(result.threads, "thread"))"]
    parts[0] += ", \(options.memoryModel.text)"
    if options.unroll > 0 { parts.append("threads end at turn \(options.unroll) of a loop") }
    parts.append(options.findsRaces ? "data races of C11 looked for" : "data races not looked for")
    return parts.joined(separator: "; ")
  }

  /// How the executions ended.
  var counts: String {
    let endings = result.endings
    var parts = ["\(counted(endings.complete, "complete execution"))"]
    if endings.assumed > 0 { parts.append("\(endings.assumed) that an assumption ends") }
    if endings.spinning > 0 {
      parts.append("\(endings.spinning) ended in a useless turn of a loop")
    }
    if endings.deadlocked > 0 { parts.append("\(endings.deadlocked) deadlocked") }
    let statistics = result.result.statistics
    parts.append(counted(statistics.transitions, "transition"))
    if strategy.mergesStates { parts.append(counted(statistics.states, "state")) }
    return parts.joined(separator: ", ")
  }

  // MARK: Text

  func lines(style: Style, width: Int) -> [String] {
    var lines = [style.bold(source.name)]
    if let step = source.link.without { lines.append("  without: \(step.text)") }
    if verdict != "violated" {
      lines.append(verdict == "holds" ? style.good("✓ holds") : style.warning("incomplete"))
      lines += "  \(scope)".wrapped(to: width)
      if let advice { lines += "  \(advice)".wrapped(to: width) }
    }
    if let execution {
      lines.append("")
      lines += ProgramExecution.lines(execution, style: style, width: width)
    }
    lines += style.dim("\(strategy.rawValue): \(counts)").wrapped(to: width)
    return lines
  }

  var advice: String? {
    switch result.result.ending {
    case .bounded(.depth):
      "executions longer than \(limits.depth) steps were cut: raise --depth, or bound loops with "
        + "--unroll"
    case .bounded(.interrupted): "interrupted"
    case .bounded(let bound): "stopped at the bound on \(bound.rawValue); raise --\(bound.rawValue)"
    case .complete where !strategy.isComplete: "executions were sampled"
    case .complete where !result.missing.isEmpty:
      "nothing is wrong, but this never happens: \(result.missing.joined(separator: ", "))"
    default: nil
    }
  }

  /// The same for formats that models have, too.
  var checkReport: CheckReport {
    let verdict: Verdict =
      switch result.result.ending {
      case _ where result.finding != nil: .violated
      case .complete where !result.missing.isEmpty:
        .incomplete(
          .vacuous(result.missing.map { ExpectedOutcome("the program", $0) }))
      case .complete where strategy.isComplete: .holds
      case .bounded(let bound): .incomplete(.bound(bound))
      default: .incomplete(.bound(.executions))
      }
    return CheckReport(
      ofProgram: source.name, summary: source.model?.summary ?? source.name,
      invariants: Finding.Kind.lookedFor(options).map(\.rawValue), strategy: strategy,
      search: strategy.rawValue, limits: limits, scope: scope, verdict: verdict,
      statistics: result.result.statistics, counterexample: execution)
  }
}
