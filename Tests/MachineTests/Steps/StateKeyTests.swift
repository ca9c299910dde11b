// The hash of a state: equal if the same can still happen, and independent of everything else.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

struct StateKeyTests {
  private func key(_ scenario: Scenario, after order: [Int]) -> UInt64 {
    let machine = Machine(scenario)
    for cpu in order { machine.take(cpu) }
    return machine.stateKey
  }

  /// CPU 0 writes and reads a word, CPU 1 a page, CPU 2 has a section, CPU 3 a lock.
  private func independent() -> Scenario {
    let scenario = Scenario()
    let root = scenario.rootTable()
    let word = scenario.word("word")
    let lock = scenario.spinLock("lock")
    scenario.cpu(
      "word",
      CPUOperation("use") { cpu in
        try cpu.store(word, 5, .relaxed)
        _ = try cpu.load(word, .relaxed)
      })
    scenario.cpu(
      "page",
      CPUOperation("use") { cpu in
        guard let page = try cpu.allocateTable() else { return }
        try cpu.store(root[0], Descriptor.table(page).bits, .relaxed)
        try cpu.store(page[1], 3, .relaxed)
      })
    scenario.cpu(
      "section",
      CPUOperation("use") { cpu in
        try cpu.rcuReadLock()
        try cpu.rcuReadUnlock()
      })
    scenario.cpu(
      "lock",
      CPUOperation("use") { cpu in
        try cpu.lock(lock)
        try cpu.unlock(lock)
      })
    return scenario
  }

  @Test(arguments: [
    [0, 1, 2, 3, 0, 1, 2, 3], [3, 2, 1, 0, 3, 2, 1, 0], [0, 0, 1, 1, 2, 2, 3, 3],
    [2, 0, 2, 1, 3, 1, 3, 0],
  ])
  func independentStepsLeadToOneState(order: [Int]) {
    #expect(key(independent(), after: order) == key(independent(), after: order.sorted()))
    let half = Array(order.prefix(4))
    #expect(key(independent(), after: half) == key(independent(), after: half.sorted()))
  }

  /// Four CPUs with two steps each have 8!/(2!)⁴ = 2,520 interleavings and 3⁴ = 81 states.
  @Test func statesOfIndependentCPUsAreAProduct() {
    #expect(states(of: independent()).statistics.states == 81)
    #expect(interleavings(of: independent()).statistics.executions == 2_520)
  }

  /// Hashes that a process seeds anew, or addresses, would make keys differ between processes.
  @Test func keysAreTheSameInEveryProcess() async {
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardOutputContent]
    ) { print("keys: \(StateKeyTests.someKeys())") }
    let text = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
    #expect(text.contains("keys: \(StateKeyTests.someKeys())"))
  }

  private static func someKeys() -> [UInt64] {
    let steps = [[], [0, 1, 2, 3], [0, 0, 1, 1, 2, 2, 3, 3]].map {
      StateKeyTests().key(StateKeyTests().independent(), after: $0)
    }
    let ends = (0..<20 as Range<UInt64>).flatMap {
      states(of: randomScenario(seed: $0)).finalStates
    }
    return steps + ends
  }

  @Test func cpusObservationsArePartOfTheState() {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu(
      "reader",
      CPUOperation("read") { cpu in
        _ = try cpu.load(word, .relaxed)
        _ = try cpu.load(word, .relaxed)
      })
    scenario.cpu("writer", CPUOperation("write") { cpu in try cpu.store(word, 1, .relaxed) })
    #expect(key(scenario, after: [0, 1]) != key(scenario, after: [1, 0]))
    // The operation has ended without a result: its observations are forgotten.
    #expect(key(scenario, after: [0, 1, 0]) == key(scenario, after: [1, 0, 0]))
  }

  @Test func resultsOfOperationsArePartOfTheState() {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu("reader", CPUOperation("read") { cpu in try cpu.load(word, .relaxed) })
    scenario.cpu("writer", CPUOperation("write") { cpu in try cpu.store(word, 1, .relaxed) })
    #expect(key(scenario, after: [0, 1]) != key(scenario, after: [1, 0]))
  }

  @Test func lockHoldersArePartOfTheState() {
    let scenario = Scenario()
    let lock = scenario.spinLock("lock")
    for name in ["first", "second"] {
      scenario.cpu(name, CPUOperation("take") { cpu in try cpu.lock(lock) })
    }
    #expect(key(scenario, after: [0]) != key(scenario, after: [1]))
  }

  @Test func finalStatesAreAscendingAndDistinct() {
    for seed in 0..<100 as Range<UInt64> {
      let keys = states(of: randomScenario(seed: seed)).finalStates
      #expect(keys == Set(keys).sorted())
    }
  }
}
