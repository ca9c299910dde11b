// gracewalk check: one model in detail, or the whole catalogue against its declared verdicts.

import Foundation
import GracewalkChecking
import GracewalkCluster
import GracewalkExploration
import GracewalkReporting
import GracewalkSupport

package enum CheckCommand {
  static let command = Command(
    name: "check", operands: "[MODEL | FILE.litmus… | FILE.c… [-- FLAGS]]",
    summary: "check a model, or the whole catalogue against its declared verdicts",
    details: [
      "Without a model, every model is checked, and a broken one must fail in each of the ways",
      "it is there for; --matrix shows which invariant fails in which model. Exit status: 0 holds",
      "(or all verdicts as declared), 1 violated (or not as declared), 2 wrong usage or input,",
      "3 incomplete, or holds although something that must happen never does.",
      "FILE.litmus is a litmus test in the kernel's C, x86 or AArch64; a folder, or several files,",
      "make a table. Exit status: 0 Ok, 1 No, 2 not read, 3 undecided; of a table, the worst, in",
      "the order 2, 3, 1, 0.",
      "FILE.c is a C program with threads, as clang compiles it with FLAGS; FILE.ll is LLVM IR.",
      "If a model and a program of the catalogue have one name, NAME.c is the program.",
      "A folder of these makes a table, with the exit status of the worst as above.",
    ],
    options: [
      SharedOptions.parameter, SharedOptions.invariant, SharedOptions.architecture,
      SharedOptions.feature, SharedOptions.memory, SharedOptions.without,
      MatrixCheck.option, SharedOptions.mode, SharedOptions.exact, SharedOptions.jobs,
      Option(name: "seed", value: "N", help: "seed of --mode random and pct (0)"),
      Option(name: "changes", value: "N", help: "priority changes per execution of --mode pct (2)"),
      Option(name: "preemptions", value: "N", help: "at most N preemptions per execution"),
      Option(
        name: "depth", value: "N", help: "at most N steps per execution (\(Limits.defaultDepth))"),
      Option(name: "executions", value: "N", help: "stop after N executions"),
      Option(name: "states", value: "N", help: "stop after N states"),
      Option(
        name: "seconds", value: "S", help: "stop after S seconds; --resume starts counting again"),
      Option(
        name: "max-memory", value: "MIB", help: "stop when stored states need more than this"),
      Option(
        name: "no-symmetry", value: nil,
        help: "do not merge states that differ only in which identical CPU is which"),
      Option(name: "no-minimise", value: nil, help: "show the counterexample as it was found"),
      Option(name: "trace", value: "FILE", help: "write the counterexample to a new file"),
      TraceOutput.html,
      CheckpointOptions.checkpoint, CheckpointOptions.interval, CheckpointOptions.resume,
      Option(
        name: "units", value: "N",
        help: "divide a long search into N units for several machines (16 with --cluster)"),
      Option(
        name: "unit-length", value: "N",
        help: "divide it again when each has taken N steps (more and more)"),
      Option(
        name: "force", value: nil, help: "let --trace, --html and --checkpoint replace a file"),
      Option(
        name: "no-samples", value: nil,
        help: "do not sample random executions during a long search"),
      ProgressLine.option, OutputFormat.option(), OutputFormat.step,
    ] + WorkOptions.withoutResume + ProgramSource.options,
    run: run)

  private static func run(_ arguments: Arguments) throws -> Int32 {
    if ProgramSource.isAsked(arguments) {
      Terminal.catchInterrupts()
      return try ProgramCheck(arguments, try options(arguments, ofProgram: true)).run()
    }
    if ProgramFolder.isAsked(arguments) {
      Terminal.catchInterrupts()
      return try ProgramFolder(arguments, try options(arguments, ofProgram: true)).run()
    }
    for option in ProgramSource.options where arguments.has(option.name) {
      throw UsageError("--\(option.name) is about C programs: check FILE.c --\(option.name)")
    }
    if LitmusCheck.isAsked(arguments) {
      Terminal.catchInterrupts()
      return try LitmusCheck(arguments, try options(arguments)).run()
    }
    guard arguments.operands.count <= 1 else {
      throw UsageError(
        "check takes one model, or none for all; see \(RunningProgram.name) check --help")
    }
    Terminal.catchInterrupts()
    var options = try options(arguments)
    // Of many checks each is a unit as a whole, and counts what it does on one machine.
    if arguments.operands.isEmpty || arguments.has("matrix"), !arguments.has("units") {
      options.units = 1
      options.search.unitLength = nil
    }
    let sideBySide = sideBySide(&options, arguments)
    let format = try OutputFormat.chosen(arguments)
    if arguments.has("matrix") {
      for option in MatrixCheck.contradictions
      where arguments.has(option) && !isOfCluster(option, arguments) {
        throw UsageError(
          "--matrix and --\(option) contradict each other: each of its checks is of one invariant "
            + "alone, at the largest size, on every architecture")
      }
      let models = try arguments.operands.map { try SharedOptions.model($0, of: arguments) }
      return try MatrixCheck(
        models: models.isEmpty ? arguments.models : models, options: options, format: format,
        executor: arguments.executor(jobs: sideBySide),
        library: models.isEmpty ? arguments.source.programs : ProgramLibrary()
      ).run()
    }
    guard let name = arguments.operands.first else {
      for option in [
        "set", "invariant", "without", "trace", "html", "preemptions", "no-minimise", "checkpoint",
        "checkpoint-every", "resume",
      ] where arguments.has(option) && !isOfCluster(option, arguments) {
        throw UsageError(
          "--\(option) needs a model: \(RunningProgram.name) check MODEL --\(option) …")
      }
      return try CatalogueCheck(
        source: arguments.source, options: options, format: format,
        executor: arguments.executor(jobs: sideBySide), jobs: sideBySide
      ).run()
    }
    return try check(try SharedOptions.model(name, of: arguments), options, arguments, format)
  }

  /// Of many checks, several are made at a time, each on one thread, so that they find the same as
  /// with one job; returns how many.
  ///
  /// Jobs of a cluster make one check each, so there the threads are left to it.
  private static func sideBySide(_ options: inout CheckOptions, _ arguments: Arguments) -> Int {
    guard arguments.operands.isEmpty, arguments.session?.place != .cluster else { return 1 }
    defer { options.jobs = 1 }
    return options.jobs
  }

  /// Whether an option names the folder of a cluster instead of a saved check.
  private static func isOfCluster(_ option: String, _ arguments: Arguments) -> Bool {
    option == "resume" && arguments.has("cluster")
  }

  private static func options(
    _ arguments: Arguments, ofProgram: Bool = false
  ) throws(UsageError) -> CheckOptions {
    var options = CheckOptions()
    options.parameters = try SharedOptions.parameters(arguments)
    options.invariants = SharedOptions.invariants(arguments)
    options.features = try SharedOptions.features(arguments)
    options.memoryModel = try SharedOptions.memory(arguments)
    // Steps of programs have other names.
    if !ofProgram { options.without = try SharedOptions.without(arguments) }
    options.minimises = !arguments.has("no-minimise")
    options.usesSamples = !arguments.has("no-samples")
    options.usesSymmetry = !arguments.has("no-symmetry")
    options.limits.preemptions = try arguments.countFromZero("preemptions")
    options.limits.depth = try arguments.count("depth", upTo: 1_000_000) ?? Limits.defaultDepth
    options.limits.executions = try arguments.count("executions")
    options.limits.states = try arguments.count("states")
    options.limits.seconds = try arguments.seconds("seconds")
    options.limits.memoryBytes = try arguments.count("max-memory", upTo: 1 << 30).map { $0 << 20 }
    if let strategy = try SharedOptions.strategy(arguments) {
      options.strategy = strategy
      if strategy != .exhaustive, arguments.has("preemptions") {
        throw UsageError(
          "--mode \(strategy.rawValue) and --preemptions contradict each other: the reduction is "
            + "not complete under that bound; leave one of them out")
      }
      if strategy != .stateful, strategy != .exhaustive, arguments.has("states") {
        throw UsageError(
          "--mode \(strategy.rawValue) and --states contradict each other: it keeps no states")
      }
    }
    options.jobs = try SharedOptions.jobs(arguments, options.strategy)
    options.units =
      try arguments.count("units", upTo: SearchChoice.unitsMax) ?? arguments.session?.units ?? 1
    options.search.unitLength =
      try arguments.count("unit-length", upTo: SearchChoice.unitLengthMax)
      ?? arguments.session?.unitLength
    for option in ["units", "unit-length"]
    where arguments.has(option) && (options.strategy != .stateful || arguments.has("exact")) {
      throw UsageError("--\(option) is about --mode stateful without --exact, which it divides")
    }
    if arguments.has("unit-length"), options.units == 1 {
      throw UsageError("--unit-length is about --units, which is not given")
    }
    for option in ["seed", "changes"] where options.strategy.isComplete && arguments.has(option) {
      throw UsageError("--\(option) is about --mode random or pct; add one of them")
    }
    if options.strategy != .stateful, arguments.has("no-symmetry") {
      throw UsageError("--no-symmetry is about --mode stateful, the only one to use symmetry")
    }
    options.seed = UInt64(try arguments.countFromZero("seed") ?? 0)
    options.isExact = try SharedOptions.isExact(arguments, options.strategy)
    options.priorityChanges = try arguments.countFromZero("changes") ?? 2
    if arguments.has("force"), !["trace", "html", "checkpoint"].contains(where: arguments.has) {
      throw UsageError("--force is about --trace, --html or --checkpoint; none is given")
    }
    return options
  }

  private static func check(
    _ model: Model, _ options: CheckOptions, _ arguments: Arguments, _ format: OutputFormat
  ) throws -> Int32 {
    let outputs = try TraceOutput.all(arguments)
    var options = options
    options.recordsPictures = TraceOutput.needsPictures(outputs) || format == .graphviz
    if arguments.session?.place != .cluster || arguments.has("checkpoint") {
      try CheckpointOptions.read(arguments, into: &options)
    }
    let (report, seconds) = try timedCheck(model, options, arguments)
    let text = try format.text(
      of: report, seconds: seconds, replayCommand: replayCommand(report, options),
      step: arguments.value("at"), from: arguments.source)
    if let text {
      print(text, terminator: "")
    } else {
      show(report, seconds, outputs, options)
      CheckpointOptions.tell(report, options.checkpoints, arguments)
    }
    if let trace = report.counterexample { try outputs.forEach { try $0.write(trace, of: model) } }
    return report.exitStatus
  }

  /// The same with the folder, shard or cluster that the arguments name.
  private static func timedCheck(
    _ model: Model, _ given: CheckOptions, _ arguments: Arguments
  ) throws -> (CheckReport, Double) {
    guard let session = arguments.session else { return try timedCheck(model, given) }
    if given.checkpoints != nil || given.resume != nil {
      throw UsageError(
        "--checkpoint, --resume FILE and --folder contradict each other: a folder keeps all that "
          + "was done")
    }
    let executor = try arguments.executor()
    let request = CheckRequest(model.name, given)
    let clock = ContinuousClock()
    let start = clock.now
    if let known = session.folder.answer(to: request) {
      do throws(CheckError) {
        let report = given.recordsPictures ? try model.withPictures(known) : known
        return (report, (clock.now - start).inSeconds)
      } catch {
        throw SharedOptions.usageError(error, model: model.name)
      }
    }
    var options = given
    if session.place != .folder, given.units > 1 {
      options.session.distantRounds = DistantRounds(
        of: request, by: executor, files: session.folder,
        turnsMin: given.search.unitLength ?? WorkSession.unitLengthMin
      ) { Terminal.isInterrupted }
    }
    let (report, seconds) = try timedCheck(model, options)
    if CheckRequest.isFinal(.success(report)), session.keepsWhole {
      session.folder.keep(report, to: request, seconds: seconds)
    }
    return (report, seconds)
  }

  /// Checks a model while showing progress; also returns how many seconds it took.
  package static func timedCheck(
    _ model: Model, _ given: CheckOptions
  ) throws(UsageError) -> (CheckReport, Double) {
    var options = given
    let notice = UnsavedNotice(given)
    options.watch = notice.watch(Terminal.watch(model, CheckRequest(model.name, given)))
    defer { Terminal.clearProgress() }
    let clock = ContinuousClock()
    let start = clock.now
    do throws(CheckError) {
      let report = try model.check(options)
      notice.tell()
      return (report, (clock.now - start).inSeconds)
    } catch {
      throw SharedOptions.usageError(error, model: model.name)
    }
  }

  private static func replayCommand(_ report: CheckReport, _ options: CheckOptions) -> String? {
    report.counterexample.map {
      TraceText($0).replayCommand(
        namesInvariants: options.invariants != nil,
        namesFeatures: options.features != nil && report.hasHardware,
        namesMemoryModel: options.memoryModel != nil)
    }
  }

  private static func show(
    _ report: CheckReport, _ seconds: Double, _ outputs: [TraceOutput], _ options: CheckOptions
  ) {
    let text = CheckText(
      report, width: Terminal.width, style: Terminal.style, showsSources: true)
    text.header.forEach { print($0) }
    print("  \(String(format: "%.3f", seconds)) s")
    if report.counterexample != nil {
      for output in outputs { print("  \(output.line)") }
      if !outputs.contains(where: { $0.form == .trace }) {
        print("  \(replayCommand(report, options) ?? "")")
      }
      print("")
      text.body.forEach { print($0) }
    } else {
      for output in outputs {
        print("  no counterexample, so nothing was written to \(output.path)")
      }
    }
  }
}
