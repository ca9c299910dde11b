// The trace file of a program: as that of a model, with the files, how they are compiled, and
// hashes that tell whether they have changed.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport

/// The text form of an execution of a program.
///
/// The first line is `gracewalk program trace 1`. Values that may have spaces are each a line of
/// their own, after a line with their number. As for models, a trace has exactly one text form, and
/// the last line is the checksum of all bytes before it.
package struct ProgramTraceFile: Equatable, Sendable {
  /// Version of the file format.
  package static let version = 1
  package static let magic = "gracewalk program trace "

  /// The words that name the program, and options of the check.
  package var arguments: [String]
  package var flags: [String]
  /// Hashes of the texts of the files, and of the code that they are compiled to.
  package var sourceHash: UInt64
  package var codeHash: UInt64
  package var foundBy: String
  package var isMinimal: Bool
  package var schedule: Schedule
  package var violated: String?
  package var message: String
  package var steps: [String]
  /// True if the checksum is correct: the file was not changed.
  package var isIntact = true

  package init(_ trace: Trace, sourceHash: UInt64, codeHash: UInt64) {
    arguments = trace.program?.arguments ?? []
    flags = trace.program?.flags ?? []
    self.sourceHash = sourceHash
    self.codeHash = codeHash
    foundBy = trace.foundBy
    isMinimal = trace.isMinimal
    schedule = trace.recording.schedule
    violated = trace.violation?.invariant
    message = TraceFile.singleLine(trace.violation?.report.message ?? "")
    steps = TraceFile.lines(for: trace.recording)
  }

  package var text: String { body + TraceFile.checksumLine(for: body) }

  private var body: String {
    var lines = ["\(Self.magic)\(Self.version)", "arguments: \(arguments.count)"]
    lines += arguments
    lines += ["flags: \(flags.count)"] + flags
    lines += [
      "source: \(StableHash.digits(sourceHash))", "code: \(StableHash.digits(codeHash))",
      "found by: \(foundBy)", "minimal: \(isMinimal ? "yes" : "no")",
      "schedule: \(schedule.text)", "violated: \(violated ?? "")", "message: \(message)",
      "steps: \(steps.count)",
    ]
    lines = lines.map(TraceFile.singleLine) + steps
    return lines.joined(separator: "\n") + "\n"
  }

  package init(text: String) throws(TraceFileError) {
    var reader = try LineReader(text, magic: Self.magic, version: Self.version)
    arguments = try reader.list("arguments")
    flags = try reader.list("flags")
    sourceHash = try reader.hash("source")
    codeHash = try reader.hash("code")
    foundBy = try reader.value("found by")
    isMinimal = try reader.flag("minimal")
    guard let schedule = Schedule(text: try reader.value("schedule")), schedule.loop == nil else {
      throw .malformed(line: reader.next, expected: "a schedule such as 0*4,1,2:1")
    }
    self.schedule = schedule
    violated = try reader.valueIfAny("violated")
    message = try reader.value("message")
    steps = try reader.list("steps")
    isIntact = try reader.end(matching: body)
  }
}
