// gracewalk bench: how fast the searches are, on programs whose counts are known.

import Foundation
import Gracewalk
import Models
import Reporting

enum BenchCommand {
  static let command = Command(
    name: "bench", operands: "[PROGRAM…]",
    summary: "measure the searches on textbook programs and the page-table benchmark",
    details: [
      "Each row is one complete search. Counts are exact; times are of this machine, so compare",
      "rows of one run with each other.",
    ],
    options: [SharedOptions.format], run: run)

  private struct Program: Sendable {
    var name: String
    var strategy: Strategy
    var makeScenario: @Sendable () -> Scenario
  }

  private struct Row: Encodable {
    var program: String
    var search: String
    var executions: Int
    var blocked: Int
    var states: Int
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
    family.sizes.flatMap { size in
      [Strategy.source, .stateful].map { strategy in
        Program(name: "\(family.name)(\(size))", strategy: strategy) { family.make(size) }
      }
    }
  }

  private static func run(_ arguments: Arguments) throws -> Int32 {
    let chosen = try choose(arguments.operands)
    let isJSON = try SharedOptions.isJSON(arguments)
    var rows: [Row] = []
    if !isJSON { print(line(headings)) }
    for program in chosen {
      let row = measure(program)
      rows.append(row)
      if !isJSON { print(line(cells(row))) }
      fflush(nil)
    }
    if isJSON { print(try json(Document(rows: rows))) }
    return ExitStatus.holds
  }

  /// The programs with the given names, whole or without their size; all if there are none.
  private static func choose(_ names: [String]) throws(UsageError) -> [Program] {
    for name in names where !programs.contains(where: { $0.name.hasPrefix(name) }) {
      let all = families.map(\.name).joined(separator: ", ")
      throw UsageError("there is no program '\(name)' to measure; there are \(all)")
    }
    if names.isEmpty { return programs }
    return programs.filter { program in names.contains { program.name.hasPrefix($0) } }
  }

  private static func measure(_ program: Program) -> Row {
    let clock = ContinuousClock()
    let start = clock.now
    let result = program.strategy.search(Machine(program.makeScenario()), SearchOptions())
    let seconds = (clock.now - start).inSeconds
    let statistics = result.statistics
    return Row(
      program: program.name, search: program.strategy.rawValue, executions: statistics.executions,
      blocked: statistics.blocked, states: statistics.states, transitions: statistics.transitions,
      seconds: seconds,
      executionsPerSecond: Double(statistics.executions + statistics.blocked) / seconds,
      transitionsPerSecond: Double(statistics.transitions) / seconds)
  }

  private static let headings = [
    "program", "search", "executions", "blocked", "states", "transitions", "ms", "executions/s",
    "transitions/s",
  ]

  private static func cells(_ row: Row) -> [String] {
    [
      row.program, row.search, grouped(row.executions), grouped(row.blocked), grouped(row.states),
      grouped(row.transitions),
      grouped(Int((row.seconds * 1000).rounded())), grouped(Int(row.executionsPerSecond)),
      grouped(Int(row.transitionsPerSecond)),
    ]
  }

  private static func line(_ cells: [String]) -> String {
    cells[0].padded(to: 16) + cells.dropFirst().map { $0.leftPadded(to: 14) }.joined()
  }
}
