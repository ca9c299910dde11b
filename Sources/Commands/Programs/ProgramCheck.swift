// gracewalk check FILE.c: a C program, as it is compiled.

import Foundation
import GracewalkChecking
import GracewalkCompiled
import GracewalkExploration
import GracewalkLLVM
import GracewalkMachine
import GracewalkReporting
import GracewalkSupport
import GracewalkTraces

/// Checks C programs.
struct ProgramCheck {
  /// Options that say something of models, with what to say of them.
  static let notForPrograms = notForFolders.filter {
    !["jobs", "checkpoint", "checkpoint-every"].contains($0)
  }

  /// The same for a folder of programs, which may be divided among machines.
  static let notForFolders = [
    "set", "invariant", "architecture", "feature", "matrix", "jobs", "preemptions",
    "no-symmetry", "checkpoint", "checkpoint-every", "exact", "no-samples", "units", "unit-length",
  ]

  private let source: ProgramSource
  private let options: CheckOptions
  private let format: OutputFormat
  private let outputs: [TraceOutput]
  private let arguments: Arguments

  init(_ arguments: Arguments, _ options: CheckOptions) throws(UsageError) {
    source = try ProgramSource(arguments)
    for option in WorkOptions.withoutResume where arguments.has(option.name) {
      throw UsageError(
        "--\(option.name) divides the programs of a folder, and '\(source.name)' is one program: "
          + "name its folder")
    }
    for option in Self.notForPrograms where arguments.has(option) {
      throw UsageError("--\(option) is about models, and '\(source.name)' is a C program")
    }
    self.arguments = arguments
    var options = options
    try Self.refuse(arguments, source.options)
    if options.strategy == .exhaustive, options.jobs > 1 {
      throw UsageError("--mode exhaustive and --jobs contradict each other for C programs")
    }
    try CheckpointOptions.read(arguments, into: &options)
    self.options = options
    format = try OutputFormat.chosen(arguments)
    try format.require(
      OutputFormat.allCases.filter { $0 != .graphviz }, for: "C programs")
    outputs = try TraceOutput.all(arguments)
  }

  /// Refuses searches that cannot be made under weaker memory.
  static func refuse(_ arguments: Arguments, _ options: ProgramOptions) throws(UsageError) {
    guard options.memoryModel != .standard else { return }
    let memory = "--memory \(options.memoryModel.rawValue)"
    for option in ["jobs", "checkpoint", "resume"] where arguments.has(option) {
      throw UsageError("--\(option) and \(memory) contradict each other for C programs")
    }
  }

  /// Returns the exit status.
  func run() throws -> Int32 {
    try Self.reportingErrors(of: source) {
      let compiled = try source.compile()
      let notice = UnsavedNotice(options)
      let report = try Self.check(
        compiled, options, notice.watch(Terminal.watch(source.name)))
      Terminal.clearProgress()
      notice.tell()
      try show(report, compiled)
      return report.exitStatus
    }
  }

  /// Runs the body; errors of the compiler are shown, and others become one line.
  static func reportingErrors(
    of source: ProgramSource, _ body: () throws -> Int32
  ) throws -> Int32 {
    do {
      return try body()
    } catch let error as CompilerError {
      Terminal.clearProgress()
      Terminal.writeError(error.messages)
      return ExitStatus.usage
    } catch let error as IRError {
      throw UsageError(error.description)
    } catch let finding as Finding {
      throw UsageError("\(source.name): \(finding.message)")
    }
  }

  /// Checks a program; throws if it reaches what is not supported.
  static func check(
    _ compiled: CompiledProgram, _ options: CheckOptions,
    _ watch: @escaping (SearchProgress) -> Bool = { _ in true }
  ) throws -> ProgramReport {
    let clock = ContinuousClock()
    let start = clock.now
    var options = options
    let memoryModel = compiled.source.options.memoryModel
    guard let strategy = options.strategy.ofPrograms(under: memoryModel) else {
      throw UsageError(
        "--mode \(options.strategy.rawValue) is for sequential consistency: of C programs "
          + "nothing is reduced under \(memoryModel.text)")
    }
    options.strategy = strategy
    let program = try compiled.link()
    var searchOptions = SearchOptions(limits: options.limits)
    searchOptions.seed = options.seed
    searchOptions.priorityChanges = options.priorityChanges
    searchOptions.watch = watch
    let session: CheckpointSession?
    do throws(CheckError) {
      session = try CheckpointSession(
        options, ofProgram: compiled.source.name, facts: compiled.facts(options))
    } catch { throw SharedOptions.usageError(error, model: compiled.source.name) }
    session?.prepare(&searchOptions)
    var result = try program.search(searchOptions) {
      (given: SearchOptions, make: @escaping () -> TransitionSystem) in
      // Each machine counts the ends that it comes to, so without reduction there is only one.
      var division = ParallelSearch.Division()
      if strategy == .exhaustive { division.start = .max }
      return strategy.search(jobs: options.jobs, given, division, make)
    }
    if case .refused(let error) = result.result.ending, let session {
      throw SharedOptions.usageError(session.error(error), model: compiled.source.name)
    }
    if options.minimises, let finding = result.finding, finding.kind != .unsupported,
      let simplest = program.simplest()
    {
      result.schedule = simplest.schedule
      result.isSimplest = simplest.isProven
    }
    let source = compiled.source
    var report = ProgramReport(
      source: source, strategy: options.strategy, result: result,
      seconds: (clock.now - start).inSeconds, limits: options.limits)
    guard let finding = result.finding, let schedule = result.schedule else { return report }
    let trace = try program.trace(schedule)
    if finding.kind == .unsupported {
      let prefix = trace.findingPlace.map { "\($0.file):\($0.line): " } ?? "\(source.name): "
      throw UsageError(prefix + finding.message)
    }
    guard trace.problem == nil, trace.finding != nil else {
      throw UsageError(
        "[internal] \(source.name): the execution that shows '\(finding.message)' cannot be taken "
          + "again: \(trace.problem ?? "nothing is wrong in it")")
    }
    // The simplest execution may show another finding than the search met first.
    report.result.finding = trace.finding
    report.trace = trace
    report.execution = ProgramExecution.trace(
      trace, of: source, foundBy: options.strategy.rawValue, isMinimal: result.isSimplest)
    return report
  }

  // MARK: Showing

  private func show(_ report: ProgramReport, _ compiled: CompiledProgram) throws {
    let command = report.execution.map {
      TraceText($0).replayCommand(namesInvariants: false)
    }
    switch format {
    case .json: print(try json(ProgramDocument(report)))
    case .text:
      report.lines(style: Terminal.style, width: Terminal.width).forEach { print($0) }
      for output in outputs {
        print(
          report.execution == nil
            ? "nothing is wrong, so nothing was written to \(output.path)" : output.line)
      }
      if let command, !outputs.contains(where: { $0.form == .trace }) { print(command) }
      CheckpointOptions.tell(report.checkReport, options.checkpoints, arguments)
    default:
      let text = try format.text(
        of: report.checkReport, seconds: report.seconds, replayCommand: command, step: nil,
        from: arguments.source)
      print(text ?? "", terminator: "")
    }
    guard let execution = report.execution else { return }
    for output in outputs { try output.write(execution, of: compiled) }
  }
}

extension TraceOutput {
  /// Writes the trace of a program.
  func write(_ trace: Trace, of program: CompiledProgram) throws(UsageError) {
    switch form {
    case .html: try Output.replace(path, with: HTMLPage(trace, of: nil).text)
    case .trace:
      let file = ProgramTraceFile(
        trace, sourceHash: program.sourceHash, codeHash: program.codeHash)
      for word in file.arguments + file.flags where word.contains(where: \.isNewline) {
        throw UsageError("cannot write '\(path)': '\(word.printable)' has a line break")
      }
      try Output.replace(path, with: file.text)
    }
  }
}

extension Strategy {
  /// The search of C programs under a memory model, or nil if there is none.
  ///
  /// Steps have no footprints under weaker memory, so nothing is reduced there.
  func ofPrograms(under memoryModel: MemoryModel) -> Strategy? {
    if memoryModel == .standard { return self }
    if self == .stateful { return .exhaustive }
    return Strategy.reduced.contains(self) ? nil : self
  }
}
