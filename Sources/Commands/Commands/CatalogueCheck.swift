// The whole catalogue: each model at each of its sizes, each broken one for each of its violations.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkReporting
import GracewalkTraces

/// Checks every model against its declared verdict.
struct CatalogueCheck {
  var source: ModelSource
  var options: CheckOptions
  var format: OutputFormat
  var executor: any Executor
  /// Threads of a search of a C program.
  var jobs: Int

  /// Returns the exit status.
  func run() throws -> Int32 {
    try format.require(
      OutputFormat.allCases.filter { !$0.isDrawing }, for: "a check of the whole catalogue")
    let declared = declared
    let asked = declared.filter(canCheck)
    var (checks, isWhole) = try checks(asked)
    let programs = LibraryCheck(library: source.programs, options: options, jobs: jobs)
    // There are few, so this process checks them, wherever models are checked.
    if isWhole {
      isWhole = try programs.run { check in
        checks.append(check)
        if format == .text { show(check, check.seconds ?? 0) }
      }
    }
    let status = exitStatus(of: checks, isWhole: isWhole)
    switch format {
    case .text: summarise(checks, skipped: declared.count - asked.count + programs.skipped)
    case .json: print(try json(CatalogueDocument(checks)))
    case .junit: print(JUnitText(checks).text, terminator: "")
    case .sarif: print(try json(OutputFormat.sarifReport(source).log(checks, exitStatus: status)))
    case .mermaid, .graphviz: break
    }
    return status
  }

  private typealias Asked = (model: Model, check: DeclaredCheck)

  private var declared: [Asked] {
    source.models.flatMap { model in
      let checks =
        options.memoryModel.map { model.declaredChecks(under: $0) } ?? model.declaredChecks
      return checks.map { (model, $0) }
    }
  }

  /// Whether to make a check: unless a memory model is asked for, only if the search can do it.
  private func canCheck(_ model: Model, _ check: DeclaredCheck) -> Bool {
    options.memoryModel != nil
      || options.strategy.isSound(under: check.memoryModel ?? model.largestScenario.memoryModel)
  }

  /// The checks in order, and whether they are complete: false after an interrupt.
  private func checks(
    _ asked: [Asked]
  ) throws(UsageError) -> ([JudgedCheck], isWhole: Bool) {
    let requests = asked.map { model, declared in
      var options = declared.options(options)
      // Under Armv8 it takes far longer to minimise a counterexample than to find one.
      if declared.memoryModel == .armv8 { options.minimises = false }
      return CheckRequest(model.name, options)
    }
    var watch = WorkWatch<CheckRequest>()
    watch.isInterrupted = { Terminal.isInterrupted }
    watch.begin = { Terminal.watch(asked[$0].0, requests[$0]) }
    var checks: [JudgedCheck] = []
    var failure: UsageError?
    let isWhole = executor.run(requests, watch) { done in
      Terminal.clearProgress()
      let (model, declared) = asked[done.number]
      switch done.result {
      case .success(let report):
        let check = JudgedCheck(declared, report, seconds: done.seconds)
        checks.append(check)
        if format == .text { show(check, done.seconds) }
      case .failure(let error): failure = SharedOptions.usageError(error, model: model.name)
      }
      return failure == nil
    }
    if let failure { throw failure }
    return (checks, isWhole)
  }

  private func exitStatus(of checks: [JudgedCheck], isWhole: Bool) -> Int32 {
    let others = checks.filter { !$0.isAsDeclared }
    if others.isEmpty {
      return isWhole && !Terminal.isInterrupted ? ExitStatus.holds : ExitStatus.incomplete
    }
    let isWrong = others.contains { $0.report.exitStatus != ExitStatus.incomplete }
    return isWrong ? ExitStatus.violated : ExitStatus.incomplete
  }

  private func summarise(_ checks: [JudgedCheck], skipped: Int) {
    let met = checks.count(where: \.isAsDeclared)
    let style = Terminal.style
    let summary = "\(met) of \(counted(checks.count, "verdict")) as declared"
    print("")
    print(met == checks.count ? style.good(summary) : style.bad(summary))
    if skipped > 0 {
      print(
        style.warning(
          "\(counted(skipped, "verdict")) under weaker memory not checked: --mode "
            + "\(options.strategy.rawValue) is for sequential consistency there"))
    }
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
