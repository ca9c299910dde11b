// Wakeup trees: exactly one execution per class and no redundant ones, for every program.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkModels
import TestSupport
import Testing

struct OptimalTests {
  private func optimal(_ scenario: Scenario) -> SearchResult {
    var options = SearchOptions()
    options.collectsFinalStates = true
    return OptimalSearch(Machine(scenario), options).run()
  }

  private func expect(_ scenario: Scenario, classes: Int) {
    let statistics = optimal(scenario).statistics
    #expect(statistics.executions == classes)
    #expect(statistics.blocked == 0)
  }

  @Test(arguments: 1...12)
  func readers(count: Int) { expect(Textbook.readers(count), classes: 1 << count) }

  @Test(arguments: 2...11)
  func lastzero(count: Int) {
    expect(Textbook.lastzero(count), classes: (count + 3) << (count - 2))
  }

  @Test(arguments: [(11, 1), (12, 8), (13, 64)])
  func indexer(count: Int, classes: Int) { expect(Textbook.indexer(count), classes: classes) }

  @Test(arguments: [(13, 1), (14, 2), (15, 4), (16, 8), (17, 16)])
  func filesystem(count: Int, classes: Int) {
    expect(Textbook.filesystem(count), classes: classes)
  }

  @Test(arguments: [(2, 172), (3, 172), (4, 1_376), (5, 27_136)])
  func pageTable(mappers: Int, classes: Int) {
    expect(PageTableBenchmark.scenario(mappers: mappers), classes: classes)
  }

  /// Source sets also complete each class once, so the counts must be equal.
  @Test(arguments: zip(0..<10, [236, 340, 288, 345, 380, 392, 612, 418, 278, 309]))
  func bothCountTheSameClasses(chunk: Int, count: Int) {
    var total = 0
    for seed in UInt64(chunk * 100)..<UInt64(chunk * 100 + 100) {
      let found = optimal(RandomProgram.scenario(seed: seed, size: .small))
      let expected = classes(of: RandomProgram.scenario(seed: seed, size: .small))
      #expect(found.statistics.executions == expected.statistics.executions, "seed \(seed)")
      #expect(found.statistics.blocked == 0, "seed \(seed)")
      #expect(found.finalStates == expected.finalStates, "seed \(seed)")
      total += found.statistics.executions
    }
    #expect(total == count)
  }

  /// Each choice is an execution of its own, in every order that matters.
  @Test func choicesAreSteps() {
    let scenario = Scenario()
    let word = scenario.word("w")
    for cpu in 0..<2 {
      scenario.cpu(
        "chooser \(cpu)",
        CPUOperation("choose") { cpu in
          if try cpu.choose(3) == 2 { try cpu.store(word, UInt64(cpu.index) + 1, .relaxed) }
        })
    }
    // Nine pairs of choices; the pair in which both write has two orders.
    let result = optimal(scenario)
    #expect(result.statistics.executions == 10)
    #expect(result.statistics.blocked == 0)
  }

  @Test func boundsLeaveTheSystemAtItsStart() {
    let machine = Machine(Textbook.lastzero(8))
    let start = machine.stateKey
    let limits = Limits(executions: 50)
    let first = OptimalSearch(machine, SearchOptions(limits: limits)).run()
    #expect(first.ending == .bounded(.executions))
    #expect(first.statistics.executions == 50)
    #expect(machine.stateKey == start)
    #expect(machine.depth == 0)
    #expect(OptimalSearch(machine, SearchOptions()).run().statistics.executions == 704)
  }
}
