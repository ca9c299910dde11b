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
    if case .violated(let invariant, let report) = trace.recording.end {
      violated = invariant
      message = report.message
    } else {
      violated = nil
      message = ""
    }
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
    guard text.utf8.count <= TraceFile.bytesMax else { throw .tooLarge }
    guard text.utf8.starts(with: TraceFile.magic.utf8) else { throw .notATrace }
    try TraceFile.refuseInvisible(text)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let first = lines[0]
    let version = first.dropFirst(TraceFile.magic.count)
    guard version == "\(Trace.version)" else { throw .wrongVersion(String(version.prefix(20))) }
    var reader = LineReader(lines: lines)
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
    let minimal = try reader.value("minimal")
    guard minimal == "yes" || minimal == "no" else {
      throw .malformed(line: reader.next, expected: "minimal: yes or no")
    }
    isMinimal = minimal == "yes"
    guard let schedule = Schedule(text: try reader.value("schedule")) else {
      throw .malformed(line: reader.next, expected: "a schedule such as 0*4,1,2:1 or 0*4,(1,2:1)")
    }
    self.schedule = schedule
    let violated = try reader.value("violated")
    self.violated = violated.isEmpty ? nil : violated
    message = try reader.value("message")
    let countText = try reader.value("steps")
    guard let count = Int(countText), count >= 0, "\(count)" == countText else {
      throw .malformed(line: reader.next, expected: "the number of steps")
    }
    guard count <= lines.count - reader.next else { throw .truncated }
    steps = lines[reader.next..<reader.next + count].map(String.init)
    reader.next += count
    let checksum = try reader.value("checksum")
    guard reader.next == lines.count - 1, lines[reader.next].isEmpty else {
      throw .malformed(line: reader.next + 1, expected: "nothing after the checksum")
    }
    let given = lines[..<(reader.next - 1)].joined(separator: "\n") + "\n"
    isIntact = checksum == TraceFile.checksum(given)
    try refuseOtherForms(given)
  }

  /// Files may be shown in terminals, so control characters are refused.
  static func refuseInvisible(_ text: String) throws(TraceFileError) {
    var line = 1
    for scalar in text.unicodeScalars {
      if scalar == "\n" {
        line += 1
      } else if scalar == "\r" {
        throw .malformed(line: line, expected: "lines that end in LF alone, not in CR LF")
      } else if scalar.isInvisible {
        throw .malformed(
          line: line,
          expected: "text, not the control character U+\(String(scalar.value, radix: 16))")
      }
    }
  }

  /// Compares bytes, since Swift strings with different bytes may be equal.
  private func refuseOtherForms(_ given: String) throws(TraceFileError) {
    let body = body
    guard !given.utf8.elementsEqual(body.utf8) else { return }
    let lines = body.split(separator: "\n", omittingEmptySubsequences: false)
    let others = given.split(separator: "\n", omittingEmptySubsequences: false)
    let same = zip(lines, others).prefix { $0.utf8.elementsEqual($1.utf8) }.count
    throw .malformed(line: same + 1, expected: "'\(lines.dropFirst(same).first ?? "")'")
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

/// Reads `key: value` lines in order.
struct LineReader {
  let lines: [Substring]
  /// Index of the next line; also the number, from 1, of the line read last.
  var next = 1

  init(lines: [Substring]) { self.lines = lines }

  mutating func value(_ key: String) throws(TraceFileError) -> String {
    guard next < lines.count else { throw .truncated }
    let line = lines[next]
    // A last line without a line break was cut off.
    guard next < lines.count - 1 else { throw .truncated }
    guard line.hasPrefix("\(key):") else {
      throw .malformed(line: next + 1, expected: "'\(key): …'")
    }
    next += 1
    let value = line.dropFirst(key.count + 1)
    return String(value.hasPrefix(" ") ? value.dropFirst() : value)
  }
}
