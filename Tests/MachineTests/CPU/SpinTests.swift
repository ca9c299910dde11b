// Loops that wait without `wait` are detected; loops that end are not reported.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

private func failure(
  of body: @escaping @Sendable (VirtualCPU, [Location]) throws -> Void
) -> (ending: Ending, failure: MachineFailure?) {
  let scenario = Scenario()
  let words = ["first", "second"].map { scenario.word($0) }
  scenario.cpu("spinner", CPUOperation("spin") { cpu in try body(cpu, words) })
  scenario.cpu("other", CPUOperation("store") { cpu in try cpu.store(words[0], 1, .relaxed) })
  let machine = Machine(scenario)
  let result = SourceSearch(machine, SearchOptions()).run()
  return (result.ending, machine.failure)
}

struct SpinTests {
  @Test func readingTheSameForeverIsASpin() {
    let result = failure { cpu, words in while try cpu.load(words[0], .acquire) != 1 {} }
    #expect(result.ending == .halted)
    #expect(result.failure == .spin(cpu: 0, location: "first"))
  }

  @Test func aCompareExchangeThatKeepsLosingIsASpin() {
    let result = failure { cpu, words in
      while try !cpu.compareExchange(words[0], expected: 5, desired: 6, .acquire).exchanged {}
    }
    #expect(result.ending == .halted)
    #expect(result.failure == .spin(cpu: 0, location: "first"))
  }

  @Test func readingTwoWordsInTurnIsASpin() {
    let result = failure { cpu, words in
      while try cpu.load(words[0], .acquire) + cpu.load(words[1], .acquire) != 2 {}
    }
    #expect(result.ending == .halted)
    #expect(result.failure == .spin(cpu: 0, location: "second"))
  }

  @Test func readingThePrivatePageForeverIsASpin() {
    let result = failure { cpu, _ in
      guard let page = try cpu.allocateTable() else { return }
      while try cpu.load(page[0], .acquire) != 1 {}
    }
    #expect(result.ending == .halted)
    #expect(result.failure == .spin(cpu: 0, location: "spinner.0[0]"))
  }

  /// Ten reads and one store: the store comes before, between or after: 11 classes.
  @Test func tenReadsAreNot() {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu(
      "reader",
      CPUOperation("read") { cpu in for _ in 0..<10 { _ = try cpu.load(word, .relaxed) } })
    scenario.cpu("writer", CPUOperation("write") { cpu in try cpu.store(word, 1, .relaxed) })
    #expect(classes(of: scenario).statistics.executions == 11)
    #expect(interleavings(of: scenario).statistics.executions == 11)
  }

  @Test func manyReadsOfDifferentWordsAreNot() {
    let scenario = Scenario()
    let words = (0..<200).map { scenario.word("word \($0)") }
    scenario.cpu(
      "reader",
      CPUOperation("read") { cpu in for word in words { _ = try cpu.load(word, .relaxed) } })
    #expect(classes(of: scenario).ending == .complete)
  }

  @Test func manyOperationsThatReadAreNot() {
    let scenario = Scenario()
    let word = scenario.word("word")
    let read = CPUOperation("read") { cpu in
      for _ in 0..<10 { _ = try cpu.load(word, .relaxed) }
    }
    scenario.cpu("reader", Array(repeating: read, count: 20))
    #expect(classes(of: scenario).ending == .complete)
    #expect(classes(of: scenario).statistics.depthMax == 200)
  }

  @Test func waitingIsNot() {
    let result = failure { cpu, words in try cpu.wait(until: words[0], .equals(1)) }
    #expect(result.ending == .complete)
    #expect(result.failure == nil)
  }
}
