// Programs whose numbers of classes are in the literature: source sets meet them exactly.

import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import TestSupport
import Testing

struct TextbookTests {
  @Test(arguments: 1...12)
  func readers(count: Int) {
    let statistics = classes(of: Textbook.readers(count)).statistics
    #expect(statistics.executions == 1 << count)
    #expect(statistics.blocked == 0)
  }

  /// Source sets meet the number of classes, with some executions that sleep sets cut short.
  @Test(arguments: [
    (2, 0), (3, 1), (4, 7), (5, 33), (6, 131), (7, 473), (8, 1_611), (9, 5_281),
    (10, 16_867),
  ])
  func lastzero(count: Int, blocked: Int) {
    let statistics = classes(of: Textbook.lastzero(count)).statistics
    #expect(statistics.executions == (count + 3) << (count - 2))
    #expect(statistics.blocked == blocked)
  }

  @Test(arguments: [(11, 1, 0), (12, 8, 0), (13, 64, 0)])
  func indexer(count: Int, executions: Int, blocked: Int) {
    let statistics = classes(of: Textbook.indexer(count)).statistics
    #expect(statistics.executions == executions)
    #expect(statistics.blocked == blocked)
  }

  @Test(arguments: [(13, 1, 0), (14, 2, 0), (15, 4, 0), (16, 8, 0)])
  func filesystem(count: Int, executions: Int, blocked: Int) {
    let statistics = classes(of: Textbook.filesystem(count)).statistics
    #expect(statistics.executions == executions)
    #expect(statistics.blocked == blocked)
  }

  /// What merging equal states leaves of the same programs; final states are executions here.
  @Test(arguments: [(2, 21, 374), (3, 21, 740), (4, 84, 2_761), (5, 124, 20_919)])
  func pageTableStates(mappers: Int, executions: Int, states: Int) {
    let machine = Machine(PageTableBenchmark.scenario(mappers: mappers))
    let statistics = StatefulSearch(machine, SearchOptions()).run().statistics
    #expect(statistics.executions == executions)
    #expect(statistics.states == states)
  }

  @Test(arguments: [(14, 2, 431), (16, 8, 6_248)])
  func filesystemStates(count: Int, executions: Int, states: Int) {
    let machine = Machine(Textbook.filesystem(count))
    let statistics = StatefulSearch(machine, SearchOptions()).run().statistics
    #expect(statistics.executions == executions)
    #expect(statistics.states == states)
  }

  @Test(arguments: [(2, 172), (3, 172), (4, 1_376), (5, 27_136)])
  func pageTable(mappers: Int, executions: Int) {
    let statistics = classes(of: PageTableBenchmark.scenario(mappers: mappers)).statistics
    #expect(statistics.executions == executions)
    #expect(statistics.blocked == 0)
  }
}
