// The search that keeps sleep sets with states: exact counts, and agreement with the oracle.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkInvariants
import GracewalkMachine
import GracewalkModels
import TestExpectations
import TestSupport
import Testing

@Suite struct SleepingSearchTests {
  private static func statistics(_ scenario: Scenario) -> Statistics {
    let result = SleepingSearch(Machine(scenario), SearchOptions()).run()
    #expect(result.ending == .complete)
    return result.statistics
  }

  /// Where states do not repeat, it does not pay for merging them.
  @Test func textbook() {
    #expect(Self.statistics(Textbook.indexer(15)).transitions == 232)
    #expect(Self.statistics(Textbook.filesystem(19)).transitions == 3_776)
    #expect(Self.statistics(Textbook.lastzero(8)).transitions == 4_046)
  }

  /// Where they do, it merges them.
  @Test func pageTable() {
    let statistics = Self.statistics(PageTableBenchmark.scenario(mappers: 6))
    #expect(statistics.transitions == 38_511)
    #expect(statistics.states == 24_056)
    #expect(statistics.blocked == 196)
  }

  private static let mixes: [RandomProgram.Mix] = [
    [], .loops, .interrupts, .slabs, .contexts, .hardware,
    [.hardware, .slabs, .interrupts, .contexts],
  ]

  /// Final states and verdicts are those of the exhaustive search.
  @Test(.tags(.fuzz, .long), .unlessQuick, arguments: mixes) func randomProgramsAgree(
    mix: RandomProgram.Mix
  ) {
    var skipped = 0
    for seed in 0..<600 as Range<UInt64> {
      let program = RandomProgram(mix, seed: seed, size: .small)
      for isChecked in [false, true] where !compare(program, isChecked, seed) { skipped += 1 }
    }
    #expect(skipped < 200)
  }

  /// False if the oracle has too many states.
  private func compare(_ program: RandomProgram, _ isChecked: Bool, _ seed: UInt64) -> Bool {
    func machine() -> Machine {
      let scenario = program.scenario()
      if isChecked { scenario.require([NoUseAfterFree(), NoDoubleFree(), NoTableLinkedTwice()]) }
      return Machine(scenario)
    }
    var options = SearchOptions(limits: Limits(states: 2_000))
    options.collectsFinalStates = true
    let oracle = ExhaustiveSearch(machine(), options).run()
    if case .bounded = oracle.ending { return false }
    options.limits = Limits()
    let result = SleepingSearch(machine(), options).run()
    #expect(result.ending == oracle.ending, "seed \(seed)")
    if oracle.ending == .complete {
      #expect(result.finalStates == oracle.finalStates, "seed \(seed)")
    }
    return true
  }
}
