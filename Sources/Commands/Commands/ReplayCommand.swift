// gracewalk replay: run a recorded execution again and show it, or say why it no longer matches.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkReporting
import GracewalkTraces

enum ReplayCommand {
  static let command = Command(
    name: "replay", operands: "FILE | MODEL|FILE.c… --schedule S [-- FLAGS]",
    summary: "run a trace again, step by step",
    details: [
      "FILE was written by gracewalk check --trace. Every step is compared with the file; a file",
      "that was edited, or that an older version of the model wrote, is refused. Exit status: 0",
      "nothing fails in this execution, 1 an invariant fails, 2 wrong usage or input.",
      "The trace of a C program is refused if the program has changed.",
    ],
    options: [
      Option(
        name: "schedule", value: "SCHEDULE", help: "the steps to take, as a check prints them",
        mayBeEmpty: true),
      SharedOptions.parameter, SharedOptions.invariant, SharedOptions.architecture,
      SharedOptions.feature, SharedOptions.memory, SharedOptions.without,
      OutputFormat.option(), OutputFormat.step,
      ReplayViews.step, TraceOutput.html,
      Option(name: "force", value: nil, help: "let --html replace a file"),
    ] + ProgramSource.options,
    run: run)

  private static func run(_ arguments: Arguments) throws -> Int32 {
    if ProgramSource.isAsked(arguments) {
      guard let text = arguments.value("schedule") else {
        throw UsageError("to replay a C program give --schedule, or replay a trace file")
      }
      return try ProgramReplay(arguments).replay(try schedule(text))
    }
    guard let operand = arguments.operands.first, arguments.operands.count == 1 else {
      throw UsageError("replay takes one trace file, or a model with --schedule")
    }
    if arguments.has("force"), !arguments.has("html") {
      throw UsageError("--force is about --html; it is not given")
    }
    for option in ProgramSource.options where arguments.has(option.name) {
      throw UsageError(
        "--\(option.name) is about C programs: replay FILE.c --schedule SCHEDULE")
    }
    let views = try ReplayViews(arguments)
    guard let text = arguments.value("schedule") else {
      let own = ["set", "invariant", "architecture", "feature", "memory", "without"]
      guard !own.contains(where: { arguments.has($0) }) else {
        throw UsageError(
          "a trace file says itself which parameters, invariants, features and memory model it is "
            + "for, and which step is left out")
      }
      let bytes = try read(operand, arguments.source)
      if ProgramReplay.isTrace(bytes) {
        return try ProgramReplay(arguments).replay(bytes, from: operand)
      }
      let trace = try replay(bytes, file: operand, of: arguments.source, views)
      return try show(
        trace, of: try SharedOptions.model(trace.model, of: arguments), views, arguments.source,
        from: operand)
    }
    let schedule = try schedule(text)
    let model = try SharedOptions.model(operand, of: arguments)
    let parameters = try SharedOptions.parameters(arguments)
    let choice = ScenarioChoice(
      parameters: parameters, invariants: SharedOptions.invariants(arguments),
      features: try SharedOptions.features(arguments),
      without: try SharedOptions.without(arguments),
      memoryModel: try SharedOptions.memory(arguments))
    let scenario: Scenario
    do {
      scenario = try model.scenario(choice)
    } catch {
      throw SharedOptions.usageError(error, model: model.name)
    }
    do {
      let trace = Trace(
        scenario: model.checked(scenario, model.values(parameters)), foundBy: "--schedule",
        isMinimal: false,
        recording: try Recording(
          schedule, of: scenario, recordsPictures: views.needsPictures))
      return try show(trace, of: model, views, arguments.source, from: "--schedule")
    } catch let error as RecordingError {
      throw UsageError("the schedule does not fit \(model.name): \(error.text(for: scenario))")
    }
  }

  private static func schedule(_ text: String) throws(UsageError) -> Schedule {
    guard let schedule = Schedule(text: text) else {
      throw UsageError(
        "--schedule needs steps such as 0*4,1,2:1 (CPU, *times, :choice), and at its end in "
          + "parentheses what repeats forever: 0*4,(1,2)")
    }
    return schedule
  }

  private static func replay(
    _ bytes: Data, file path: String, of source: ModelSource, _ views: ReplayViews
  ) throws -> Trace {
    do throws(TraceRefusal) {
      return try TraceReplay.replay(
        bytes, recordsPictures: views.needsPictures, named: { source.model(named: $0) })
    } catch {
      throw UsageError("\(path) \(error.text)")
    }
  }

  /// Reads at most the size limit of a trace file: the path may be an endless device.
  private static func read(
    _ path: String, _ source: ModelSource
  ) throws(UsageError) -> Data {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      let hint = source.model(named: path) == nil ? "" : "; to replay a model give --schedule"
      throw UsageError("there is no file '\(path)'\(hint)")
    }
    do {
      guard !isDirectory.boolValue else { throw CocoaError(.fileReadUnknown) }
      let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      defer { try? file.close() }
      return try file.read(upToCount: TraceFile.bytesMax + 1) ?? Data()
    } catch {
      throw UsageError("cannot read '\(path)'")
    }
  }

  private static func show(
    _ trace: Trace, of model: Model, _ views: ReplayViews, _ source: ModelSource,
    from origin: String
  ) throws -> Int32 {
    let text = try views.format.text(of: trace, step: views.drawnStep, from: source)
    try views.outputs.forEach { try $0.write(trace, of: model) }
    let parameters = parameterText(trace.parameters)
    let heading =
      ["\(Terminal.style.bold(trace.model))\(parameters), replayed from \(origin)"]
      + (trace.without.map { ["  without: \($0.sentence)"] } ?? [])
      + ["  invariants: \(trace.invariants.joined(separator: ", "))"]
    return try views.show(trace, text, heading: heading) {
      TraceText(trace, width: Terminal.width, style: Terminal.style, showsSources: true).body
    }
  }
}

/// The views of a replay other than the table in the terminal.
struct ReplayViews {
  let outputs: [TraceOutput]
  /// Whether to show one moment at a time, by keys.
  let goesByStep: Bool
  let format: OutputFormat
  /// The step at which to draw the tables.
  let drawnStep: String?

  static let step = Option(
    name: "step", value: nil, help: "step through it with keys; in a pipe, list every step")

  init(_ arguments: Arguments) throws(UsageError) {
    outputs = try TraceOutput.all(arguments, of: [.html])
    goesByStep = arguments.has("step")
    format = try OutputFormat.chosen(arguments)
    drawnStep = arguments.value("at")
    guard !goesByStep || format == .text else {
      throw UsageError("--step and --format contradict each other: leave one of them out")
    }
  }

  /// Shows a trace in the terminal; returns the exit status.
  ///
  /// - `text`: the trace in a format other than that of the terminal, if one was asked for.
  /// - `heading`: lines on what was replayed.
  /// - `table`: all steps side by side.
  func show(
    _ trace: Trace, _ text: String?, heading: [String], table: () -> [String]
  ) throws -> Int32 {
    let status = trace.violation == nil ? ExitStatus.holds : ExitStatus.violated
    if let text {
      print(text, terminator: "")
      return status
    }
    if goesByStep, StepTerminal.isInteractive {
      try StepTerminal.run(TraceMoments(trace))
      return status
    }
    let steps =
      goesByStep
      ? StepListing(TraceMoments(trace), width: Terminal.width, style: Terminal.style).lines
      : table()
    for line in heading + outputs.map({ "  \($0.line)" }) + [""] + steps { print(line) }
    return status
  }

  var needsPictures: Bool {
    goesByStep || format == .graphviz || TraceOutput.needsPictures(outputs)
  }
}
