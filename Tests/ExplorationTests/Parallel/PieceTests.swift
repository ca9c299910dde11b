// Stateless searches in pieces: verdicts, final states and counts are those of one thread.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkModels
import GracewalkSupport
import TestExpectations
import TestSupport
import Testing

struct PieceTests {
  private static let strategies: [Strategy] = [.source, .sleep]

  /// Toy programs with more have too many executions to explore them one by one.
  private static let transitionsMax = 300

  @Test(arguments: strategies) func toysCountTheSame(strategy: Strategy) {
    for seed in 60_000..<60_300 as Range<UInt64> {
      let make = { ToySystem(seed: seed) }
      let oracle = ExhaustiveSearch(make(), .collecting).run()
      if oracle.statistics.transitions > Self.transitionsMax { continue }
      let whole = strategy.search(make(), .collecting)
      let results = [1, 2, 3].map { strategy.search(jobs: $0, .collecting, .fine, make) }
      #expect(results[0].ending == oracle.ending, "seed \(seed)")
      #expect(results[0].finalStates == oracle.finalStates, "seed \(seed)")
      if whole.ending == .complete {
        #expect(results[0].statistics.executions == whole.statistics.executions, "seed \(seed)")
      }
      for result in results.dropFirst() { expectAllEqual(result, results[0], "seed \(seed)") }
    }
  }

  @Test(arguments: strategies, 2...3) func randomProgramsAgree(strategy: Strategy, jobs: Int) {
    let report = Fuzzer(strategy, jobs: jobs).run(seeds: 0..<300, size: .small)
    #expect(report.programs == 300)
    #expect(report.mismatches == [])
    #expect(report.violated == 13)
  }

  @Test(arguments: strategies) func programsThatExposedWrongRulesAgree(strategy: Strategy) {
    for (seed, _) in FuzzerTests.pinned {
      #expect(Fuzzer(strategy, jobs: 2).run(seeds: seed..<(seed + 1)).mismatches == [])
    }
  }

  // MARK: What tests can tell

  /// The first toy program on which a divided search loses a final state.
  private static func firstLoss(
    _ seeds: Range<UInt64>,
    _ search: (SearchOptions, @escaping () -> TransitionSystem) -> SearchResult
  ) -> UInt64? {
    seeds.first { seed in
      let make = { ToySystem(seed: seed) }
      let oracle = ExhaustiveSearch(make(), .collecting).run()
      if oracle.statistics.transitions > transitionsMax { return false }
      return search(.collecting, make).finalStates != oracle.finalStates
    }
  }

  @Test func lossesOfSourceSetsAreFound() {
    let loss = Self.firstLoss(0..<10_000) {
      ParallelSearch.runSource(jobs: 1, $0, .fine, without: .findings, makeSystem: $1)
    }
    #expect(loss == 3)
  }

  // MARK: Bounds and ends

  /// Each class is completed once, also by a divided search; with sleep sets alone, it is the same
  /// search.
  @Test(arguments: strategies) func classesAreCompletedOnce(strategy: Strategy) {
    let whole = strategy.search(mappers(4)(), .collecting)
    let one = strategy.search(jobs: 1, .collecting, .coarse, mappers(4))
    #expect(one.statistics.executions == whole.statistics.executions)
    #expect(one.statistics == whole.statistics || strategy == .source)
    #expect(one.statistics.transitions >= whole.statistics.transitions)
    #expect(one.finalStates == whole.finalStates)
    for jobs in [2, 3, 8] {
      expectAllEqual(
        strategy.search(jobs: jobs, .collecting, .coarse, mappers(4)), one,
        "\(jobs) threads")
    }
  }

  @Test(arguments: strategies) func aViolationIsTheSame(strategy: Strategy) throws {
    let model = try #require(Catalogue.model(named: "collapse-free-at-once"))
    _ = try model.scenario()
    let make = { Machine((try? model.scenario()) ?? Scenario()) }
    var division = ParallelSearch.Division.fine
    division.start = 3
    let one = strategy.search(jobs: 1, .collecting, division, make)
    #expect(one.ending == .violation)
    for jobs in 2...3 {
      expectAllEqual(strategy.search(jobs: jobs, .collecting, division, make), one, "\(jobs)")
    }
  }

  @Test(arguments: strategies) func theDepthBoundIsKept(strategy: Strategy) {
    var options = SearchOptions.collecting
    options.limits.depth = 10
    let one = strategy.search(jobs: 1, options, .coarse, mappers(4))
    #expect(one.ending == .bounded(.depth))
    #expect(one.statistics.depthMax == 10)
    expectAllEqual(
      strategy.search(jobs: 2, options, .coarse, mappers(4)), one, "two threads")
  }

  /// Can be interrupted after it was divided.
  @Test(arguments: strategies) func anObserverStopsAllThreads(strategy: Strategy) {
    var options = SearchOptions.collecting
    options.watch = { $0.statistics.transitions < 5_000 }
    options.watchPeriod = 1
    let result = strategy.search(jobs: 2, options, .coarse, mappers(5))
    #expect(result.ending == .bounded(.interrupted))
    #expect((5_000..<12_000).contains(result.statistics.transitions))
  }

  /// Systems are freed with the search: each has stacks of its own.
  @Test(arguments: strategies) func nothingIsKept(strategy: Strategy) {
    struct Weak {
      weak var machine: Machine?
    }
    let made = Locked([Weak]())
    let result = strategy.search(jobs: 2, .collecting, .fine) {
      let machine = Machine(Textbook.lastzero(6))
      made.withLock { $0.append(Weak(machine: machine)) }
      return machine
    }
    #expect(result.ending == .complete)
    #expect(made.withLock { $0.count } > 1)
    #expect(made.withLock { $0.allSatisfy { $0.machine == nil } })
  }
}
