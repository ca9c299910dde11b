// The stateful search: what it stores, where it stops, and that modes agree on the catalogue.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import TestSupport
import Testing

struct StatefulTests {
  /// Summaries are shared by more and more states as a search grows.
  @Test(arguments: [(5, 20_919), (6, 145_278)])
  func statesAreSmall(mappers: Int, states: Int) {
    let machine = Machine(PageTableBenchmark.scenario(mappers: mappers))
    let search = StatefulSearch(machine, SearchOptions())
    #expect(search.run().statistics.states == states)
    #expect(search.bytesPerState < 24)
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
    #expect(again.statistics.states == 2_761)
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
