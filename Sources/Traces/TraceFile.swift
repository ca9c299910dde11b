// The trace file: text, one fact per line, a checksum at the end.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport

/// Why a trace file could not be read; each case is one clear line.
public enum TraceFileError: Error, Equatable {
  case notATrace
  case tooLarge
  case wrongVersion(String)
  case truncated
  case malformed(line: Int, expected: String)
}

/// The text form of a trace, with its contents.
///
/// The first line is `gracewalk trace 3`. Then `key: value` lines in fixed order, one line per
/// step, and the checksum of all bytes before it. Values are single-line: line breaks and invisible
/// characters in names are replaced when writing. In the schedule, the part that repeats forever is
/// in parentheses (since version 2). Version 3 added the step that was left out.
///
/// Invariant: a trace has exactly one text form, so an accepted file equals the text of its trace
/// byte for byte.
public struct TraceFile: OfCheckedScenario, Equatable, Sendable {
  public var scenario: CheckedScenario
  public var foundBy: String
  public var isMinimal: Bool
  public var schedule: Schedule
  /// The id of the violated invariant, or nil if none failed.
  public var violated: String?
  public var message: String
  /// One line per recorded step.
  public var steps: [String]
  /// True if the checksum is correct: the file was not changed.
  public var isIntact: Bool

  static let magic = "gracewalk trace "
  /// Larger files are refused: no execution is that long.
  public static let bytesMax = 16 * 1024 * 1024

  public init(_ trace: Trace) {
    scenario = trace.scenario
    foundBy = trace.foundBy
    isMinimal = trace.isMinimal
    schedule = trace.recording.schedule
    violated = trace.violation?.invariant
    message = trace.violation?.report.message ?? ""
    steps = TraceFile.lines(for: trace.recording)
    isIntact = true
  }

  /// The steps of a recording as lines of the file.
  public static func lines(for recording: Recording) -> [String] {
    recording.steps.enumerated().map { number, step in
      let cpu = recording.cpus[step.cpu]
      let operation = recording.operations[step.cpu][step.operation]
      let outcome = step.outcome.isEmpty ? "" : " | \(step.outcome)"
      return singleLine("\(number) \(cpu) | \(operation) | \(step.action)\(outcome)")
    }
  }

  static func singleLine(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.isInvisible ? " " : $0 }))
  }

  static func checksum(_ text: some StringProtocol) -> String {
    StableHash.digits(StableHash.of(String(text)))
  }

  /// The bytes of the file.
  public var text: String { body + "checksum: \(TraceFile.checksum(body))\n" }

  /// All but the checksum.
  private var body: String {
    let parameterText = parameters.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
    var lines = [
      "\(TraceFile.magic)\(Trace.version)",
      "model: \(model)",
      "parameters: \(parameterText)",
      "features: \(features.text)",
      "without: \(without?.text ?? "")",
      "memory: \(memoryModel)",
      "invariants: \(invariants.joined(separator: " "))",
      "found by: \(foundBy)",
      "minimal: \(isMinimal ? "yes" : "no")",
      "schedule: \(schedule.text)",
      "violated: \(violated ?? "")",
      "message: \(message)",
      "steps: \(steps.count)",
    ]
    lines = lines.map(TraceFile.singleLine) + steps
    return lines.joined(separator: "\n") + "\n"
  }

  /// A checksum line for any text, so that tests can make changed files.
  package static func checksumLine(for body: String) -> String {
    "checksum: \(checksum(body))\n"
  }

  /// Reads a file's text.
  public init(text: String) throws(TraceFileError) {
    var reader = try LineReader(text, magic: TraceFile.magic, version: Trace.version)
    let model = try reader.value("model")
    let parameters = try TraceFile.parameters(try reader.value("parameters"))
    guard let features = Features(text: try reader.value("features")) else {
      throw .malformed(line: reader.next, expected: "features such as \(Features().text)")
    }
    let withoutText = try reader.value("without")
    let without = WeakenedStep(text: withoutText)
    guard without != nil || withoutText.isEmpty else {
      throw .malformed(
        line: reader.next, expected: "a step such as \(WeakenedStep.example)")
    }
    let memoryModel = try reader.value("memory")
    guard MemoryModel(name: memoryModel) != nil else {
      let known = MemoryModel.allCases.map(\.name).joined(separator: " or ")
      throw .malformed(line: reader.next, expected: "a memory model: \(known)")
    }
    let invariants = try reader.value("invariants").split(separator: " ").map(String.init)
    scenario = CheckedScenario(
      model: model, parameters: parameters, features: features, without: without,
      memoryModel: memoryModel, invariants: invariants)
    foundBy = try reader.value("found by")
    isMinimal = try reader.flag("minimal")
    guard let schedule = Schedule(text: try reader.value("schedule")) else {
      throw .malformed(line: reader.next, expected: "a schedule such as 0*4,1,2:1 or 0*4,(1,2:1)")
    }
    self.schedule = schedule
    violated = try reader.valueIfAny("violated")
    message = try reader.value("message")
    steps = try reader.list("steps")
    isIntact = true
    isIntact = try reader.end(matching: body)
  }

  private static func parameters(
    _ text: String
  ) throws(TraceFileError) -> [(name: String, value: Int)] {
    var parameters: [(name: String, value: Int)] = []
    for part in text.split(separator: " ") {
      let sides = part.split(separator: "=", omittingEmptySubsequences: false)
      guard sides.count == 2, let value = Int(sides[1]), !sides[0].isEmpty else {
        throw .malformed(line: 3, expected: "parameters such as levels=3")
      }
      parameters.append((String(sides[0]), value))
    }
    return parameters
  }

  public static func == (a: TraceFile, b: TraceFile) -> Bool {
    a.text == b.text && a.isIntact == b.isIntact
  }
}
