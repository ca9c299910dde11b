// gracewalk suites: other people's test programs, against what their suites expect.

import Foundation
import GracewalkCompiled
import GracewalkExploration
import GracewalkLLVM
import GracewalkMachine
import GracewalkReporting
import GracewalkSupport

package enum SuiteCommand {
  package static let command = Command(
    name: "suites", operands: "TABLE.csv",
    summary: "compare with the test programs of GenMC and Nidhugg",
    details: [
      "TABLE.csv has a row for each run: suite, path, tool_args, clang_args, executions_sc,",
      "verdict, category. Programs are compiled in the folder of their suite. A row is counted",
      "with --mode optimal, by the conventions of its suite. With --memory tso or arm, only",
      "verdicts are compared: a correct program has no finding. Exit status: 0 all rows as",
      "expected, 1 not, 2 wrong usage or input.",
    ],
    options: [
      Option(name: "genmc", value: "FOLDER", help: "the sources of GenMC"),
      Option(name: "nidhugg", value: "FOLDER", help: "the sources of Nidhugg"),
      SharedOptions.memory,
      Option(name: "only", value: "TEXT", help: "only rows whose path contains this"),
      Option(name: "seconds", value: "S", help: "stop a row after S seconds (60)"),
      Option(name: "all", help: "show all rows, not only those that differ"),
    ],
    run: run)

  private static func run(_ arguments: Arguments) throws -> Int32 {
    guard let table = arguments.operands.first, arguments.operands.count == 1 else {
      throw UsageError("suites takes one table; see \(RunningProgram.name) suites --help")
    }
    guard let data = FileManager.default.contents(atPath: table) else {
      throw UsageError("cannot read '\(table)'")
    }
    Terminal.catchInterrupts()
    let rows = try SuiteRow.read(String(decoding: data, as: UTF8.self), from: table)
    let compiler = try Compiler.find()
    let headers = try SuiteRow.copyHeaders(of: arguments.value("genmc"))
    defer { try? FileManager.default.removeItem(atPath: headers) }
    var tally: [String: Int] = [:]
    var differs = false
    for row in rows where arguments.value("only").map({ row.path.contains($0) }) ?? true {
      guard let folder = arguments.value(row.suite) else { continue }
      if Terminal.isInterrupted { break }
      let outcome = run(
        row, in: folder, compiler, row.flags(headers: headers),
        under: try SharedOptions.memory(arguments) ?? .standard,
        seconds: try arguments.seconds("seconds") ?? 60)
      tally["\(row.suite) \(row.verdict): \(outcome.kind.rawValue)", default: 0] += 1
      if outcome.kind != .equal { differs = true }
      if outcome.kind != .equal || arguments.has("all") {
        print(
          "\(outcome.kind.rawValue.padded(to: 10)) \(row.path) \(row.toolArguments) "
            + "\(row.clangArguments): \(outcome.text)")
      }
    }
    guard !tally.isEmpty else {
      throw UsageError("no row is of a suite whose folder is given: --genmc or --nidhugg FOLDER")
    }
    print("")
    for line in tally.keys.sorted() { print("\(line) \(tally[line] ?? 0)") }
    return differs ? ExitStatus.violated : ExitStatus.holds
  }

  struct Outcome {
    enum Kind: String {
      case equal, different, missed, refused
      case falseAlarm = "false"
      case unfinished
    }

    var kind: Kind
    var text: String
  }

  private static func run(
    _ row: SuiteRow, in folder: String, _ compiler: Compiler, _ flags: [String],
    under memoryModel: MemoryModel, seconds: Double
  ) -> Outcome {
    do {
      let module = try compiler.compile(row.path, flags, in: folder).module
      var given = row.options(in: folder)
      given.memoryModel = memoryModel
      let program = try GracewalkCompiled.Program([module], given)
      var options = SearchOptions()
      options.limits.seconds = seconds
      options.watch = { _ in !Terminal.isInterrupted }
      guard memoryModel == .standard else {
        return row.judgeVerdict(
          try program.search(options) { ExhaustiveSearch($0, $1).run() })
      }
      let result = try program.search(options) { OptimalSearch($0, $1).run() }
      return row.judge(result)
    } catch let error as CompilerError {
      return Outcome(kind: .refused, text: error.messages.firstLine)
    } catch {
      return Outcome(kind: .refused, text: "\(error)".firstLine)
    }
  }
}

extension String {
  fileprivate var firstLine: String { split(separator: "\n").first.map(String.init) ?? "" }
}
