// gracewalk check --matrix: which model violates which invariant on which architecture and under
// which memory model.

import GracewalkChecking
import GracewalkMachine
import GracewalkReporting

/// Checks models for each invariant alone, on each architecture and under each memory model.
struct MatrixCheck {
  var models: [Model]
  var options: CheckOptions
  var format: OutputFormat
  var executor: any Executor
  /// C programs, whose rows follow those of models.
  var library = ProgramLibrary()

  static let option = Option(
    name: "matrix", value: nil,
    help:
      "check each invariant alone, on each architecture and under each memory model (or the one "
      + "of --memory), and show a table")

  /// Options that a matrix sets itself for each check, so the user cannot.
  static let contradictions = [
    "set", "invariant", "architecture", "feature", "trace", "preemptions",
    "no-minimise", "checkpoint", "checkpoint-every", "resume",
  ]

  private func verdicts() throws(UsageError) -> VerdictMatrix {
    defer { Terminal.clearProgress() }
    let search = options.search
    let memoryModels = options.memoryModel.map { [$0] } ?? MemoryModel.allCases
    do throws(MatrixError) {
      return try VerdictMatrix(of: models, under: memoryModels, search: search, by: executor) {
        Terminal.watch($0, CheckRequest($0.name, search: search))
      }
    } catch {
      throw SharedOptions.usageError(error.error, model: error.model)
    }
  }

  /// Returns the exit status.
  func run() throws -> Int32 {
    try format.require(OutputFormat.words, for: "--matrix")
    let matrix = try verdicts()
    let programs = try ProgramMatrix(library, options)
    let isAsDeclared = matrix.isAsDeclared && programs.isAsDeclared
    if format == .json {
      var document = MatrixDocument(matrix)
      document.programs = programs.rows.isEmpty ? nil : programs.rows
      document.asDeclared = isAsDeclared
      print(try json(document))
    } else {
      MatrixText(matrix, style: Terminal.style).lines.forEach { print($0) }
      programs.lines(style: Terminal.style).forEach { print($0) }
    }
    if Terminal.isInterrupted { return ExitStatus.incomplete }
    return isAsDeclared ? ExitStatus.holds : ExitStatus.violated
  }
}
