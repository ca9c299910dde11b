// Predicts how fast many workers are, from what was measured on one machine.

import Foundation
import GracewalkSupport

/// What a prediction is made from; times are in seconds.
package struct ScaleMeasurements: Codable, Sendable {
  /// Transitions a second of a search that is not divided.
  package var rate: Double
  /// For numbers of units: how much more was explored than without division, as a fraction.
  package var doneTwice: [Int: Double]
  /// For numbers of units: the part of a round in which a unit waits for others.
  package var idle: [Int: Double]
  /// Times of units, divided by the longest of their round.
  package var ratios: [Double]
  /// Times of the checks of a sweep, divided by their mean.
  package var sweepRatios: [Double]
  /// To write, read and start from what a unit needs, and to write and read its answer.
  package var overhead: Double
  /// To merge what was found, for each transition; one process does it.
  package var merge: Double

  package init(
    rate: Double, doneTwice: [Int: Double], idle: [Int: Double], ratios: [Double],
    sweepRatios: [Double], overhead: Double, merge: Double
  ) {
    self.rate = rate
    self.doneTwice = doneTwice
    self.idle = idle
    self.ratios = ratios
    self.sweepRatios = sweepRatios
    self.overhead = overhead
    self.merge = merge
  }
}

/// The curve of a kind of work.
package struct ScaleCurve: Codable, Sendable {
  package struct Point: Codable, Sendable {
    package var workers: Int
    package var seconds: Double
    package var speedUp: Double
    /// The part of the work that is done twice.
    package var doneTwice: Double
  }

  package var name: String
  package var points: [Point]
}

/// Simulates work on many workers.
package struct ScaleModel: Sendable {
  private let measured: ScaleMeasurements
  /// Seconds that the work takes on one machine.
  private let work: Double
  /// Seconds until a job that was submitted runs.
  private let latency: Double
  /// The part of units that fail, and are done again.
  private let failures: Double

  /// The workers that are simulated.
  package static let workers = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_000]
  /// Units of a sweep.
  package static let sweepUnits = 20_000
  /// As `ParallelSearch.Division.units` has it.
  private static let growth = 48.0
  /// Seconds until jobs that wait have the next round.
  private static let roundLatency = 0.1
  /// Transitions of a unit from which on its round is sent to other processes.
  private static let turnsMin = 250_000.0

  package init(
    _ measured: ScaleMeasurements, work: Double, latency: Double, failures: Double
  ) {
    self.measured = measured
    self.work = work
    self.latency = latency
    self.failures = failures
  }

  package var curves: [ScaleCurve] {
    [curve("one check") { check($0) }, curve("sweep") { (sweep($0), 0) }]
  }

  private func curve(
    _ name: String, _ run: (Int) -> (seconds: Double, doneTwice: Double)
  ) -> ScaleCurve {
    ScaleCurve(
      name: name,
      points: Self.workers.map { workers in
        let (seconds, doneTwice) = run(workers)
        return ScaleCurve.Point(
          workers: workers, seconds: seconds, speedUp: work / seconds, doneTwice: doneTwice)
      })
  }

  /// What a number of units does twice.
  package func doneTwice(_ units: Int) -> Double { Self.value(measured.doneTwice, units) }

  /// What was measured for a number of units, or its continuation along their logarithm.
  private static func value(_ measured: [Int: Double], _ units: Int) -> Double {
    if units == 1 { return 0 }
    if let known = measured[units] { return known }
    guard let most = measured.keys.max(), most > 1 else { return 0 }
    return (measured[most] ?? 0) * log2(Double(units)) / log2(Double(most))
  }

  /// The time of a unit, which may be a straggler, and may fail on the way.
  private func time(
    _ mean: Double, _ ratios: [Double], _ random: inout SplitMix64
  ) -> Double {
    let ratio = ratios.isEmpty ? 1 : ratios[random.below(ratios.count)]
    var time = mean * ratio + measured.overhead
    while unit(&random) < failures { time += unit(&random) * mean * ratio + latency }
    return time
  }

  private func unit(_ random: inout SplitMix64) -> Double {
    Double(random.next() >> 11) * 0x1p-53
  }

  /// Rounds: the slowest unit ends each, then one process merges.
  private func check(_ workers: Int) -> (Double, Double) {
    guard workers > 1 else { return (work, 0) }
    var random = SplitMix64(seed: UInt64(workers))
    let twice = doneTwice(workers)
    let busy = 1 - min(Self.value(measured.idle, workers), 0.95)
    let total = work * (1 + twice)
    var done = 1.0
    var seconds = done
    while done < total {
      // Shorter rounds are played by the coordinator.
      let most = (total - done) / Double(workers) / busy
      let length = min(done / Self.growth / Double(workers), most)
      let isSent = length * measured.rate >= Self.turnsMin
      let added = length * Double(workers) * busy
      if isSent {
        var slowest = 0.0
        for _ in 0..<workers { slowest = max(slowest, time(length, measured.ratios, &random)) }
        seconds += slowest + Self.roundLatency + added * measured.rate * measured.merge
      } else {
        seconds += added
      }
      done += max(added, total * 1e-6)
    }
    return (seconds, twice)
  }

  /// Independent units: whoever is free takes the next.
  private func sweep(_ workers: Int) -> Double {
    var random = SplitMix64(seed: UInt64(workers))
    let mean = work / Double(Self.sweepUnits)
    // Jobs take bundles; each worker has several, and waits once for each.
    let bundles = max(workers * 4, 64)
    let size = max(Self.sweepUnits / bundles, 1)
    var free = Array(repeating: 0.0, count: workers)
    var left = Self.sweepUnits
    while left > 0 {
      var time = latency
      for _ in 0..<min(size, left) { time += self.time(mean, measured.sweepRatios, &random) }
      left -= min(size, left)
      let first = free.indices.min { free[$0] < free[$1] } ?? 0
      free[first] += time
    }
    return free.max() ?? 0
  }
}
