// The units of one call of the executor: which are answered, under way, or still to be submitted.

import Foundation
import GracewalkSupport

/// What is known about some units that jobs do.
struct JobWork {
  let units: [NamedUnit]
  private var answered: [Bool]
  private(set) var answeredCount = 0
  /// Answered units that have been counted as done.
  private let counted = Locked(0)
  /// Per unit, how often a job that had it ended without its answer.
  private(set) var failures: [Int: Int] = [:]
  /// The unanswered units of the jobs under way.
  private var flights: [JobElement: [Int]] = [:]
  /// Bundles on offer for which no job was submitted, and since when.
  private var onOffer: [JobElement: ContinuousClock.Instant] = [:]
  /// The jobs that have taken bundles that were on offer.
  private var takers: [JobElement: JobElement] = [:]
  /// Jobs that the batch system no longer knows, since when.
  private var missing: [JobElement: ContinuousClock.Instant] = [:]
  private(set) var running = 0
  private var nextPoll = ContinuousClock.now
  private var nextSubmit = ContinuousClock.now
  private let numbers: [String: Int]

  /// Seconds after which a job that is gone, and has said nothing, has failed.
  private static let patience = 2.0

  init(_ units: [NamedUnit]) {
    self.units = units
    answered = Array(repeating: false, count: units.count)
    numbers = Dictionary(units.indices.map { (units[$0].name, $0) }) { first, _ in first }
  }

  var unanswered: [Int] { units.indices.filter { !answered[$0] } }
  func isAnswered(_ number: Int) -> Bool { answered[number] }

  mutating func answer(_ number: Int) {
    guard !answered[number] else { return }
    answered[number] = true
    answeredCount += 1
  }

  /// An answer turned out to be worthless.
  mutating func reopen(_ number: Int) {
    guard answered[number] else { return }
    answered[number] = false
    answeredCount -= 1
  }

  /// Units answered since the last call.
  func takeNew() -> Int {
    counted.withLock { counted in
      defer { counted = max(counted, answeredCount) }
      return max(answeredCount - counted, 0)
    }
  }

  /// Units that no job is doing.
  var open: [Int] {
    let inFlight = Set(flights.values.joined())
    return unanswered.filter { !inFlight.contains($0) }
  }

  /// Whether it is time to submit; not too often, so that units that are left come together.
  var maySubmit: Bool { nextSubmit <= .now }

  // MARK: Jobs

  /// Finds the jobs of an earlier coordinator that do some of these units.
  mutating func adopt(
    _ alive: (waiting: Set<JobElement>, running: Set<JobElement>)?, _ folder: WorkFolder
  ) {
    guard let alive else { return }
    for element in alive.waiting.union(alive.running) {
      guard let bytes = FolderFiles.bytes(of: "\(folder.list(element.list))/\(element.bundle)"),
        let bundle = try? WorkBundle(bytes)
      else { continue }
      let own = bundle.units.compactMap { numbers[$0.name] }
      guard !own.isEmpty else { continue }
      flights[element] = own
    }
    running = alive.running.count { flights[$0] != nil }
  }

  mutating func submitted(_ list: String, _ bundles: [[Int]]) {
    for (number, units) in bundles.enumerated() {
      flights[JobElement(list: list, bundle: number)] = units
    }
    nextSubmit = .now + .milliseconds(500)
  }

  /// Bundles are on offer to jobs that wait.
  mutating func offered(_ list: String, _ bundles: [[Int]]) {
    for (number, units) in bundles.enumerated() {
      let element = JobElement(list: list, bundle: number)
      flights[element] = units
      onOffer[element] = .now
    }
    nextSubmit = .now + .milliseconds(500)
  }

  /// The job that does a bundle, as far as is known.
  func job(of element: JobElement) -> JobElement { takers[element] ?? element }

  /// Notes who has taken bundles; returns those that nobody wants, which then need jobs.
  mutating func noteTakers(_ folder: WorkFolder) -> [JobElement] {
    for element in flights.keys where takers[element] == nil {
      guard let taker = RoundOffer.taker(of: element, in: folder) else { continue }
      takers[element] = taker
      onOffer[element] = nil
    }
    let now = ContinuousClock.now
    let unwanted = onOffer.filter { now - $0.value >= .seconds(RoundOffer.seconds) }.keys
    for element in unwanted { onOffer[element] = nil }
    return unwanted.sorted { ($0.list, $0.bundle) < ($1.list, $1.bundle) }
  }

  /// A job has ended; returns its units without answers.
  ///
  /// - Parameter hasFailed: whether it has said nothing, or has done nothing.
  @discardableResult
  mutating func end(_ element: JobElement, hasFailed: Bool) -> [Int] {
    missing[element] = nil
    onOffer[element] = nil
    takers[element] = nil
    guard let units = flights.removeValue(forKey: element) else { return [] }
    let left = units.filter { !answered[$0] }
    if hasFailed { for number in left { failures[number, default: 0] += 1 } }
    return left
  }

  /// The lists of jobs under way, sorted.
  var listsInFlight: [String] { Set(flights.keys.map(\.list)).sorted() }

  var isPollDue: Bool { nextPoll <= .now && !flights.isEmpty }

  mutating func polled(after seconds: Double) { nextPoll = .now + .seconds(seconds) }

  /// The jobs that have been gone for a while.
  mutating func lost(
    _ alive: (waiting: Set<JobElement>, running: Set<JobElement>)
  ) -> [JobElement] {
    let now = ContinuousClock.now
    var lost: [JobElement] = []
    running = 0
    for element in flights.keys.sorted(by: { ($0.list, $0.bundle) < ($1.list, $1.bundle) })
    where onOffer[element] == nil {
      let job = job(of: element)
      if alive.running.contains(job) { running += 1 }
      if alive.running.contains(job) || alive.waiting.contains(job) {
        missing[element] = nil
      } else if let since = missing[element] {
        if now - since >= .seconds(Self.patience) { lost.append(element) }
      } else {
        missing[element] = now
      }
    }
    return lost
  }

  /// Divides units among jobs, in order: those of jobs that failed into small bundles, and those
  /// of jobs that failed again each alone.
  static func divide(_ open: [Int], failures: (Int) -> Int, into count: Int) -> [[Int]] {
    let suspects = open.filter { failures($0) == 1 }
    return open.filter { failures($0) > 1 }.map { [$0] }
      + parts(suspects, min(max(count, 1), 8))
      + parts(open.filter { failures($0) == 0 }, max(count, 1))
  }

  private static func parts(_ units: [Int], _ count: Int) -> [[Int]] {
    let count = min(count, units.count)
    return (0..<count).map { part in
      Array(units[units.count * part / count..<units.count * (part + 1) / count])
    }
  }
}
