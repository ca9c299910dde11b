// gracewalk check FOLDER: each C program of a folder by itself, as a table.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkReporting
import GracewalkSupport

/// Checks all C programs of a folder.
struct ProgramFolder {
  private let folder: String
  private let files: [String]
  private let options: CheckOptions
  private let format: OutputFormat
  private let arguments: Arguments
  /// Where pages are written, if they are asked for.
  private let pages: ProgramPages?

  /// True if the operand names a folder with C programs, and no model.
  static func isAsked(_ arguments: Arguments) -> Bool {
    guard arguments.operandsBeforeEnd == 1, let path = arguments.operands.first,
      InputFolder.isNamed(by: path, arguments)
    else { return false }
    return !InputFolder.files(in: path, ProgramSource.endings).isEmpty
  }

  init(_ arguments: Arguments, _ options: CheckOptions) throws(UsageError) {
    folder = arguments.operands[0]
    files = InputFolder.files(in: folder, ProgramSource.endings)
    if !InputFolder.files(in: folder, [".litmus"]).isEmpty {
      throw UsageError(
        "'\(folder)' has C programs and litmus tests: name a folder with one kind of them")
    }
    for option in ProgramCheck.notForFolders where arguments.has(option) {
      throw UsageError("--\(option) is about models, and '\(folder)' has C programs")
    }
    for option in ["trace", "without", "at"] where arguments.has(option) {
      throw UsageError("--\(option) is about one program, and '\(folder)' is a folder of them")
    }
    pages = try arguments.value("html").map { path throws(UsageError) in
      try ProgramPages(path, replaces: arguments.has("force"))
    }
    self.options = options
    format = try OutputFormat.chosen(arguments)
    try format.require(OutputFormat.words, for: "C programs")
    self.arguments = arguments
  }

  private typealias Row = Result<ProgramRequest.Answer, ProgramRequest.Failure>

  /// Returns the exit status: that of the worst program.
  func run() throws -> Int32 {
    let units = try read()
    var rows: [Row] = []
    let width = files.map(\.count).max() ?? 0
    func show(_ row: Row) {
      if format == .text { print(line(files[rows.count].padded(to: width), row)) }
      rows.append(row)
    }
    units.run(by: try arguments.executor()) { _, outcome in
      switch outcome {
      case .unreadable(let error): show(.failure(error))
      case .done(let done):
        show(
          done.result.map { answer in
            var answer = answer
            answer.document.seconds = done.seconds
            return answer
          })
      }
      return true
    }
    if format == .json {
      print(try json(ProgramTable(files, rows)))
    } else {
      print("\n\(summary(rows))")
    }
    if let pages {
      let count = try pages.write(
        zip(files, rows).map {
          ProgramPages.Row(name: $0, source: try ProgramSource(arguments, of: $0), result: $1)
        })
      if format == .text {
        print("\(counted(count, "page")) in \(arguments.value("html") ?? ""): open index.html")
      }
    }
    return rows.count < files.count ? ExitStatus.incomplete : Self.status(of: rows)
  }

  /// Compiles all files here, so that other machines need no compiler.
  private func read() throws(UsageError) -> FileUnits<ProgramRequest, ProgramRequest.Failure> {
    let compiler = files.contains { $0.hasSuffix(".c") } ? try Compiler.find() : nil
    let units = try files.map { file throws(UsageError) -> Result<_, ProgramRequest.Failure> in
      let source = try ProgramSource(arguments, of: file)
      do {
        return .success(ProgramRequest(try source.compile(compiler), options.search))
      } catch {
        return .failure(ProgramRequest.Failure(error))
      }
    }
    return FileUnits(files: files, units: units)
  }

  // MARK: Showing

  private func line(_ file: String, _ row: Row) -> String { "\(file)  \(Self.text(of: row))" }

  /// What was found of a program, in a line.
  static func text(of row: Result<ProgramRequest.Answer, ProgramRequest.Failure>) -> String {
    let style = Terminal.style
    switch row {
    case .failure(let error): return "\(style.warning("not checked"))  \(error.message)"
    case .success(let answer):
      let word =
        switch answer.document.verdict {
        case "holds": style.good("✓ holds") + "    "
        case "violated": style.bad("✗ violated") + " "
        default: style.warning("incomplete") + " "
        }
      return "\(word)  \(answer.remark)"
    }
  }

  private func summary(_ rows: [Row]) -> String {
    let verdicts = rows.map { (try? $0.get())?.document.verdict ?? "not checked" }
    let parts = ["holds", "violated", "incomplete", "not checked"].compactMap { verdict in
      let count = verdicts.count { $0 == verdict }
      return count > 0 ? "\(count) \(verdict)" : nil
    }
    return "\(counted(rows.count, "program")): \(parts.joined(separator: ", "))"
  }

  /// The exit status: that of the worst.
  static func status(
    of rows: [Result<ProgramRequest.Answer, ProgramRequest.Failure>]
  ) -> Int32 {
    let verdicts = rows.compactMap { (try? $0.get())?.document.verdict }
    if verdicts.count < rows.count { return ExitStatus.usage }
    if verdicts.contains("incomplete") { return ExitStatus.incomplete }
    return verdicts.contains("violated") ? ExitStatus.violated : ExitStatus.holds
  }
}

/// The table as JSON.
struct ProgramTable: Encodable {
  struct Row: Encodable {
    var file: String
    /// Why the program was not checked.
    var error: String?
    var program: ProgramDocument?
  }

  var format = "gracewalk programs 1"
  var programs: [Row]

  init(
    _ files: [String], _ rows: [Result<ProgramRequest.Answer, ProgramRequest.Failure>]
  ) {
    programs = zip(files, rows).map { file, row in
      switch row {
      case .success(let answer): Row(file: file, program: answer.document)
      case .failure(let error): Row(file: file, error: error.message)
      }
    }
  }
}
