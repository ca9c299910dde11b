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
    options: [
      SharedOptions.mode,
      SharedOptions.jobs,
      Option(
        name: "spin", value: "N",
        help: "compare with SPIN on page-table(N) instead, if spin and gcc are installed"),
      Option(name: "rounds", value: "N", help: "how often, with --spin (3)"),
      SharedOptions.format,
    ], run: run)

  private struct Program: Sendable {
    var name: String
    var strategy: Strategy
    var makeScenario: @Sendable () -> Scenario
  }

  struct Row: Codable {
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

  struct Document: Codable {
    var format = "gracewalk bench 1"
    var rows: [Row]
  }

  private struct Family: Sendable {
    var name: String
    var sizes: [Int]
    /// The largest size for the search without memory, and for the one without reduction.
    var stateless = Int.max
    var exhaustive = 0
    var make: @Sendable (Int) -> Scenario

    func fits(_ strategy: Strategy, _ size: Int) -> Bool {
      switch strategy {
      case .stateful: true
      case .optimal, .source: size <= stateless
      case .exhaustive: size <= exhaustive
      case .sleep, .random, .pct: false
      }
    }
  }

  private static let families: [Family] = [
    Family(name: "readers", sizes: [12, 16, 18]) { Textbook.readers($0) },
    Family(name: "lastzero", sizes: [8, 12, 15]) { Textbook.lastzero($0) },
    Family(name: "indexer", sizes: [12, 14]) { Textbook.indexer($0) },
    Family(name: "filesystem", sizes: [16, 19]) { Textbook.filesystem($0) },
    Family(name: "page-table", sizes: [2, 3, 4, 5, 6, 7], stateless: 6, exhaustive: 5) {
      PageTableBenchmark.scenario(mappers: $0)
    },
  ]

  private static func show(_ result: SpinComparison.Result, isJSON: Bool) throws {
    if isJSON {
      print(try json(result))
      return
    }
    let format = { (value: Double) in String(format: "%.2f", value) }
    let rows = [
      ["page-table(\(result.mappers))", "states", "seconds", "MiB"],
      [
        "gracewalk", grouped(result.gracewalkStates), format(result.gracewalkSeconds),
        format(result.gracewalkMiB),
      ],
      [
        "spin", grouped(result.spinStates), format(result.spinSeconds), format(result.spinMiB),
      ],
      ["ratio", "", format(result.speedRatio), format(result.memoryRatio)],
    ]
    rows.forEach { print(line($0)) }
  }

  private static let programs: [Program] = families.flatMap { family in
    family.sizes.flatMap { size in
      Strategy.allCases.filter { family.fits($0, size) }.map { strategy in
        Program(name: "\(family.name)(\(size))", strategy: strategy) { family.make(size) }
      }
    }
  }

  private static func run(_ arguments: Arguments) throws -> Int32 {
    let isJSON = try SharedOptions.isJSON(arguments)
    if let mappers = try arguments.count("spin", upTo: 8) {
      let rounds = try arguments.count("rounds", upTo: 100) ?? 3
      let result = try SpinComparison(mappers: mappers, rounds: rounds).run()
      try show(result, isJSON: isJSON)
      return ExitStatus.holds
    }
    let strategy = try SharedOptions.strategy(arguments)
    let jobs = try arguments.count("jobs", upTo: ParallelSearch.jobsMax) ?? 1
    let chosen = try choose(arguments.operands).filter {
      strategy == nil || $0.strategy == strategy
    }
    var rows: [Row] = []
    if !isJSON { print(line(headings)) }
    for program in chosen {
      let row = measure(program, jobs: jobs)
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

  private static func measure(_ program: Program, jobs: Int) -> Row {
    let clock = ContinuousClock()
    let start = clock.now
    let makeScenario = program.makeScenario
    let result =
      jobs > 1 && program.strategy == .stateful
      ? ParallelSearch.run(jobs: jobs, SearchOptions()) { Machine(makeScenario()) }
      : program.strategy.search(Machine(makeScenario()), SearchOptions())
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
