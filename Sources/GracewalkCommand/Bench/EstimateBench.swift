// gracewalk bench --estimates: how far off the progress is that long checks report.

import Foundation
import Gracewalk
import GracewalkChecking
import GracewalkCommands
import GracewalkReporting

enum EstimateBench {
  private static let checks = 10

  static func run(_ arguments: Arguments, isJSON: Bool) throws -> Int32 {
    guard arguments.operands.isEmpty else {
      throw UsageError("--estimates measures the longest checks; leave out the programs")
    }
    var runs: [EstimatedRun] = []
    for model in arguments.models {
      for declared in model.declaredChecks {
        if let run = try EstimatedRun(model, declared) { runs.append(run) }
      }
    }
    let longest = Array(runs.sorted { $0.transitions > $1.transitions }.prefix(checks))
    if isJSON {
      print(try json(longest))
    } else {
      lines(longest).forEach { print($0) }
    }
    return ExitStatus.holds
  }

  /// A line for each check: its error at each tenth, in points, and the mean.
  private static func lines(_ runs: [EstimatedRun]) -> [String] {
    func line(_ name: String, _ transitions: String, _ cells: [String], _ mean: String) -> String {
      name.padded(to: 44) + transitions.leftPadded(to: 12)
        + cells.map { $0.leftPadded(to: 6) }.joined() + mean.leftPadded(to: 8)
    }
    func format(_ value: Double) -> String { String(format: "%.0f", value) }
    let tenths = (1..<10).map { "\($0)0 %" }
    let means = runs.map(\.mean)
    let mean = means.reduce(0, +) / Double(max(means.count, 1))
    return [line("error in points at", "transitions", tenths, "mean")]
      + runs.map { run in
        line(
          run.model, grouped(run.transitions), run.errors.map { $0.map(format) ?? "–" },
          String(format: "%.1f", run.mean))
      } + [line("mean", "", [], String(format: "%.1f", mean))]
  }
}
