// gracewalk bench: measures the searches on programs whose counts are known.

import Foundation
import Gracewalk
import GracewalkChecking
import GracewalkCluster
import GracewalkCommands
import GracewalkReporting

enum BenchCommand {
  static let command = Command(
    name: "bench", operands: "[PROGRAM…]",
    summary: "measure searches on textbook programs and the page-table benchmark",
    details: [
      "Each row is one complete search. Counts are exact; times are of this machine, so compare",
      "rows of one run with each other. Behind the table, the standard search is divided by the",
      "best on each program. Without programs, there is also a comparison with SPIN on",
      "page-table(\(standardMappers)), in turn, if spin and gcc are installed.",
    ],
    options: [
      SharedOptions.mode,
      SharedOptions.jobs,
      Option(
        name: "spin", value: "N", help: "only compare with SPIN, on page-table(N)"),
      Option(
        name: "rounds", value: "N", help: "how often to run both in the comparison with SPIN (3)"),
      Option(
        name: "scale", value: nil,
        help: "measure what dividing work costs, and predict up to 1,000 workers"),
      Option(name: "hours", value: "H", help: "with --scale: work of H hours on one worker (24)"),
      Option(
        name: "latency", value: "S", help: "with --scale: a job runs S seconds late (2)"),
      Option(name: "svg", value: "FILE", help: "with --scale: draw the curves"),
      Option(
        name: "estimates", value: nil,
        help: "how far off the progress of the catalogue's ten longest checks is"),
      Option(
        name: "memory-models", value: nil,
        help: "states and time of the catalogue's models under each memory model"),
      OutputFormat.option(OutputFormat.words),
    ] + WorkOptions.all, run: run)

  private static let standardMappers = 6

  private static func run(_ arguments: Arguments) throws -> Int32 {
    let isJSON = try OutputFormat.chosen(arguments, of: OutputFormat.words) == .json
    if arguments.has("estimates") { return try EstimateBench.run(arguments, isJSON: isJSON) }
    if arguments.has("memory-models") { return try MemoryModelBench.run(arguments, isJSON: isJSON) }
    if arguments.has("scale") { return try runScale(arguments, isJSON: isJSON) }
    for option in ["hours", "latency", "svg"] where arguments.has(option) {
      throw UsageError("--\(option) is about --scale, which is not given")
    }
    let rounds = try arguments.count("rounds", upTo: 100) ?? 3
    if let mappers = try arguments.count("spin", upTo: 8) {
      if let missing = SpinComparison.missing { throw UsageError("--spin: \(missing)") }
      let result = try SpinComparison(mappers: mappers, rounds: rounds).run()
      if isJSON { print(try json(result)) } else { show(result) }
      return ExitStatus.holds
    }
    let strategy = try SharedOptions.strategy(arguments)
    let jobs = try arguments.count("jobs", upTo: ParallelSearch.jobsMax) ?? 1
    let chosen = try BenchProgram.named(arguments.operands).filter {
      strategy == nil || $0.strategy == strategy
    }
    var document = BenchDocument(rows: [])
    if !isJSON { print(BenchTable.heading) }
    let measurable = chosen.filter { $0.compile == nil || $0.compile?() != nil }
    let requests = measurable.map { BenchRequest($0, jobs: jobs) }
    _ = try arguments.executor().run(requests, WorkWatch()) { done in
      guard case .success(let row) = done.result else { return false }
      document.rows.append(row)
      if !isJSON { print(BenchTable.line(row)) }
      fflush(nil)
      return true
    }
    document.ratios = BenchRatio.all(of: document.rows)
    if !isJSON, !document.ratios.isEmpty {
      print("")
      BenchTable.lines(document.ratios).forEach { print($0) }
    }
    document.peakMiB = peakMemory.map { Double($0) / 1_048_576 }
    if arguments.operands.isEmpty && strategy == nil {
      document.spin = try compareWithSpin(rounds: rounds, isJSON: isJSON)
    }
    if isJSON { print(try json(document)) }
    return ExitStatus.holds
  }

  /// Predicts how fast many workers are.
  private static func runScale(_ arguments: Arguments, isJSON: Bool) throws -> Int32 {
    guard arguments.operands.isEmpty else {
      throw UsageError("--scale has a program of its own; leave out '\(arguments.operands[0])'")
    }
    var bench = ScaleBench()
    if let hours = try arguments.seconds("hours") { bench.work = hours * 3_600 }
    bench.latency = try arguments.seconds("latency") ?? bench.latency
    let measured = try bench.measure()
    let curves = ScaleModel(
      measured, work: bench.work, latency: bench.latency, failures: bench.failures
    ).curves
    if isJSON {
      print(try json(curves))
    } else {
      bench.lines(measured, curves).forEach { print($0) }
    }
    if let path = arguments.value("svg") {
      try writeNewFile(ScalePicture(curves).svg, to: path)
    }
    return ExitStatus.holds
  }

  /// Ends the table with the comparison with SPIN, or a line about what is missing for it.
  private static func compareWithSpin(rounds: Int, isJSON: Bool) throws -> SpinComparison.Result? {
    if let missing = SpinComparison.missing {
      if !isJSON { print("\n\(missing)") }
      return nil
    }
    let result = try SpinComparison(mappers: standardMappers, rounds: rounds).run()
    if !isJSON {
      print("")
      show(result)
    }
    return result
  }

  private static func show(_ result: SpinComparison.Result) {
    BenchTable.lines(result).forEach { print($0) }
  }
}

/// Peak memory of this process since its program began, in bytes; nil if the system does not tell.
///
/// Not from `getrusage`: on Linux that includes the time between fork and exec, when the process is
/// as large as its parent.
private var peakMemory: Int? {
  #if os(Linux)
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
    else { return nil }
    return line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
      .flatMap { Int($0) }.map { $0 * 1_024 }
  #else
    var usage = rusage()
    getrusage(RUSAGE_SELF, &usage)
    return usage.ru_maxrss
  #endif
}
