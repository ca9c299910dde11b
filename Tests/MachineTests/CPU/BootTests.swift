// What runs before the CPUs start takes effect at once and leaves nothing to explore.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

struct BootTests {
  @Test func itsEffectsAreThereFromTheStart() {
    let scenario = Scenario()
    let root = scenario.rootTable()
    let word = scenario.word("word", initial: 1)
    scenario.boot { cpu in
      try cpu.store(try cpu.load(word, .relaxed) + 1, to: word, .relaxed)
      guard let page = try cpu.allocateTable() else { return }
      try cpu.store(Descriptor.page(7).bits, to: page[1], .relaxed)
      try cpu.store(Descriptor.table(page).bits, to: root[1], .relaxed)
    }
    scenario.boot { cpu in _ = try cpu.fetchAdd(10, to: word, .relaxed) }
    let machine = Machine(scenario)
    #expect(machine.value(of: word) == 12)
    #expect(machine.reachableTables.map(\.name) == ["root", "boot.1"])
    #expect(machine.reachableTables[1].entries.map(\.dataFrame) == [nil, 7])
    #expect(machine.depth == 0)
    #expect(machine.able == [])
  }

  @Test func nobodyWaitsBeforeTheStart() {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.boot { cpu in
      try cpu.rcuReadLock()
      try cpu.call { cpu in try cpu.store(3, to: word, .relaxed) }
      try cpu.rcuReadUnlock()
      try cpu.synchronize()
      try cpu.barrier()
    }
    #expect(Machine(scenario).value(of: word) == 3)
  }

  /// Pages from before the start are everybody's, linked or not.
  @Test func itsPagesArePublished() {
    let scenario = Scenario()
    let slot = scenario.word("slot")
    scenario.boot { cpu in
      guard let page = try cpu.allocateTable() else { return }
      try cpu.store(Descriptor.table(page).bits, to: slot, .relaxed)
    }
    scenario.cpu(
      "cpu",
      CPUOperation("write") { cpu in
        let found = Descriptor(bits: try cpu.load(slot, .acquire))
        guard let page = cpu.table(at: found) else { return }
        try cpu.store(1, to: page[0], .relaxed)
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
