// The measurements of one search, and the table that shows them.

import Foundation
import Gracewalk
import GracewalkCommands
import GracewalkReporting

/// One complete search: exact counts, and times of this machine.
struct BenchRow: Codable {
  var program: String
  var search: String
  var executions: Int
  var blocked: Int
  var states: Int
  var transitions: Int
  var seconds: Double
  var executionsPerSecond: Double
  var transitionsPerSecond: Double

  /// Runs the program's search, on `jobs` threads if it can.
  init(measuring program: BenchProgram, jobs: Int) {
    let compiled = program.compile?()
    let makeScenario = program.makeScenario
    let clock = ContinuousClock()
    let start = clock.now
    var options = SearchOptions()
    options.usesSymmetry = program.usesSymmetry
    let result =
      compiled?.search(program.strategy, options)
      ?? program.strategy.search(jobs: jobs, options) { Machine(makeScenario()) }
    seconds = (clock.now - start).inSeconds
    let statistics = result.statistics
    self.program = program.name
    search = program.strategy.rawValue + (program.usesSymmetry ? "+symmetry" : "")
    executions = statistics.executions
    blocked = statistics.blocked
    states = statistics.states
    transitions = statistics.transitions
    executionsPerSecond = Double(statistics.executions + statistics.blocked) / seconds
    transitionsPerSecond = Double(statistics.transitions) / seconds
  }
}

/// The default search compared with the best of all measured ones on a program.
struct BenchRatio: Codable {
  var program: String
  /// Transitions of the default search, divided by the fewest of any search.
  var transitions: Double
  /// The same for time.
  var seconds: Double
  /// The searches with the fewest.
  var fewestTransitions: String
  var fewestSeconds: String

  /// Nil if there is nothing to compare.
  ///
  /// Rows with symmetry are left out: the others cannot use it.
  init?(program: String, _ rows: [BenchRow]) {
    let rows = rows.filter { $0.program == program && !$0.search.contains("+") }
    guard rows.count > 1,
      let standard = rows.first(where: { $0.search == Strategy.stateful.rawValue }),
      let smallest = rows.min(by: { $0.transitions < $1.transitions }),
      let fastest = rows.min(by: { $0.seconds < $1.seconds })
    else { return nil }
    self.program = program
    transitions = Double(standard.transitions) / Double(max(smallest.transitions, 1))
    seconds = standard.seconds / fastest.seconds
    fewestTransitions = smallest.search
    fewestSeconds = fastest.search
  }

  static func all(of rows: [BenchRow]) -> [BenchRatio] {
    var seen: Set<String> = []
    let programs = rows.map(\.program).filter { seen.insert($0).inserted }
    return programs.compactMap { BenchRatio(program: $0, rows) }
  }
}

/// The output of `gracewalk bench --format json`.
struct BenchDocument: Codable {
  var format = "gracewalk bench 1"
  var rows: [BenchRow]
  /// Per program, the default search compared with the best one.
  var ratios: [BenchRatio] = []
  /// Peak memory of the process, in MiB.
  var peakMiB: Double?
  var spin: SpinComparison.Result?
}

/// The same as lines of text.
enum BenchTable {
  private static let nameWidth = (BenchProgram.all.map(\.name.count).max() ?? 0) + 2

  static let heading = line([
    "program", "search", "executions", "blocked", "states", "transitions", "ms", "executions/s",
    "transitions/s",
  ])

  static func line(_ row: BenchRow) -> String {
    line([
      row.program, row.search, grouped(row.executions), grouped(row.blocked), grouped(row.states),
      grouped(row.transitions), grouped(Int((row.seconds * 1000).rounded())),
      grouped(Int(row.executionsPerSecond)), grouped(Int(row.transitionsPerSecond)),
    ])
  }

  /// Per program, the ratio of the default search to the best; then the worst of these.
  static func lines(_ ratios: [BenchRatio]) -> [String] {
    let format = { (value: Double) in String(format: "%.2f", value) }
    let heading = ["standard / best", "", "transitions", "by", "time", "by"]
    let worst = [
      "worst", "", format(ratios.map(\.transitions).max() ?? 1), "",
      format(ratios.map(\.seconds).max() ?? 1), "",
    ]
    let rows = ratios.map { ratio in
      [
        ratio.program, "", format(ratio.transitions), ratio.fewestTransitions,
        format(ratio.seconds), ratio.fewestSeconds,
      ]
    }
    return ([heading] + rows + [worst]).map(line)
  }

  /// Gracewalk and SPIN, side by side.
  static func lines(_ result: SpinComparison.Result) -> [String] {
    let format = { (value: Double) in String(format: "%.2f", value) }
    return [
      ["page-table(\(result.mappers))", "states", "seconds", "MiB"],
      [
        "gracewalk", grouped(result.gracewalkStates), format(result.gracewalkSeconds),
        format(result.gracewalkMiB),
      ],
      ["spin", grouped(result.spinStates), format(result.spinSeconds), format(result.spinMiB)],
      ["spin / gracewalk", "", format(result.speedRatio), format(result.memoryRatio)],
    ].map(line)
  }

  private static func line(_ cells: [String]) -> String {
    cells[0].padded(to: nameWidth) + cells[1].padded(to: 17)
      + cells.dropFirst(2).map { $0.leftPadded(to: 14) }.joined()
  }
}
