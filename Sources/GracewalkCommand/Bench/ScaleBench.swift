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
    division.turns = 1 << 11
    return division
  }

  func measure() throws -> ScaleMeasurements {
    let (whole, seconds) = search(1)
    let transitions = Double(whole.statistics.transitions)
    var doneTwice: [Int: Double] = [:]
    for units in Self.units {
      let divided = search(units).result
      doneTwice[units] = max(Double(divided.statistics.transitions) / transitions - 1, 0)
    }
    // The same with all that a message to another process needs.
    var played: [[Double]] = []
    var plain = 0.0
    let clock = ContinuousClock()
    let distant = DistantRounds(turnsMin: 1) { common, members in
      var times: [Double] = []
      let answers = members.map { member -> [UInt8] in
        let start = clock.now
        defer { times.append((clock.now - start).inSeconds) }
        return
          (try? ParallelSearch.play(
            common: common, member: member, SearchOptions(), Self.division(16)
          ) { Machine(Self.makeScenario()) }) ?? []
      }
      played.append(times)
      plain += times.reduce(0, +)
      return answers
    }
    let (messages, messageSeconds) = search(16, distant)
    let unitCount = Double(max(played.joined().count, 1))
    let rate = transitions / seconds
    let explored = Double(messages.statistics.transitions) / rate
    let ratios = played.flatMap { times in
      let mean = times.reduce(0, +) / Double(max(times.count, 1))
      return times.map { mean > 0 ? $0 / mean : 1 }
    }
    return ScaleMeasurements(
      rate: rate, doneTwice: doneTwice, ratios: ratios, sweepRatios: try sweepRatios(),
      overhead: max(plain - explored, 0) / unitCount,
      merge: max(messageSeconds - plain, 0) / Double(messages.statistics.transitions))
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
    var lines = [
      "measured: \(grouped(Int(measured.rate))) transitions a second on one worker; done twice: "
        + twice.joined(separator: ", "),
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
