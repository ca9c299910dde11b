// gracewalk sweep FILE.c: a C program with each combination of values of its macros.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkReporting
import GracewalkSupport

/// Checks a C program for each combination of settings.
struct ProgramSweep {
  static let option = Option(
    name: "define", value: "NAME=VALUES",
    help: "of C: define NAME as each of these values: 1..4, or a,b,c", isRepeatable: true)
  private static let most = 10_000

  /// A macro and its values, in the order in which they are tried.
  private struct Setting {
    var name: String
    var values: [String]
  }

  private let program: String
  private let combinations: [[String]]
  private let sources: [ProgramSource]
  private let options: CheckOptions
  private let findsAll: Bool
  private let isJSON: Bool
  private let executor: any Executor

  init(_ arguments: Arguments) throws(UsageError) {
    for name in ["cpus", "operations"] where arguments.has(name) {
      throw UsageError(
        "--\(name) is about systems of models; of a C program, --define NAME=VALUES is swept")
    }
    let settings = try arguments.all("define").map(Self.setting)
    guard !settings.isEmpty else {
      throw UsageError(
        "sweep of a C program needs settings: --define NAME=VALUES, such as --define THREADS=1..4")
    }
    var known: Set<String> = []
    for setting in settings where !known.insert(setting.name).inserted {
      throw UsageError("--define gives \(setting.name) twice")
    }
    combinations = try Self.combinations(of: settings)
    var source = try ProgramSource(arguments)
    program = source.name
    let flags = source.flags
    sources = combinations.map { combination in
      source.flags = flags + combination.map { "-D\($0)" }
      return source
    }
    var options = CheckOptions()
    options.limits.states = try arguments.count("states")
    options.limits.seconds = try arguments.seconds("seconds")
    self.options = options
    findsAll = arguments.has("all")
    isJSON = try OutputFormat.chosen(arguments, of: OutputFormat.words) == .json
    let jobs = try arguments.count("jobs", upTo: ParallelSearch.jobsMax) ?? 1
    if arguments.has("cluster"), arguments.has("jobs") {
      throw UsageError("--jobs and --cluster contradict each other: --array-limit bounds its jobs")
    }
    executor = try arguments.executor(jobs: jobs)
  }

  private static func setting(_ text: String) throws(UsageError) -> Setting {
    let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let refusal = UsageError(
      "--define needs NAME=VALUES, such as N=1..4 or MODE=a,b, not '\(text.printable)'")
    guard sides.count == 2, let first = sides[0].first, first.isLetter || first == "_",
      sides[0].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
    else { throw refusal }
    let name = String(sides[0])
    if let range = sides[1].firstRange(of: "..") {
      guard let low = Int(sides[1][..<range.lowerBound]),
        let high = Int(sides[1][range.upperBound...]), low <= high, high - low < most
      else { throw refusal }
      return Setting(name: name, values: (low...high).map { "\($0)" })
    }
    let values = sides[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard !values.contains(where: \.isEmpty), Set(values).count == values.count else {
      throw refusal
    }
    return Setting(name: name, values: values)
  }

  /// All combinations: those with the earliest values first.
  private static func combinations(of settings: [Setting]) throws(UsageError) -> [[String]] {
    var found: [(weight: Int, words: [String])] = [(0, [])]
    for setting in settings {
      guard found.count * setting.values.count <= most else {
        throw UsageError("at most \(grouped(most)) combinations are swept: give fewer values")
      }
      found = found.flatMap { combination in
        setting.values.enumerated().map { index, value in
          (combination.weight + index, combination.words + ["\(setting.name)=\(value)"])
        }
      }
    }
    // Equal weights stay in the order of the values.
    return found.enumerated().sorted {
      ($0.element.weight, $0.offset) < ($1.element.weight, $1.offset)
    }.map(\.element.words)
  }

  private typealias Row = Result<ProgramRequest.Answer, ProgramRequest.Failure>

  /// Returns the exit status: that of the worst combination.
  func run() throws -> Int32 {
    let compiler = try Compiler.find()
    let names = combinations.map { $0.joined(separator: " ") }
    let units = FileUnits(
      files: names,
      units: sources.map { source -> Result<ProgramRequest, ProgramRequest.Failure> in
        do {
          return .success(ProgramRequest(try source.compile(compiler), options.search))
        } catch { return .failure(ProgramRequest.Failure(error)) }
      })
    let width = names.map(\.count).max() ?? 0
    var rows: [Row] = []
    var isStopped = false
    units.run(by: executor) { number, outcome in
      let row: Row =
        switch outcome {
        case .unreadable(let error): .failure(error)
        case .done(let done): done.result
        }
      rows.append(row)
      if !isJSON { print("\(names[number].padded(to: width))  \(ProgramFolder.text(of: row))") }
      isStopped = !findsAll && ((try? row.get())?.document.verdict ?? "") == "violated"
      return !isStopped
    }
    if isJSON {
      print(try json(ProgramTable(Array(names.prefix(rows.count)), rows)))
    } else {
      print("\n\(summary(rows))")
      if let command = firstFailure(rows) { print("  \(command)") }
    }
    if !isStopped, rows.count < names.count { return ExitStatus.incomplete }
    return ProgramFolder.status(of: rows)
  }

  private func summary(_ rows: [Row]) -> String {
    let failing = rows.count { (try? $0.get())?.document.verdict == "violated" }
    let all = counted(combinations.count, "combination")
    let text = "\(program): \(rows.count) of \(all), \(failing) violated"
    return failing > 0 && !findsAll ? text + "; --all goes on" : text
  }

  /// The command that shows the first combination that fails.
  private func firstFailure(_ rows: [Row]) -> String? {
    guard
      let number = rows.firstIndex(where: { (try? $0.get())?.document.verdict == "violated" })
    else { return nil }
    let words = sources[number].words
    let all = ["check"] + words.arguments + ["--"] + words.flags
    return "\(RunningProgram.invocation) \(all.map(\.quotedForShell).joined(separator: " "))"
  }
}
