// gracewalk check FILE.litmus: litmus tests, one with all its final states, many as a table.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkLitmus
import GracewalkMachine
import GracewalkReporting
import GracewalkSupport

/// Checks litmus tests.
struct LitmusCheck {
  /// Ends the name of a file with a litmus test.
  private static let ending = ".litmus"

  /// Options that say something of models, which a litmus test is not.
  private static let notForTests = [
    "set", "invariant", "without", "matrix", "jobs", "seed", "changes",
    "preemptions", "no-symmetry", "no-minimise", "trace", "html", "checkpoint",
    "checkpoint-every", "force", "no-samples", "at", "units", "unit-length",
  ]

  private let files: [String]
  /// Whether one file was named, and no folder.
  private let isSingle: Bool
  private let options: LitmusOptions
  private let format: OutputFormat
  private let arguments: Arguments

  /// True if the operands name litmus tests, or folders of them, and no model.
  static func isAsked(_ arguments: Arguments) -> Bool {
    arguments.operands.contains { $0.hasSuffix(ending) || InputFolder.isNamed(by: $0, arguments) }
  }

  init(_ arguments: Arguments, _ given: CheckOptions) throws(UsageError) {
    for option in Self.notForTests where arguments.has(option) {
      throw UsageError(
        "--\(option) is about models, and '\(arguments.operands[0])' is a litmus test")
    }
    var files: [String] = []
    for path in arguments.operands {
      if InputFolder.isNamed(by: path, arguments) {
        let found = InputFolder.files(in: path, [Self.ending])
        if found.isEmpty {
          throw UsageError("there is no file *\(Self.ending), *.c or *.ll in '\(path)'")
        }
        files += found
      } else if path.hasSuffix(Self.ending) {
        files.append(path)
      } else {
        throw UsageError("'\(path)' is neither a file *\(Self.ending) nor a folder of them")
      }
    }
    self.files = files
    isSingle = arguments.operands.count == 1 && files == arguments.operands
    format = try OutputFormat.chosen(arguments)
    try format.require(OutputFormat.words + [.junit], for: "litmus tests")
    var options = LitmusOptions()
    options.strategy = given.strategy
    options.isExact = given.isExact
    options.limits = given.limits
    options.memoryModel = given.memoryModel ?? .standard
    options.hasETS2 = given.features?.enhancedTranslationSynchronisation ?? false
    self.options = options
    self.arguments = arguments
  }

  // MARK: Running

  /// Returns the exit status: that of the worst test.
  func run() throws -> Int32 {
    let text = LitmusText(style: Terminal.style)
    let width = files.map(\.count).max() ?? 0
    var rows: [LitmusRow] = []
    try check { row in
      rows.append(row)
      if format == .text, !isSingle { print(text.row(row, width: width)) }
    }
    if format == .json {
      print(try json(LitmusDocument(rows, under: options.memoryModel)))
    } else if format == .junit {
      print(JUnitText(rows, under: options.memoryModel).text, terminator: "")
    } else if isSingle, let row = rows.first {
      switch row.result {
      case .success(let report):
        text.lines(report, seconds: row.seconds).forEach { print($0) }
      case .failure(let error):
        throw UsageError("\(row.file):\(error.line): \(error.message)")
      }
    } else {
      print("")
      print(text.summary(rows))
    }
    return rows.count < files.count ? ExitStatus.incomplete : status(of: rows)
  }

  private func status(of rows: [LitmusRow]) -> Int32 {
    let reports = rows.compactMap { try? $0.result.get() }
    if reports.count < rows.count { return ExitStatus.usage }
    if reports.contains(where: { $0.answer == .open }) { return ExitStatus.incomplete }
    return reports.contains { $0.answer == .refuted } ? ExitStatus.violated : ExitStatus.holds
  }

  /// Reads all files, and has the tests explored; rows come in the order of the files.
  private func check(show: (LitmusRow) -> Void) throws(UsageError) {
    let contents = try files.map { file throws(UsageError) in
      guard let data = FileManager.default.contents(atPath: file) else {
        throw UsageError("cannot read '\(file)'")
      }
      return String(decoding: data, as: UTF8.self)
    }
    let tests = contents.map { text in
      Result { () throws(LitmusError) in
        let test = try LitmusTest(reading: text)
        try test.require(options.memoryModel)
        return test
      }
    }
    let units = files.indices.map { number in
      tests[number].map { _ in LitmusRequest(contents[number], options) }
    }
    FileUnits(files: files, units: units).run(by: try arguments.executor()) { number, outcome in
      switch outcome {
      case .unreadable(let error):
        show(LitmusRow(files[number], .failure(error), seconds: nil))
      case .done(let done):
        guard case .success(let answer) = done.result, case .success(let test) = tests[number],
          case .success(let unit) = units[number]
        else { return false }
        show(LitmusRow(files[number], .success(unit.report(test, answer)), seconds: done.seconds))
      }
      return true
    }
  }
}
