// gracewalk replay for C programs: a trace file, or a program with a schedule.

import Foundation
import GracewalkChecking
import GracewalkCompiled
import GracewalkExploration
import GracewalkReporting
import GracewalkSupport
import GracewalkTraces

/// Replays executions of C programs.
package struct ProgramReplay {
  let views: ReplayViews
  let arguments: Arguments

  init(_ arguments: Arguments) throws(UsageError) {
    self.arguments = arguments
    views = try ReplayViews(arguments)
    try views.format.require(OutputFormat.allCases.filter { $0 != .graphviz }, for: "C programs")
  }

  /// True if the bytes of a file are a trace of a program.
  static func isTrace(_ bytes: Data) -> Bool { bytes.starts(with: ProgramTraceFile.magic.utf8) }

  // MARK: A schedule

  func replay(_ schedule: Schedule) throws -> Int32 {
    for option in ["set", "invariant", "architecture", "feature"]
    where arguments.has(option) {
      throw UsageError("--\(option) is about models, and not about C programs")
    }
    guard schedule.loop == nil else {
      throw UsageError("a schedule of a C program has no part that repeats, in parentheses")
    }
    let source = try ProgramSource(arguments)
    return try ProgramCheck.reportingErrors(of: source) {
      let compiled = try source.compile()
      let trace = try compiled.link().replay(schedule)
      if let problem = trace.problem {
        throw UsageError("the schedule does not fit \(source.name): \(problem)")
      }
      let execution = ProgramExecution.trace(
        trace, of: source, foundBy: "--schedule", isMinimal: false)
      return try show(execution, compiled, from: "--schedule")
    }
  }

  // MARK: A trace file

  func replay(_ bytes: Data, from path: String) throws -> Int32 {
    let file = try Self.file(bytes, path)
    let source = try Self.source(of: file, path, arguments.source)
    return try ProgramCheck.reportingErrors(of: source) {
      let (execution, compiled) = try Self.execution(of: file, source, path)
      return try show(execution, compiled, from: path)
    }
  }

  /// Why a file cannot be replayed, in a line; nil if it can.
  package static func refusal(of bytes: [UInt8], _ models: ModelSource) -> String? {
    do {
      let file = try file(Data(bytes), "the file")
      let source = try source(of: file, "the file", models)
      _ = try execution(of: file, source, "the file")
      return nil
    } catch let error as UsageError {
      return error.message
    } catch let finding as Finding {
      return finding.message
    } catch { return "\(error)" }
  }

  private static func file(_ bytes: Data, _ path: String) throws(UsageError) -> ProgramTraceFile {
    guard bytes.count <= TraceFile.bytesMax else { throw refusal(path, .tooLarge) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw UsageError("\(path) is not a gracewalk trace: it is not text in UTF-8")
    }
    let file: ProgramTraceFile
    do throws(TraceFileError) {
      file = try ProgramTraceFile(text: text)
    } catch {
      throw refusal(path, error)
    }
    guard file.isIntact else {
      throw UsageError("\(path) was edited after it was written: its checksum does not fit")
    }
    return file
  }

  private static func execution(
    of file: ProgramTraceFile, _ source: ProgramSource, _ path: String
  ) throws -> (Trace, CompiledProgram) {
    let compiled = try source.compile()
    try compare(file, compiled, path)
    let trace = try compiled.link().replay(file.schedule)
    if let problem = trace.problem { throw UsageError("\(path) does not fit: \(problem)") }
    let execution = ProgramExecution.trace(
      trace, of: source, foundBy: file.foundBy, isMinimal: file.isMinimal)
    let now = ProgramTraceFile(
      execution, sourceHash: compiled.sourceHash, codeHash: compiled.codeHash)
    guard now.text.utf8.elementsEqual(file.text.utf8) else {
      throw UsageError(
        "\(path) does not fit this version of \(RunningProgram.name): " + difference(file, now))
    }
    return (execution, compiled)
  }

  private static func difference(_ file: ProgramTraceFile, _ now: ProgramTraceFile) -> String {
    for (number, (old, new)) in zip(file.steps, now.steps).enumerated() where old != new {
      return "step \(number) is '\(old.excerpt(120))' in the file and '\(new)' in the replay"
    }
    if file.steps.count != now.steps.count {
      return "\(file.steps.count) steps in the file, \(now.steps.count) in the replay"
    }
    return
      "it says '\((file.violated ?? "nothing").excerpt())', and the replay "
      + "'\(now.violated ?? "nothing")'"
  }

  private static func refusal(_ path: String, _ error: TraceFileError) -> UsageError {
    switch error {
    case .notATrace: UsageError("\(path) is not a gracewalk trace")
    case .tooLarge:
      UsageError("\(path) cannot be replayed: it has more than \(TraceFile.bytesMax >> 20) MiB")
    case .wrongVersion(let version):
      UsageError(
        "\(path) has version \(version.excerpt(20)) of traces of programs; this is version "
          + "\(ProgramTraceFile.version): check the program again to get a new trace")
    case .truncated: UsageError("\(path) is cut off: its end is missing")
    case .malformed(let line, let expected):
      UsageError(
        "\(path) has something else in line \(line) than expected: \(expected.excerpt(120))")
    }
  }

  /// The program that a file names, with its options.
  private static func source(
    of file: ProgramTraceFile, _ path: String, _ models: ModelSource
  ) throws -> ProgramSource {
    let words = file.arguments + ["--"] + file.flags
    do {
      let source = try ProgramSource(
        Arguments(words, for: ReplayCommand.command, of: models))
      for name in source.files where !FileManager.default.fileExists(atPath: name) {
        throw UsageError(
          "it is of '\(name.excerpt())', which is not here: replay it in the folder that the "
            + "check was run in")
      }
      return source
    } catch let error as UsageError {
      throw UsageError("\(path): \(error.message)")
    }
  }

  private static func compare(
    _ file: ProgramTraceFile, _ compiled: CompiledProgram, _ path: String
  ) throws(UsageError) {
    let name = compiled.source.name
    let advice = "check it again to get a new trace"
    if file.sourceHash != compiled.sourceHash {
      throw UsageError("\(path) is of another text of \(name), which has changed since; \(advice)")
    }
    if file.codeHash != compiled.codeHash {
      throw UsageError(
        "\(path) is of other code: what \(name) includes, or clang, has changed since; \(advice)")
    }
  }

  // MARK: Showing

  private func show(
    _ trace: Trace, _ compiled: CompiledProgram, from origin: String
  ) throws -> Int32 {
    let text = try views.format.text(of: trace, step: nil, from: arguments.source)
    for output in views.outputs { try output.write(trace, of: compiled) }
    let heading =
      ["\(Terminal.style.bold(trace.model)), replayed from \(origin)"]
      + (compiled.source.link.without.map { ["  without: \($0.text)"] } ?? [])
    return try views.show(trace, text, heading: heading) {
      ProgramExecution.lines(trace, style: Terminal.style, width: Terminal.width)
    }
  }
}
