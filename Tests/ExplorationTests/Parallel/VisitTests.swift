// Searches that visit each state once, divided: verdicts and counts are those of one thread.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkModels
import GracewalkSupport
import TestExpectations
import TestSupport
import Testing

/// A random graph of 40 states, mostly with steps to later states.
private func randomGraph(seed: UInt64) -> WrittenGraph {
  var random = SplitMix64(seed: seed)
  let count = 40
  let edges = (0..<count).map { state in
    let steps = state == count - 1 ? 0 : 1 + Int(random.next() % 3)
    return (0..<steps).map { step in
      let isBack = random.next() % 6 == 0
      let target =
        isBack
        ? Int(random.next() % UInt64(state + 1))
        : min(state + 1 + Int(random.next() % 8), count - 1)
      return (cpu: step % 2, target: target)
    }.sorted { $0.cpu < $1.cpu }
  }
  return WrittenGraph(cpus: 2, edges)
}

struct VisitTests {
  private static func exhaustive(
    jobs: Int = 1, _ options: SearchOptions = .collecting,
    _ division: ParallelSearch.Division = .fine, without omitted: ParallelSearch.VisitOmission = [],
    of make: @escaping () -> TransitionSystem
  ) -> SearchResult {
    ParallelSearch.runExhaustive(
      jobs: jobs, options, division, without: omitted, makeSystem: make)
  }

  /// The counts that do not depend on the order in which states are visited.
  private static func counts(_ result: SearchResult) -> [Int] {
    [result.statistics.states, result.statistics.transitions, result.statistics.executions]
  }

  /// Visits each state once, too, but is not divided.
  private static func oracle(_ make: () -> TransitionSystem) -> SearchResult {
    LivenessSearch(make(), .collecting, looksForLivelocks: false).run()
  }

  private static func expectSame(_ result: SearchResult, _ oracle: SearchResult, _ what: String) {
    #expect(result.ending == oracle.ending, "\(what)")
    if oracle.ending != .complete { return }
    #expect(result.finalStates == oracle.finalStates, "\(what)")
    #expect(counts(result) == counts(oracle), "\(what)")
  }

  @Test func toysCountTheSame() {
    for seed in 60_000..<60_300 as Range<UInt64> {
      let make = { ToySystem(seed: seed) }
      let results = [1, 2, 3].map { Self.exhaustive(jobs: $0, of: make) }
      Self.expectSame(
        results[0], Self.oracle(make), "seed \(seed)")
      for result in results.dropFirst() { expectAllEqual(result, results[0], "seed \(seed)") }
    }
  }

  @Test(arguments: 2...3) func randomProgramsAgree(jobs: Int) {
    for isExact in [false, true] {
      let report = Fuzzer(.exhaustive, isExact: isExact, jobs: jobs)
        .run(seeds: 0..<300, size: .small)
      #expect(report.programs == 300)
      #expect(report.mismatches == [])
      #expect(report.violated == 13)
    }
  }

  @Test(arguments: 2...3) func loopsAgree(jobs: Int) {
    var fuzzer = Fuzzer(.stateful, jobs: jobs)
    fuzzer.hasRepeats = true
    let report = fuzzer.run(seeds: 0..<300, size: .small)
    #expect(report.programs == 300)
    #expect(report.mismatches == [])
    #expect(report.violated > 0)
  }

  // MARK: Livelocks

  private static func livelock(
    jobs: Int = 1, seed: UInt64, firstLook: Int = 1 << 17,
    without omitted: ParallelSearch.VisitOmission = []
  ) -> SearchResult {
    ParallelSearch.runRepeating(
      jobs: jobs, .collecting, .fine, firstLook: firstLook, without: omitted
    ) { randomGraph(seed: seed) }
  }

  /// The simplest livelock of a graph does not depend on the order in which states get numbers.
  @Test func livelocksAreTheSame() {
    var found = 0
    for seed in 0..<400 as Range<UInt64> {
      let whole = LivenessSearch(randomGraph(seed: seed), .collecting).run()
      let one = Self.livelock(seed: seed)
      #expect(one.ending == whole.ending, "seed \(seed)")
      #expect(one.schedule == whole.schedule, "seed \(seed)")
      #expect(one.isSimplest == whole.isSimplest, "seed \(seed)")
      #expect(one.finalStates == whole.finalStates, "seed \(seed)")
      #expect(Self.counts(one) == Self.counts(whole), "seed \(seed)")
      if one.ending == .violation { found += 1 }
      for jobs in 2...3 {
        expectAllEqual(Self.livelock(jobs: jobs, seed: seed), one, "seed \(seed)")
      }
    }
    #expect(found == 397)
  }

  /// Looks for livelocks before all states are known, and finds none that is not there.
  @Test func livelocksAreLookedForOnTheWay() {
    var early = 0
    for seed in 0..<400 as Range<UInt64> {
      let whole = Self.livelock(seed: seed)
      let one = Self.livelock(seed: seed, firstLook: 12)
      #expect(one.ending == whole.ending, "seed \(seed)")
      if one.ending == .violation && !one.isSimplest { early += 1 }
      expectAllEqual(Self.livelock(jobs: 2, seed: seed, firstLook: 12), one, "seed \(seed)")
    }
    #expect(early == 322)
  }

  // MARK: What tests can tell

  @Test func wrongNumbersAreFound() {
    let loss = (0..<400).first { (seed: UInt64) in
      Self.livelock(seed: seed, without: .numbers).schedule != Self.livelock(seed: seed).schedule
    }
    #expect(loss == 0)
  }

  /// The first toy program on which a divided search counts otherwise.
  private static func firstLoss(without omitted: ParallelSearch.VisitOmission) -> UInt64? {
    (0..<1_000).first { seed in
      let make = { ToySystem(seed: seed) }
      let oracle = oracle(make)
      return oracle.ending == .complete
        && counts(exhaustive(without: omitted, of: make)) != counts(oracle)
    }
  }

  @Test func lossesAreFound() {
    #expect(Self.firstLoss(without: []) == nil)
    #expect(Self.firstLoss(without: .gifts) == 0)
    #expect(Self.firstLoss(without: .laterVisitors) == 0)
    #expect(Self.firstLoss(without: .closing) == 0)
  }

  // MARK: Bounds and ends

  @Test func countsAreThoseOfTheGraph() {
    let make = mappers(3)
    let one = Self.exhaustive(.collecting, .coarse, of: make)
    Self.expectSame(one, Self.oracle(make), "mappers")
    let whole = ExhaustiveSearch(make(), .collecting).run()
    #expect(one.finalStates == whole.finalStates)
    // It comes again to states that it reaches by fewer steps.
    #expect(Self.counts(one) == [4_872, 14_319, 21])
    #expect(Self.counts(whole) == [4_872, 15_523, 37])
    #expect(one.statesTwice ?? 0 > 0)
    for jobs in [2, 3, 8] {
      expectAllEqual(
        Self.exhaustive(jobs: jobs, .collecting, .coarse, of: make), one, "\(jobs) threads")
    }
  }

  /// Also with a violation at the end of an execution, and with other numbers of threads.
  @Test(arguments: ["collapse-free-at-once", "shared-memcache-leak"])
  func aViolationIsTheSame(name: String) throws {
    guard let model = Catalogue.model(named: name) else { return }
    _ = try model.scenario()
    let make = { Machine((try? model.scenario()) ?? Scenario()) }
    let one = Self.exhaustive(of: make)
    #expect(one.ending == .violation)
    for jobs in 2...3 { expectAllEqual(Self.exhaustive(jobs: jobs, of: make), one, "\(jobs)") }
  }

  /// Bounds that cut executions are exact, since the search is not divided.
  @Test func executionsAreCutExactly() {
    var options = SearchOptions.collecting
    options.limits.preemptions = 1
    expectAllEqual(
      Self.exhaustive(jobs: 2, options, .fine, of: mappers(2)),
      ExhaustiveSearch(mappers(2)(), options).run(), "preemptions")
    options.limits = Limits(depth: 10)
    let result = Self.exhaustive(jobs: 2, options, .fine, of: mappers(2))
    #expect(result.ending == .bounded(.depth))
    expectAllEqual(result, ExhaustiveSearch(mappers(2)(), options).run(), "depth")
  }

  /// Other bounds are met between two rounds, and the search says how far it is.
  @Test func aBoundOnStatesIsMet() throws {
    var options = SearchOptions.collecting
    options.limits.states = 3_000
    let one = Self.exhaustive(jobs: 1, options, .coarse, of: mappers(3))
    #expect(one.ending == .bounded(.states))
    #expect((3_000..<4_000).contains(one.statistics.states))
    #expect((0.1..<1).contains(try #require(one.explored)))
    expectAllEqual(
      Self.exhaustive(jobs: 2, options, .coarse, of: mappers(3)), one, "two threads")
  }

  /// Saved and gone on with after every few transitions, with another number of threads.
  @Test(arguments: [1, 3], [false, true]) func piecesMakeAWhole(jobs: Int, isExact: Bool) {
    var options = SearchOptions.collecting
    options.isExact = isExact
    for seed in 0..<60 as Range<UInt64> {
      let make = { Machine(RandomProgram.scenario(seed: seed, size: .small), isExact: isExact) }
      let whole = Self.exhaustive(options, .fine, of: make)
      let result = Strategy.search(inPiecesOf: 9, options) {
        let identities = isExact ? Identities(isShared: true) : nil
        return Self.exhaustive(jobs: jobs, $0, .fine) {
          Machine(RandomProgram.scenario(seed: seed, size: .small), identities: identities)
        }
      }
      Self.expectSame(result, whole, "seed \(seed)")
    }
  }

  /// Systems are freed with the search: each has stacks of its own.
  @Test func nothingIsKept() {
    struct Weak {
      weak var machine: Machine?
    }
    let made = Locked([Weak]())
    let result = Self.exhaustive(jobs: 2) {
      let machine = Machine(Textbook.lastzero(4))
      made.withLock { $0.append(Weak(machine: machine)) }
      return machine
    }
    #expect(result.ending == .complete)
    #expect(made.withLock { $0.count } > 1)
    #expect(made.withLock { $0.allSatisfy { $0.machine == nil } })
  }
}
