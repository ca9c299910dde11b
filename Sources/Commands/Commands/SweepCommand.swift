// gracewalk sweep: every combination of a model's operations up to a size.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkReporting
import GracewalkSupport

enum SweepCommand {
  static let command = Command(
    name: "sweep", operands: "SYSTEM | FILE.c… [-- FLAGS]",
    summary: "check every combination of a system's operations up to a size",
    details: [
      "SYSTEM is a model with operations to choose from: gracewalk list systems. Combinations are",
      "taken up to an exchange of CPUs and of addresses that are alike, those with the fewest",
      "operations first, so the first failure is a smallest one. Each has a name that check and",
      "replay take. FILE.c is a C program, of which each combination of --define is checked,",
      "those with the earliest values first. Exit status: 0 all hold, 1 one is violated, 2 wrong",
      "usage, 3 incomplete.",
    ],
    options: [
      Option(name: "cpus", value: "N", help: "up to N CPUs (2)"),
      Option(name: "operations", value: "M", help: "up to M operations on each CPU (1)"),
      Option(
        name: "all", value: nil,
        help: "do not stop; list each failing combination that contains no other"),
      Option(name: "jobs", value: "N", help: "explore N combinations at a time (1)"),
      Option(name: "states", value: "N", help: "stop after N states of a combination"),
      Option(name: "seconds", value: "S", help: "stop after S seconds in all"),
      ProgramSweep.option, ProgressLine.option,
      OutputFormat.option(OutputFormat.words),
    ] + ProgramSource.options + WorkOptions.all,
    run: run)

  private static func run(_ arguments: Arguments) throws -> Int32 {
    if ProgramSource.isAsked(arguments) {
      Terminal.catchInterrupts()
      return try ProgramSweep(arguments).run()
    }
    for option in [ProgramSweep.option] + ProgramSource.options where arguments.has(option.name) {
      throw UsageError("--\(option.name) is about C programs: sweep FILE.c --\(option.name) …")
    }
    guard let name = arguments.operands.first, arguments.operands.count == 1 else {
      throw UsageError("sweep takes one system; \(RunningProgram.name) list systems names them")
    }
    Terminal.catchInterrupts()
    let isJSON = try OutputFormat.chosen(arguments, of: OutputFormat.words) == .json
    var options = SweepOptions()
    options.cpus = try arguments.count("cpus", upTo: 1_000) ?? options.cpus
    options.operations = try arguments.count("operations", upTo: 1_000) ?? options.operations
    options.findsAll = arguments.has("all")
    options.jobs = try arguments.count("jobs", upTo: ParallelSearch.jobsMax) ?? 1
    options.limits.states = try arguments.count("states")
    options.limits.seconds = try arguments.seconds("seconds")
    options.isInterrupted = { Terminal.isInterrupted }
    options.watch = { done, statistics in
      _ = Terminal.shouldContinue(
        "\(name): \(counted(done, "combination")), \(counted(statistics.states, "state"))")
    }
    if arguments.has("cluster"), arguments.has("jobs") {
      throw UsageError("--jobs and --cluster contradict each other: --array-limit bounds its jobs")
    }
    let (report, seconds) = try timedSweep(
      try SharedOptions.model(name, of: arguments), options,
      try arguments.executor(jobs: options.jobs))
    if isJSON {
      print(try json(SweepDocument(report, seconds: seconds)))
    } else {
      show(report, seconds)
    }
    switch report.verdict {
    case .holds: return ExitStatus.holds
    case .violated: return ExitStatus.violated
    case .incomplete: return ExitStatus.incomplete
    }
  }

  private static func timedSweep(
    _ model: Model, _ options: SweepOptions, _ executor: any Executor
  ) throws(UsageError) -> (SweepReport, Double) {
    defer { Terminal.clearProgress() }
    let clock = ContinuousClock()
    let start = clock.now
    do throws(SweepError) {
      let report = try model.sweep(options, by: executor)
      return (report, (clock.now - start).inSeconds)
    } catch {
      throw usageError(error, model, options)
    }
  }

  private static func usageError(
    _ error: SweepError, _ model: Model, _ options: SweepOptions
  ) -> UsageError {
    switch error {
    case .noVocabulary:
      return UsageError(
        "\(model.name) has no vocabulary of operations to combine; "
          + "\(RunningProgram.name) list systems names those that do"
      )
    case .tooMany(let count, let vocabularySize):
      let number = count.map { "\(grouped($0))" } ?? "more than \(grouped(.max))"
      return UsageError(
        "--cpus \(options.cpus) --operations \(options.operations) makes \(number) combinations "
          + "of \(counted(vocabularySize, "operation")); at most \(grouped(SweepReport.most)) are "
          + "swept: lower one of them")
    case .tooLarge:
      return UsageError(
        "--cpus must be from 1 to \(Model.sweptCPUsMax), --operations from 1 to "
          + "\(Model.sweptOperationsMax)")
    case .badModel(let combination, let error):
      return SharedOptions.usageError(error, model: combination)
    }
  }

  private static func show(_ report: SweepReport, _ seconds: Double) {
    let text = SweepText(report, width: Terminal.width, style: Terminal.style)
    text.header.forEach { print($0) }
    print("  \(String(format: "%.3f", seconds)) s")
    guard let first = report.failures.first else { return }
    if !report.findsAll {
      print("  \(RunningProgram.invocation) check \(first.report.model.quotedForShell)")
    }
    print("")
    text.body.forEach { print($0) }
  }
}
