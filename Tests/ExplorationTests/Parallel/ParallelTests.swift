// Several threads: the same verdicts and final states, however the work happens to be divided.

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
    jobs: Int, _ limits: Limits = Limits(), _ scenario: @escaping @Sendable () -> Scenario
  ) -> SearchResult {
    var options = SearchOptions(limits: limits)
    options.collectsFinalStates = true
    return ParallelSearch.run(jobs: jobs, options) { Machine(scenario()) }
  }

  /// No state is stored twice, and everything that one thread leaves out another has explored.
  @Test(.tags(.long), .unlessQuick, arguments: [1, 2, 3, 8])
  func finalStatesAreThoseOfOneThread(jobs: Int) {
    let scenario: @Sendable () -> Scenario = { PageTableBenchmark.scenario(mappers: 5) }
    let alone = states(of: scenario())
    for _ in 0..<5 {
      let result = search(jobs: jobs, Limits(), scenario)
      #expect(result.ending == .complete)
      #expect(result.finalStates == alone.finalStates)
      #expect(result.statistics.executions == 124)
      #expect(result.statistics.states <= alone.statistics.states)
    }
  }

  /// Systems are freed with the search: each has stacks of its own.
  @Test func nothingIsKept() {
    struct Weak {
      weak var machine: Machine?
    }
    let made = Locked([Weak]())
    let result = ParallelSearch.run(jobs: 2, SearchOptions()) {
      let machine = Machine(Textbook.lastzero(6))
      made.withLock { $0.append(Weak(machine: machine)) }
      return machine
    }
    #expect(result.statistics.executions == 32)
    #expect(made.withLock { $0.count } > 0)
    #expect(made.withLock { $0.allSatisfy { $0.machine == nil } })
  }

  /// A team of one thread does exactly the same as a search without a team.
  @Test func oneThreadCountsTheSame() {
    let result = search(jobs: 1) { PageTableBenchmark.scenario(mappers: 5) }
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
    let result = search(jobs: 2, limits) { PageTableBenchmark.scenario(mappers: 6) }
    #expect(result.ending == .bounded(bound))
    #expect(result.statistics.states < 24_056)
    // Below the bound on depth, everything was explored.
    #expect((0...1).contains(result.explored ?? -1) == (bound != .depth))
  }
}
