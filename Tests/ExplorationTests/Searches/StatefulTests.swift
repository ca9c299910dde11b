// The stateful search: what it stores, where it stops, and that modes agree on the catalogue.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import TestSupport
import Testing

struct StatefulTests {
  /// Summaries are shared by more and more states as a search grows.
  @Test(arguments: [(6, 24_056), (7, 36_586)])
  func statesAreSmall(mappers: Int, states: Int) {
    var options = SearchOptions()
    options.matchesStates = false
    let scenario = { PageTableBenchmark.scenario(mappers: mappers) }
    let search = StatefulSearch(Machine(scenario()), options)
    #expect(search.run().statistics.states == states)
    #expect(search.bytesPerState < 24)
    // What a state needs to be matched is more, but there are fewer of them.
    let matching = StatefulSearch(Machine(scenario()), SearchOptions())
    _ = matching.run()
    #expect(matching.bytes < search.bytes)
  }

  private static func statistics(_ scenario: Scenario) -> Statistics {
    let result = StatefulSearch(Machine(scenario), SearchOptions()).run()
    #expect(result.ending == .complete)
    return result.statistics
  }

  /// If states do not repeat, merging costs nothing.
  @Test func textbook() {
    #expect(Self.statistics(Textbook.indexer(15)).transitions == 232)
    #expect(Self.statistics(Textbook.filesystem(19)).transitions == 1_970)
    #expect(Self.statistics(Textbook.lastzero(8)).transitions == 2_347)
    #expect(Self.statistics(Textbook.readers(12)).transitions == 12_286)
  }

  /// If they do, they are merged.
  @Test func pageTable() {
    let statistics = Self.statistics(PageTableBenchmark.scenario(mappers: 6))
    #expect(statistics.transitions == 9_293)
    #expect(statistics.blocked == 17)
    #expect(Self.statistics(PageTableBenchmark.scenario(mappers: 7)).transitions == 10_035)
  }

  @Test func memoryIsBounded() {
    let machine = Machine(PageTableBenchmark.scenario(mappers: 5))
    let limits = Limits(memoryBytes: 100_000)
    let search = StatefulSearch(machine, SearchOptions(limits: limits))
    #expect(search.run().ending == .bounded(.memory))
    #expect(search.bytes < 200_000)
    #expect(machine.depth == 0)
  }

  @Test func boundsLeaveTheSystemAtItsStart() {
    let machine = Machine(PageTableBenchmark.scenario(mappers: 4))
    let start = machine.stateKey
    let limits = Limits(states: 50)
    #expect(
      StatefulSearch(machine, SearchOptions(limits: limits)).run().ending == .bounded(.states))
    #expect(machine.stateKey == start)
    let again = StatefulSearch(machine, SearchOptions()).run()
    #expect(again.statistics.states == 332)
  }

  /// Final states are the same however they are found.
  @Test func finalStatesAgree() {
    var options = SearchOptions()
    options.collectsFinalStates = true
    let scenario = { PageTableBenchmark.scenario(mappers: 4) }
    let stateful = StatefulSearch(Machine(scenario()), options).run()
    #expect(stateful.finalStates == classes(of: scenario()).finalStates)
    #expect(stateful.finalStates == states(of: scenario()).finalStates)
    #expect(stateful.finalStates.count == 84)
  }

  @Test func sleepSetsCompleteEachClassOnce() {
    let search = SourceSearch(
      Machine(PageTableBenchmark.scenario(mappers: 3)), SearchOptions(), usesSourceSets: false)
    let statistics = search.run().statistics
    #expect(statistics.executions == 172)
    #expect(statistics.blocked > 0)
  }
}
