// gracewalk check FILE.c: a C program, as it is compiled.

import Foundation
import GracewalkChecking
import GracewalkCompiled
import GracewalkExploration
import GracewalkLLVM
import GracewalkReporting
import GracewalkSupport

/// Checks C programs.
struct ProgramCheck {
  private static let endings = [".c", ".ll"]

  /// Options that say something of models.
  private static let notForPrograms =
    [
      "set", "invariant", "architecture", "feature", "memory", "without", "matrix", "jobs",
      "preemptions", "no-symmetry", "trace", "checkpoint", "checkpoint-every", "resume", "exact",
      "no-samples", "at", "units", "unit-length",
    ] + WorkOptions.withoutResume.map(\.name)

  static let optionsOfItsOwn = [
    Option(
      name: "unroll", value: "N",
      help: "of a C program: end a thread at the N-th turn of a loop; the verdict is about the rest"
    ),
    Option(name: "no-races", help: "of a C program: do not look for data races"),
    Option(name: "leaks", help: "of a C program: look for memory that is never freed"),
  ]

  private let files: [String]
  private let flags: [String]
  private let options: CheckOptions
  private let programOptions: ProgramOptions
  private let format: OutputFormat
  private let outputs: [TraceOutput]

  /// True if the first operand is a C program.
  static func isAsked(_ arguments: Arguments) -> Bool {
    guard arguments.operandsBeforeEnd > 0, let first = arguments.operands.first else {
      return false
    }
    return endings.contains { first.hasSuffix($0) }
  }

  init(_ arguments: Arguments, _ options: CheckOptions) throws(UsageError) {
    files = Array(arguments.operands.prefix(arguments.operandsBeforeEnd))
    flags = Array(arguments.operands.dropFirst(arguments.operandsBeforeEnd))
    for option in Self.notForPrograms where arguments.has(option) {
      throw UsageError("--\(option) is about models, and '\(files[0])' is a C program")
    }
    for file in files where !Self.endings.contains(where: { file.hasSuffix($0) }) {
      throw UsageError("'\(file)' is neither a file *.c nor a file *.ll")
    }
    self.options = options
    var programOptions = ProgramOptions()
    programOptions.unroll = try arguments.count("unroll", upTo: 1_000_000) ?? 0
    programOptions.findsRaces = !arguments.has("no-races")
    programOptions.findsLeaks = arguments.has("leaks")
    self.programOptions = programOptions
    format = try OutputFormat.chosen(arguments)
    try format.require(OutputFormat.words, for: "C programs")
    outputs = try TraceOutput.all(arguments, of: [.html])
  }

  /// Returns the exit status.
  func run() throws -> Int32 {
    let modules: [IRModule]
    do {
      modules = try read()
    } catch let error as CompilerError {
      Terminal.writeError(error.messages)
      return ExitStatus.usage
    } catch let error as IRError {
      throw UsageError(error.description)
    }
    let clock = ContinuousClock()
    let start = clock.now
    do {
      let program = try Program(modules, programOptions)
      let result = try search(program)
      let seconds = (clock.now - start).inSeconds
      return try show(result, of: program, seconds)
    } catch let error as IRError {
      throw UsageError(error.description)
    } catch let finding as Finding {
      throw UsageError("\(files[0]): \(finding.message)")
    }
  }

  private func read() throws -> [IRModule] {
    var compiler: Compiler?
    var modules: [IRModule] = []
    for file in files {
      guard let data = FileManager.default.contents(atPath: file) else {
        throw UsageError("cannot read '\(file)'")
      }
      if file.hasSuffix(".ll") {
        modules.append(try IRReader.read(Array(data), file: file))
        continue
      }
      let clang = try compiler ?? Compiler.find()
      compiler = clang
      modules.append(try clang.compile(file, flags))
    }
    return modules
  }

  private func search(_ program: Program) throws -> ProgramResult {
    var searchOptions = SearchOptions(limits: options.limits)
    searchOptions.seed = options.seed
    searchOptions.priorityChanges = options.priorityChanges
    searchOptions.watch = Terminal.watch(files[0])
    defer { Terminal.clearProgress() }
    var result = try program.search(searchOptions) { system, options in
      self.options.strategy.search(system, options)
    }
    if options.minimises, result.finding != nil, result.finding?.kind != .unsupported {
      var minimiser = Minimiser { program.systemForMinimiser() }
      if let simplest = minimiser.minimise() {
        result.schedule = simplest.schedule
        result.isSimplest = simplest.isProven
      }
    }
    return result
  }

  // MARK: Showing

  private func show(_ result: ProgramResult, of program: Program, _ seconds: Double) throws -> Int32
  {
    if let finding = result.finding, finding.kind == .unsupported {
      let place = try result.schedule.map { try program.trace($0).findingPlace } ?? nil
      let prefix = place.map { "\($0.file):\($0.line): " } ?? "\(files[0]): "
      throw UsageError(prefix + finding.message)
    }
    var report = ProgramReport(
      files: files, strategy: options.strategy, options: programOptions, result: result,
      seconds: seconds, limits: options.limits)
    if let schedule = result.schedule, result.finding != nil {
      report.trace = try program.trace(schedule)
    }
    if format == .json {
      print(try json(ProgramDocument(report)))
    } else {
      report.lines(style: Terminal.style, width: Terminal.width).forEach { print($0) }
      if report.trace != nil { outputs.forEach { print($0.line) } }
    }
    if let trace = report.gracewalkTrace {
      for output in outputs { try Output.replace(output.path, with: HTMLPage(trace, of: nil).text) }
    }
    return report.exitStatus
  }
}
