// A row of a table of test programs, and the conventions of its suite.

import Foundation
import GracewalkCompiled
import GracewalkExploration

struct SuiteRow {
  var suite: String
  var path: String
  var toolArguments: String
  var clangArguments: String
  /// The number of executions that the suite asserts, or nil.
  var executions: Int?
  var verdict: String
  var category: String

  static func read(_ text: String, from file: String) throws(UsageError) -> [SuiteRow] {
    let lines = text.split(whereSeparator: \.isNewline).map { fields(of: $0) }
    let names = [
      "suite", "path", "tool_args", "clang_args", "executions_sc", "verdict", "category",
    ]
    guard let heading = lines.first else { throw UsageError("'\(file)' is empty") }
    var columns: [Int] = []
    for name in names {
      guard let column = heading.firstIndex(of: name) else {
        throw UsageError("'\(file)' has no column \(name)")
      }
      columns.append(column)
    }
    return try lines.dropFirst().enumerated().map { number, fields throws(UsageError) in
      guard fields.count == heading.count else {
        throw UsageError("'\(file)' has \(fields.count) fields in row \(number + 2)")
      }
      let values = columns.map { fields[$0] }
      return SuiteRow(
        suite: values[0], path: values[1], toolArguments: values[2], clangArguments: values[3],
        executions: Int(values[4]), verdict: values[5], category: values[6])
    }
  }

  /// The fields of a line, of which some may be in quotes.
  private static func fields(of line: Substring) -> [String] {
    var fields = [""]
    var isQuoted = false
    for character in line {
      switch character {
      case "\"": isQuoted.toggle()
      case "," where !isQuoted: fields.append("")
      default: fields[fields.count - 1].append(character)
      }
    }
    return fields
  }

  // MARK: Conventions

  /// What the first line of a program of Nidhugg asks for.
  private func modeLine(in folder: String) -> String {
    guard suite == "nidhugg",
      let data = FileManager.default.contents(atPath: "\(folder)/\(path)")
    else { return "" }
    return String(decoding: data.prefix { $0 != 10 }, as: UTF8.self)
  }

  /// - Parameter headers: a folder with those headers of the suite that its programs need.
  func flags(headers: String) -> [String] {
    var flags = ["-w", "-std=gnu11", "-Wno-error=int-conversion"]
    flags.append("-Wno-error=implicit-function-declaration")
    if suite == "genmc" {
      flags += ["-idirafter", headers, "-D__CONFIG_GENMC_INODE_DATA_SIZE=64"]
    }
    return flags + clangArguments.split(separator: " ").map(String.init)
  }

  /// Copies GenMC's own headers to a new folder.
  ///
  /// Not those that stand for headers of the system, which are written for a C library of its own.
  static func copyHeaders(of folder: String?) throws(UsageError) -> String {
    let manager = FileManager.default
    let target = manager.temporaryDirectory
      .appendingPathComponent("gracewalk-\(ProcessInfo.processInfo.globallyUniqueString)")
    do {
      try manager.createDirectory(at: target, withIntermediateDirectories: true)
      guard let folder else { return target.path }
      for name in ["genmc.h", "genmc_internal.h", "lkmm.h"] {
        let header = URL(fileURLWithPath: folder).appendingPathComponent("include/\(name)")
        guard manager.fileExists(atPath: header.path) else { continue }
        try manager.copyItem(at: header, to: target.appendingPathComponent(name))
      }
    } catch {
      throw UsageError("cannot copy headers of '\(folder ?? "")': \(error.localizedDescription)")
    }
    return target.path
  }

  func options(in folder: String) -> ProgramOptions {
    var options = ProgramOptions()
    let line = modeLine(in: folder)
    let words = (toolArguments + " " + line).split(separator: " ").map {
      $0.drop { $0 == "-" }
    }
    for word in words where word.hasPrefix("unroll=") {
      options.unroll = Int(word.dropFirst(7)) ?? 0
    }
    options.findsRaces = suite == "genmc" && !words.contains("disable-race-detection")
    options.findsLivelocks = words.contains("check-liveness") || category == "liveness"
    options.findsDeadlocks = suite == "genmc"
    // What GenMC returns for a number that is not known is always the same.
    options.choices = 1
    options.failedTriesWrite = suite == "nidhugg"
    // Nidhugg waits for other values in its optimal search only.
    options.awaitsAssumptions =
      suite == "genmc" || words.contains("optimal") && !words.contains("no-assume-await")
    options.countsReadsFrom = suite == "nidhugg" && !words.contains("optimal")
    return options
  }

  /// Compares a verdict with that of the suite, whatever was counted.
  func judgeVerdict(_ result: ProgramResult) -> SuiteCommand.Outcome {
    var other = self
    other.executions = nil
    return other.judge(result)
  }

  /// Compares a result with what the suite expects.
  func judge(_ result: ProgramResult) -> SuiteCommand.Outcome {
    let found = result.finding.map { "\($0.kind.rawValue): \($0.message)" } ?? "nothing is wrong"
    let isUnsupported = result.finding?.kind == .unsupported
    if verdict == "wrong" {
      let isFound = result.finding != nil && !isUnsupported
      return SuiteCommand.Outcome(
        kind: isFound ? .equal : isUnsupported ? .refused : .missed, text: found)
    }
    if isUnsupported { return SuiteCommand.Outcome(kind: .refused, text: found) }
    if result.finding != nil { return SuiteCommand.Outcome(kind: .falseAlarm, text: found) }
    let count =
      suite == "genmc"
      ? result.endings.complete : result.readsFrom > 0 ? result.readsFrom : result.endings.all
    if case .bounded(let bound) = result.result.ending {
      return SuiteCommand.Outcome(
        kind: .unfinished,
        text: "\(count) executions, and stopped at the bound on \(bound.rawValue)")
    }
    let expected = executions.map { "\($0)" } ?? "any number"
    return SuiteCommand.Outcome(
      kind: executions == nil || executions == count ? .equal : .different,
      text: "\(count) executions, \(expected) expected")
  }
}
