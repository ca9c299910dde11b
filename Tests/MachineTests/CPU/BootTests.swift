// Boot code takes effect at once and leaves nothing to explore.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

struct BootTests {
  @Test func itsEffectsPrecedeTheStart() {
    let scenario = Scenario()
    let root = scenario.rootTable()
    let word = scenario.word("word", initial: 1)
    scenario.boot { cpu in
      try cpu.store(word, try cpu.load(word, .relaxed) + 1, .relaxed)
      guard let page = try cpu.allocateTable() else { return }
      try cpu.store(page[1], Descriptor.page(7).bits, .relaxed)
      try cpu.store(root[1], Descriptor.table(page).bits, .relaxed)
    }
    scenario.boot { cpu in _ = try cpu.fetchAdd(word, 10, .relaxed) }
    let machine = Machine(scenario)
    #expect(machine.value(of: word) == 12)
    #expect(machine.reachableTables.map(\.name) == ["root", "boot.1"])
    #expect(machine.reachableTables[1].entries.map(\.dataFrame) == [nil, 7])
    #expect(machine.depth == 0)
    #expect(machine.able == [])
  }

  @Test func bootCodeMustNotWait() {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.boot { cpu in
      try cpu.rcuReadLock()
      try cpu.callRCU { cpu in try cpu.store(word, 3, .relaxed) }
      try cpu.rcuReadUnlock()
      try cpu.synchronizeRCU()
      try cpu.rcuBarrier()
    }
    #expect(Machine(scenario).value(of: word) == 3)
  }

  /// Pages from before the start are everybody's, linked or not.
  @Test func itsPagesArePublished() {
    let scenario = Scenario()
    let slot = scenario.word("slot")
    scenario.boot { cpu in
      guard let page = try cpu.allocateTable() else { return }
      try cpu.store(slot, Descriptor.table(page).bits, .relaxed)
    }
    scenario.cpu(
      "cpu",
      CPUOperation("write") { cpu in
        let found = Descriptor(bits: try cpu.load(slot, .acquire))
        guard let page = cpu.table(at: found) else { return }
        try cpu.store(page[0], 1, .relaxed)
      })
    #expect(interleavings(of: scenario).ending == .complete)
    #expect(interleavings(of: scenario).statistics.depthMax == 2)
  }

  @Test func anErrorKeepsTheMachineFromStarting() {
    struct Broken: Error {}
    let scenario = Scenario()
    scenario.cpu("cpu", CPUOperation("nothing") { _ in })
    scenario.boot { _ in throw Broken() }
    let machine = Machine(scenario)
    #expect(machine.judgeStart() == .halted)
    #expect(machine.failure == .operationThrew(cpu: 1, error: "Broken()"))
  }
}
