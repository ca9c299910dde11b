// gracewalk replay: run a recorded execution again and show it, or say why it no longer fits.

import Foundation
import Gracewalk
import Models
import Reporting

enum ReplayCommand {
  static let command = Command(
    name: "replay", operands: "FILE | MODEL --schedule SCHEDULE",
    summary: "run a trace again, step by step",
    details: [
      "FILE was written by gracewalk check --trace. Every step is compared with the file; a file",
      "that was edited, or that an older version of the model wrote, is refused. Exit status: 0",
      "nothing fails in this execution, 1 an invariant fails, 2 wrong usage or input.",
    ],
    options: [
      Option(
        name: "schedule", value: "SCHEDULE", help: "the steps to take, as a check prints them"),
      SharedOptions.parameter, SharedOptions.invariant, SharedOptions.architecture,
      SharedOptions.feature, ReplayViews.step, TraceOutput.html,
      Option(name: "force", value: nil, help: "let --html replace a file"),
    ],
    run: run)

  private static func run(_ arguments: Arguments) throws -> Int32 {
    guard let operand = arguments.operands.first, arguments.operands.count == 1 else {
      throw UsageError("replay takes one trace file, or a model with --schedule")
    }
    if arguments.has("force"), !arguments.has("html") {
      throw UsageError("--force is about --html; it is not given")
    }
    let views = try ReplayViews(arguments)
    guard let text = arguments.value("schedule") else {
      let own = ["set", "invariant", "architecture", "feature"]
      guard !own.contains(where: { arguments.has($0) }) else {
        throw UsageError(
          "a trace file says itself which parameters, invariants and features it is for")
      }
      return try replay(file: operand, views)
    }
    guard let schedule = Schedule(text: text) else {
      throw UsageError(
        "--schedule needs steps such as 0*4,1,2:1 (CPU, *times, :choice), and at its end in "
          + "parentheses what repeats for ever: 0*4,(1,2)")
    }
    let model = try SharedOptions.model(operand)
    let parameters = try SharedOptions.parameters(arguments)
    let features = try SharedOptions.features(arguments)
    let scenario: Scenario
    do {
      scenario = try model.scenario(
        parameters: parameters, invariants: SharedOptions.invariants(arguments),
        features: features)
    } catch {
      throw SharedOptions.usageError(error, model: model.name)
    }
    let required = scenario.invariants.map(\.id)
    do {
      let trace = Trace(
        model: model.name, parameters: model.values(parameters).values,
        features: scenario.features, invariants: required,
        foundBy: "--schedule", isMinimal: false,
        recording: try Recording(
          schedule, of: scenario, recordsPictures: views.needsPictures))
      return try show(trace, of: model, views, from: "--schedule")
    } catch let error as RecordingError {
      throw UsageError("the schedule does not fit \(model.name): \(reason(error, scenario))")
    }
  }

  private static func replay(file path: String, _ views: ReplayViews) throws -> Int32 {
    let file = try read(path)
    guard let model = Catalogue.model(named: file.model) else {
      throw UsageError("\(path) is a trace of '\(file.model)', which is no model of this version")
    }
    let values = Dictionary(file.parameters.map { ($0.name, $0.value) }) { first, _ in first }
    let scenario: Scenario
    do {
      scenario = try model.scenario(
        parameters: values, invariants: file.invariants, features: file.features)
    } catch {
      let why = SharedOptions.usageError(error, model: model.name).message
      throw UsageError("\(path) \(blame(file)): \(why)")
    }
    do {
      let recording = try Recording(
        file.schedule, of: scenario, recordsPictures: views.needsPictures)
      let trace = Trace(
        model: model.name, parameters: file.parameters, features: file.features,
        memoryModel: file.memoryModel, invariants: file.invariants, foundBy: file.foundBy,
        isMinimal: file.isMinimal,
        recording: recording)
      try compare(file, TraceFile(trace), path)
      return try show(trace, of: model, views, from: path)
    } catch let error as RecordingError {
      throw UsageError("\(path) \(blame(file)): \(reason(error, scenario))")
    }
  }

  private static func read(_ path: String) throws(UsageError) -> TraceFile {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      let hint = Catalogue.model(named: path) == nil ? "" : "; to replay a model give --schedule"
      throw UsageError("there is no file '\(path)'\(hint)")
    }
    guard !isDirectory.boolValue, let data = FileManager.default.contents(atPath: path) else {
      throw UsageError("cannot read '\(path)'")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw UsageError("\(path) is not a gracewalk trace: it is not text")
    }
    do {
      return try TraceFile(text: text)
    } catch {
      switch error {
      case .notATrace: throw UsageError("\(path) is not a gracewalk trace")
      case .wrongVersion(let version):
        throw UsageError(
          "\(path) has trace version \(version); this is version \(Trace.version): check the model "
            + "again to get a new trace, or give its name and the file's schedule: "
            + "gracewalk replay MODEL --schedule SCHEDULE")
      case .truncated: throw UsageError("\(path) is cut off: its end is missing")
      case .malformed(let line, let expected):
        throw UsageError("\(path), line \(line): expected \(expected)")
      }
    }
  }

  /// Whose fault a mismatch is: the checksum tells.
  private static func blame(_ file: TraceFile) -> String {
    file.isIntact
      ? "does not fit this version of the model" : "was edited after it was written"
  }

  private static func compare(
    _ file: TraceFile, _ now: TraceFile, _ path: String
  ) throws(UsageError) {
    for (number, (old, new)) in zip(file.steps, now.steps).enumerated() where old != new {
      throw UsageError(
        "\(path) \(blame(file)): step \(number) is '\(old)' in the file and '\(new)' in the replay")
    }
    guard file.steps.count == now.steps.count else {
      throw UsageError(
        "\(path) \(blame(file)): \(file.steps.count) steps in the file, \(now.steps.count) in the "
          + "replay")
    }
    guard file.violated == now.violated, file.message == now.message else {
      throw UsageError(
        "\(path) \(blame(file)): it says '\(file.violated ?? "nothing") fails', the replay says "
          + "'\(now.violated ?? "nothing") fails'")
    }
    guard file.isIntact, file.text == now.text else {
      throw UsageError("\(path) was edited after it was written: its checksum does not fit")
    }
  }

  private static func reason(_ error: RecordingError, _ scenario: Scenario) -> String {
    switch error {
    case .impossibleStep(let number, let reason): "step \(number) of the schedule: \(reason)"
    case .noRepetition(let reason): "what stands in parentheses does not repeat: \(reason)"
    case .failed(let failure): Machine(scenario).text(of: failure)
    }
  }

  private static func show(
    _ trace: Trace, of model: Model, _ views: ReplayViews, from source: String
  ) throws -> Int32 {
    let status =
      if case .violated = trace.recording.end { ExitStatus.violated } else { ExitStatus.holds }
    try views.outputs.forEach { try $0.write(trace, of: model) }
    if views.goesByStep, StepTerminal.isInteractive {
      try StepTerminal.run(TraceMoments(trace))
      return status
    }
    let text = TraceText(trace, width: Terminal.width, style: Terminal.style)
    let parameters = trace.parameters.map { " \($0.name)=\($0.value)" }.joined()
    print("\(Terminal.style.bold(trace.model))\(parameters), replayed from \(source)")
    print("  invariants: \(trace.invariants.joined(separator: ", "))")
    for output in views.outputs { print("  \(output.line)") }
    print("")
    if views.goesByStep {
      StepListing(TraceMoments(trace), width: Terminal.width, style: Terminal.style)
        .lines.forEach { print($0) }
    } else {
      text.body.forEach { print($0) }
    }
    return status
  }
}

/// Ways to look at a replay besides the table in the terminal.
struct ReplayViews {
  let outputs: [TraceOutput]
  /// One moment at a time, by keys.
  let goesByStep: Bool

  static let step = Option(
    name: "step", value: nil, help: "go through it with keys; in a pipe, all steps with changes")

  init(_ arguments: Arguments) throws(UsageError) {
    outputs = try TraceOutput.all(arguments, of: [.html])
    goesByStep = arguments.has("step")
  }

  var needsPictures: Bool { goesByStep || TraceOutput.needsPictures(outputs) }
}
