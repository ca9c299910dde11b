// gracewalk bench --scale: measures what dividing work costs, and predicts many workers.

import Foundation
import Gracewalk
import GracewalkChecking
import GracewalkCluster
import GracewalkCommands
import GracewalkExploration
import GracewalkModels
import GracewalkReporting

/// Measures on this machine, and simulates up to 1,000 workers.
struct ScaleBench {
  /// Seconds of the predicted work on one machine, of waiting for a job; the part that fails.
  var work = 86_400.0
  var latency = 2.0
  var failures = 0.01

  private static let units = [2, 4, 8, 16]
  private static let sweptModel = "collapse-locked-descendants"

  private static func makeScenario() -> Scenario { IdenticalMappers.scenario(mappers: 5) }

  private func search(
    _ units: Int, _ distant: DistantRounds? = nil
  ) -> (result: SearchResult, seconds: Double) {
    var options = SearchOptions()
    options.distantRounds = distant
    let clock = ContinuousClock()
    let start = clock.now
    let result = ParallelSearch.run(jobs: 1, options, Self.division(units)) {
      Machine(Self.makeScenario())
    }
    return (result, (clock.now - start).inSeconds)
  }

  /// Divided early, since what is measured must not take a day.
  private static func division(_ units: Int) -> ParallelSearch.Division {
    var division = ParallelSearch.Division.units(units)
    division.start = units == 1 ? Int.max : 1 << 16
    return division
  }

  /// What a search costs that is divided, with all that messages to other processes need.
  private struct Divided {
    var transitions = 0
    /// In all, and in the units.
    var seconds = 0.0
    var unitSeconds = 0.0
    /// Per round, the times of its units.
    var rounds: [[Double]] = []

    /// The times of units, divided by the longest of their round.
    var ratios: [Double] {
      rounds.flatMap { times in
        let longest = times.max() ?? 0
        return times.map { longest > 0 ? $0 / longest : 1 }
      }
    }

    /// The part of all rounds in which units wait.
    func idle(_ units: Int) -> Double {
      let longest = rounds.reduce(0) { $0 + ($1.max() ?? 0) }
      return longest > 0 ? max(1 - unitSeconds / longest / Double(units), 0) : 0
    }
  }

  private func divide(_ units: Int) -> Divided {
    var divided = Divided()
    let division = Self.division(units)
    let player = RoundPlayer(SearchOptions(), division) { Machine(Self.makeScenario()) }
    let clock = ContinuousClock()
    let distant = DistantRounds(turnsMin: 1) { news, members in
      var times: [Double] = []
      guard (try? player.learn(news)) != nil else { return nil }
      let answers = members.map { member -> [UInt8] in
        let start = clock.now
        defer { times.append((clock.now - start).inSeconds) }
        return (try? player.play(member)) ?? []
      }
      divided.rounds.append(times)
      divided.unitSeconds += times.reduce(0, +)
      return answers
    }
    let (result, seconds) = search(units, distant)
    divided.transitions = result.statistics.transitions
    divided.seconds = seconds
    return divided
  }

  func measure() throws -> ScaleMeasurements {
    let (whole, seconds) = search(1)
    let transitions = Double(whole.statistics.transitions)
    var doneTwice: [Int: Double] = [:]
    var idle: [Int: Double] = [:]
    var divided = Divided()
    for units in Self.units {
      divided = divide(units)
      doneTwice[units] = max(Double(divided.transitions) / transitions - 1, 0)
      idle[units] = divided.idle(units)
    }
    let rate = transitions / seconds
    let count = Double(divided.transitions)
    return ScaleMeasurements(
      rate: rate, doneTwice: doneTwice, idle: idle, ratios: divided.ratios,
      sweepRatios: try sweepRatios(),
      overhead: max(divided.unitSeconds - count / rate, 0)
        / Double(max(divided.rounds.joined().count, 1)),
      merge: max(divided.seconds - divided.unitSeconds, 0) / count)
  }

  private func sweepRatios() throws -> [Double] {
    guard let model = Catalogue.model(named: Self.sweptModel) else { return [] }
    var options = SweepOptions()
    options.findsAll = true
    let times = TimesOfUnits(ThreadExecutor([model]))
    _ = try model.sweep(options, by: times)
    let seconds = times.seconds
    let mean = seconds.reduce(0, +) / Double(max(seconds.count, 1))
    return seconds.map { mean > 0 ? $0 / mean : 1 }
  }

  // MARK: Output

  func lines(_ measured: ScaleMeasurements, _ curves: [ScaleCurve]) -> [String] {
    let twice = Self.units.map { units in
      "\(units) units \(percent(measured.doneTwice[units] ?? 0))"
    }
    let idle = Self.units.map { units in
      "\(units) units \(percent(measured.idle[units] ?? 0))"
    }
    var lines = [
      "measured: \(grouped(Int(measured.rate))) transitions a second on one worker; done twice: "
        + twice.joined(separator: ", "),
      "  waiting for other units: \(idle.joined(separator: ", "))",
      "  \(text(measured.overhead * 1_000)) ms a unit to pack and unpack, "
        + "\(text(measured.merge * 1e6)) µs a transition to merge",
      "predicted: \(text(work / 3_600)) h of work, \(text(latency)) s until a job runs, "
        + "\(percent(failures)) of units fail", "",
      "workers" + curves.map { $0.name.leftPadded(to: 22) }.joined(),
    ]
    for (row, workers) in ScaleModel.workers.enumerated() {
      let cells = curves.map { curve in
        let point = curve.points[row]
        return "\(duration(point.seconds)), \(text(point.speedUp)) times".leftPadded(to: 22)
      }
      lines.append("\(workers)".leftPadded(to: 7) + cells.joined())
    }
    return lines
  }

  private func text(_ value: Double) -> String {
    String(format: value < 10 ? "%.1f" : "%.0f", value)
  }

  private func percent(_ value: Double) -> String { "\(Int((value * 100).rounded())) %" }

  private func duration(_ seconds: Double) -> String {
    seconds < 120
      ? "\(text(seconds)) s"
      : seconds < 7_200 ? "\(text(seconds / 60)) min" : "\(text(seconds / 3_600)) h"
  }
}

/// Notes how long units take.
private final class TimesOfUnits: Executor, @unchecked Sendable {
  private let threads: ThreadExecutor
  private(set) var seconds: [Double] = []
  var width: Int { threads.width }

  init(_ threads: ThreadExecutor) { self.threads = threads }

  func run<Unit: WorkUnit>(
    _ units: [Unit], _ watch: WorkWatch<Unit>, take: (WorkDone<Unit>) -> Bool
  ) -> Bool {
    threads.run(units, watch) { done in
      seconds.append(done.seconds)
      return take(done)
    }
  }
}
