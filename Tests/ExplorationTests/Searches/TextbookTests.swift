// Programs whose numbers of classes are in the literature: source sets find exactly these.

import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import TestExpectations
import TestSupport
import Testing

struct TextbookTests {
  @Test(arguments: 1...12)
  func readers(count: Int) {
    let statistics = classes(of: Textbook.readers(count)).statistics
    #expect(statistics.executions == 1 << count)
    #expect(statistics.blocked == 0)
  }

  /// Source sets find exactly the classes, with some executions that sleep sets cut short.
  @Test(arguments: 2...10)
  func lastzero(count: Int) throws {
    let statistics = classes(of: Textbook.lastzero(count)).statistics
    #expect(statistics.executions == (count + 3) << (count - 2))
    try Counts("Textbook").expect(
      ["executions": statistics.executions, "blocked": statistics.blocked],
      for: "lastzero \(count)")
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

  /// The same programs with equal states merged; executions are final states here.
  @Test(arguments: 2...5)
  func pageTableStates(mappers: Int) throws {
    try expectStates(
      PageTableBenchmark.scenario(mappers: mappers), for: "page table \(mappers), stateful")
  }

  @Test(arguments: [14, 16])
  func filesystemStates(count: Int) throws {
    try expectStates(Textbook.filesystem(count), for: "filesystem \(count), stateful")
  }

  @Test func nothingElseIsRecorded() throws {
    try Counts("Textbook").expectRows(
      for: (2...10).map { "lastzero \($0)" } + (2...5).map { "page table \($0), stateful" }
        + [14, 16].map { "filesystem \($0), stateful" })
  }

  private func expectStates(_ scenario: Scenario, for key: String) throws {
    let statistics = StatefulSearch(Machine(scenario), SearchOptions()).run().statistics
    try Counts("Textbook").expect(
      ["executions": statistics.executions, "states": statistics.states], for: key)
  }

  @Test(arguments: [(2, 172), (3, 172), (4, 1_376), (5, 27_136)])
  func pageTable(mappers: Int, executions: Int) {
    let statistics = classes(of: PageTableBenchmark.scenario(mappers: mappers)).statistics
    #expect(statistics.executions == executions)
    #expect(statistics.blocked == 0)
  }
}
