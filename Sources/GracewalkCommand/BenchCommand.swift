// gracewalk bench: how fast the searches are, on programs whose counts are known.

import Gracewalk
import Models
import Reporting

enum BenchCommand {
  static let command = Command(
    name: "bench", operands: "",
    summary: "measure the searches on textbook programs and the page-table benchmark",
    details: [
      "Each row is one complete search. Counts are exact; times are of this machine, so compare",
      "rows of one run with each other.",
    ],
    options: [SharedOptions.format], run: run)

  private struct Program: Sendable {
    var name: String
    var makeScenario: @Sendable () -> Scenario
  }

  private struct Row: Encodable {
    var program: String
    var search: String
    var executions: Int
    var blocked: Int
    var transitions: Int
    var seconds: Double
    var executionsPerSecond: Double
    var transitionsPerSecond: Double
  }

  private struct Document: Encodable {
    var format = "gracewalk bench 1"
    var rows: [Row]
  }

  private typealias Family = (name: String, sizes: [Int], make: @Sendable (Int) -> Scenario)

  private static let families: [Family] = [
    ("readers", [12, 16], { Textbook.readers($0) }),
    ("lastzero", [8, 12], { Textbook.lastzero($0) }),
    ("indexer", [12, 14], { Textbook.indexer($0) }),
    ("filesystem", [16, 19], { Textbook.filesystem($0) }),
    ("page-table", [2, 3, 4, 5, 6], { PageTableBenchmark.scenario(mappers: $0) }),
  ]

  private static let programs: [Program] = families.flatMap { family in
    family.sizes.map { size in
      Program(name: "\(family.name)(\(size))") { family.make(size) }
    }
  }

  private static func run(_ arguments: Arguments) throws -> Int32 {
    guard arguments.operands.isEmpty else { throw UsageError("bench takes no operands") }
    let isJSON = try SharedOptions.isJSON(arguments)
    var rows: [Row] = []
    if !isJSON { print(line(headings)) }
    for program in programs {
      let row = measure(program)
      rows.append(row)
      if !isJSON { print(line(cells(row))) }
    }
    if isJSON { print(try json(Document(rows: rows))) }
    return ExitStatus.holds
  }

  private static func measure(_ program: Program) -> Row {
    let clock = ContinuousClock()
    let start = clock.now
    let result = SourceSearch(Machine(program.makeScenario()), SearchOptions()).run()
    let seconds = (clock.now - start).inSeconds
    let statistics = result.statistics
    return Row(
      program: program.name, search: Strategy.source.rawValue, executions: statistics.executions,
      blocked: statistics.blocked, transitions: statistics.transitions, seconds: seconds,
      executionsPerSecond: Double(statistics.executions + statistics.blocked) / seconds,
      transitionsPerSecond: Double(statistics.transitions) / seconds)
  }

  private static let headings = [
    "program", "executions", "blocked", "transitions", "ms", "executions/s", "transitions/s",
  ]

  private static func cells(_ row: Row) -> [String] {
    [
      row.program, grouped(row.executions), grouped(row.blocked), grouped(row.transitions),
      grouped(Int((row.seconds * 1000).rounded())), grouped(Int(row.executionsPerSecond)),
      grouped(Int(row.transitionsPerSecond)),
    ]
  }

  private static func line(_ cells: [String]) -> String {
    cells[0].padded(to: 16) + cells.dropFirst().map { $0.leftPadded(to: 14) }.joined()
  }
}
