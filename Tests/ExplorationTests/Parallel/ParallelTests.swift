// Several threads: the same verdicts, final states and counts as one.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkModels
import GracewalkSupport
import TestExpectations
import TestSupport
import Testing

struct ParallelTests {
  private func search(
    jobs: Int, _ limits: Limits = Limits(), _ division: ParallelSearch.Division = .fine,
    usesSymmetry: Bool = false, _ scenario: @escaping () -> Scenario
  ) -> SearchResult {
    var options = SearchOptions(limits: limits)
    options.collectsFinalStates = true
    options.usesSymmetry = usesSymmetry
    return ParallelSearch.run(jobs: jobs, options, division) { Machine(scenario()) }
  }

  private static var coarse: ParallelSearch.Division {
    var division = ParallelSearch.Division()
    division.start = 1_000
    division.turns = 200
    return division
  }

  /// Members leave states to those that have them on their stacks.
  private static var leaving: ParallelSearch.Division {
    var division = ParallelSearch.Division.fine
    division.leavesClaimed = true
    return division
  }

  /// Members do a little twice; all else is as if nothing were divided.
  @Test(.tags(.long), .unlessQuick, arguments: [1, 2, 3, 8])
  func countsAreThoseOfOneThread(jobs: Int) {
    let scenario = { PageTableBenchmark.scenario(mappers: 5) }
    let alone = states(of: scenario())
    for division in [ParallelSearch.Division.fine, Self.coarse, Self.leaving] {
      let one = search(jobs: 1, Limits(), division, scenario)
      for _ in 0..<3 {
        let result = search(jobs: jobs, Limits(), division, scenario)
        #expect(result.ending == .complete)
        #expect(result.finalStates == alone.finalStates)
        #expect(result.statistics.executions == 124)
        expectAllEqual(result, one, "\(jobs) threads")
      }
    }
  }

  private static let models = [
    "collapse-locked-descendants", "drop-last-reference", "shared-memcache",
    "collapse-waits-in-section", "fault-in-parallel", "collapse-in-rcu-callback",
    "collapse-free-at-once", "unmap-under-write-lock", "lazy-collapse", "walk-references",
    "reverse-map-fault", "dirty-log-mark-before-writable",
  ]

  @Test(.tags(.long), .unlessQuick, arguments: models)
  func modelsCountTheSame(name: String) throws {
    let model = try #require(Catalogue.model(named: name))
    _ = try model.scenario()
    let scenario = { (try? model.scenario()) ?? Scenario() }
    let whole = search(jobs: 1, Limits(), ParallelSearch.Division(), scenario)
    for division in [ParallelSearch.Division.fine, Self.coarse, Self.leaving] {
      let one = search(jobs: 1, Limits(), division, scenario)
      #expect(one.ending == whole.ending)
      #expect(one.finalStates == whole.finalStates || whole.ending != .complete)
      for jobs in 2...4 {
        expectAllEqual(search(jobs: jobs, Limits(), division, scenario), one, "\(jobs) threads")
      }
    }
  }

  @Test(arguments: 2...4) func identicalCPUsCountTheSame(jobs: Int) {
    let scenario = { IdenticalMappers.scenario(mappers: 3) }
    let alone = search(
      jobs: 1, Limits(), ParallelSearch.Division(), usesSymmetry: true, scenario)
    let one = search(jobs: 1, usesSymmetry: true, scenario)
    #expect(one.finalStates == alone.finalStates)
    #expect(one.statistics.statesCovered >= one.statistics.states)
    expectAllEqual(search(jobs: jobs, usesSymmetry: true, scenario), one, "\(jobs) threads")
  }

  /// What members finish in rounds is what toy programs need, too: states repeat more often there.
  @Test func toysCountTheSame() {
    var options = SearchOptions()
    options.collectsFinalStates = true
    for seed in 60_000..<60_300 as Range<UInt64> {
      let oracle = ExhaustiveSearch(ToySystem(seed: seed), options).run()
      for division in [ParallelSearch.Division.fine, Self.leaving] {
        let results = [1, 2, 3].map { jobs in
          ParallelSearch.run(jobs: jobs, options, division) { ToySystem(seed: seed) }
        }
        #expect(results[0].finalStates == oracle.finalStates, "seed \(seed)")
        for result in results.dropFirst() { expectAllEqual(result, results[0], "seed \(seed)") }
      }
    }
  }

  /// Saved and gone on with after every few transitions, with another number of threads.
  @Test(arguments: [1, 3]) func piecesMakeAWhole(jobs: Int) {
    for seed in 0..<60 as Range<UInt64> {
      var options = SearchOptions()
      options.collectsFinalStates = true
      let scenario = { RandomProgram.scenario(seed: seed, size: .full) }
      for division in [ParallelSearch.Division.fine, Self.leaving] {
        let whole = ParallelSearch.run(jobs: 1, options, division) { Machine(scenario()) }
        let result = Strategy.search(inPiecesOf: 9, options) {
          ParallelSearch.run(jobs: jobs, $0, division) { Machine(scenario()) }
        }
        expectAllEqual(result, whole, "seed \(seed)")
      }
    }
  }

  /// What is done twice: hardly anything where members leave states to each other.
  @Test func littleIsDoneTwice() {
    let scenario = { PageTableBenchmark.scenario(mappers: 5) }
    func search(_ leavesClaimed: Bool) -> SearchResult {
      var division = ParallelSearch.Division.units(16)
      (division.start, division.turns) = (1_000, 100)
      division.leavesClaimed = leavesClaimed
      return self.search(jobs: 1, Limits(), division, scenario)
    }
    let (leaving, taking) = (search(true), search(false))
    #expect(leaving.finalStates == taking.finalStates)
    #expect(leaving.statesTwice ?? 0 < (taking.statesTwice ?? 0) / 2)
    #expect(leaving.statistics.transitions < taking.statistics.transitions)
  }

  /// Systems are freed with the search: each has stacks of its own.
  @Test func nothingIsKept() {
    struct Weak {
      weak var machine: Machine?
    }
    let made = Locked([Weak]())
    let result = ParallelSearch.run(jobs: 2, SearchOptions(), .fine) {
      let machine = Machine(Textbook.lastzero(6))
      made.withLock { $0.append(Weak(machine: machine)) }
      return machine
    }
    #expect(result.statistics.executions == 32)
    #expect(made.withLock { $0.count } > 0)
    #expect(made.withLock { $0.allSatisfy { $0.machine == nil } })
  }

  /// A search that is not long is not divided.
  @Test(arguments: [1, 2]) func shortSearchesAreNotDivided(jobs: Int) {
    let result = search(jobs: jobs, Limits(), ParallelSearch.Division()) {
      PageTableBenchmark.scenario(mappers: 5)
    }
    #expect(result.statistics.states == 5_558)
    #expect(result.statistics.transitions == 7_983)
  }

  @Test(arguments: 0..<10)
  func randomProgramsAgree(chunk: Int) {
    let seeds = UInt64(chunk * 100)..<UInt64(chunk * 100 + 100)
    let report = Fuzzer(.stateful, jobs: 3).run(seeds: seeds, size: .small)
    #expect(report.programs == 100)
    #expect(report.mismatches == [])
    #expect(report.violated == [5, 4, 4, 4, 2, 3, 3, 6, 2, 1][chunk])
  }

  @Test func programsThatExposedWrongRulesAgree() {
    for (seed, _) in FuzzerTests.pinned {
      #expect(Fuzzer(.stateful, jobs: 2).run(seeds: seed..<(seed + 1)).mismatches == [])
    }
  }

  @Test(arguments: [
    (Limits(states: 5_000), Bound.states), (Limits(executions: 10), .executions),
    (Limits(memoryBytes: 300_000), .memory), (Limits(depth: 10), .depth),
  ])
  func boundsStopAllThreads(limits: Limits, bound: Bound) {
    let result = search(jobs: 2, limits, Self.coarse) { PageTableBenchmark.scenario(mappers: 6) }
    #expect(result.ending == .bounded(bound))
    #expect(result.statistics.states < 24_056)
    // Below the bound on depth, everything was explored.
    #expect((0...1).contains(result.explored ?? -1) == (bound != .depth))
  }
}
