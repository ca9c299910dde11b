// The whole catalogue: each model at each of its sizes, each broken one in each of its ways.

import GracewalkChecking
import GracewalkExploration
import GracewalkReporting
import GracewalkTraces

/// Checks every model against its declared verdict.
struct CatalogueCheck {
  var source: ModelSource
  var options: CheckOptions
  var format: OutputFormat

  /// Returns the exit status.
  func run() throws -> Int32 {
    try format.require(
      OutputFormat.allCases.filter { !$0.isDrawing }, for: "a check of the whole catalogue")
    var checks: [JudgedCheck] = []
    for model in source.models {
      for declared in model.declaredChecks where !Terminal.isInterrupted {
        let (report, seconds) = try CheckCommand.timedCheck(model, declared.options(options))
        checks.append(JudgedCheck(declared, report, seconds: seconds))
        if format == .text { show(checks[checks.count - 1], seconds) }
      }
    }
    let status = exitStatus(of: checks)
    switch format {
    case .text: summarise(checks)
    case .json: print(try json(CatalogueDocument(checks)))
    case .junit: print(JUnitText(checks).text, terminator: "")
    case .sarif: print(try json(OutputFormat.sarifReport(source).log(checks, exitStatus: status)))
    case .mermaid, .graphviz: break
    }
    return status
  }

  private func exitStatus(of checks: [JudgedCheck]) -> Int32 {
    let others = checks.filter { !$0.isAsDeclared }
    if Terminal.isInterrupted, others.isEmpty { return ExitStatus.incomplete }
    if others.isEmpty { return ExitStatus.holds }
    let isWrong = others.contains { $0.report.exitStatus != ExitStatus.incomplete }
    return isWrong ? ExitStatus.violated : ExitStatus.incomplete
  }

  private func summarise(_ checks: [JudgedCheck]) {
    let met = checks.count(where: \.isAsDeclared)
    let style = Terminal.style
    let summary = "\(met) of \(counted(checks.count, "verdict")) as declared"
    print("")
    print(met == checks.count ? style.good(summary) : style.bad(summary))
  }

  private func show(_ row: JudgedCheck, _ seconds: Double) {
    let style = Terminal.style
    let mark = row.isAsDeclared ? style.good("✓") : style.bad("✗")
    let expected = row.declared.verdict.padded(to: 33)
    let time = "\(Int((seconds * 1000).rounded())) ms".leftPadded(to: 8)
    var line = "\(mark) \(row.name.padded(to: 42)) \(expected) \(time)  "
    if let trace = row.report.counterexample {
      line +=
        counted(trace.recording.preemptions.count, "preemption") + ", "
        + counted(trace.recording.visibleSteps, "step")
    } else {
      line += counted(row.report.statistics.executions, "execution")
    }
    if !row.report.notJudged.isEmpty {
      let ids = row.report.notJudged.map(\.invariant).joined(separator: ", ")
      line += style.warning("  not judged: \(ids)")
    }
    if !row.isAsDeclared {
      line += "  \(CheckText(row.report).verdict)"
    }
    print(line)
  }
}
