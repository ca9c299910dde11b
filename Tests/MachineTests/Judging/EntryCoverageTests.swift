// Which changes of entries a machine notes, and at which level.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

@Suite struct EntryCoverageTests {
  private typealias Change = Coverage.Change

  private func levels(_ machine: Machine) -> [Coverage.Level] { Coverage(of: [machine]).levels }

  /// What boot writes is not counted, and neither is a write that changes nothing.
  @Test func onlyStepsCount() {
    let scenario = Scenario()
    let root = scenario.rootTable()
    scenario.boot { cpu in try cpu.store(Descriptor.block(0).bits, to: root[0], .relaxed) }
    scenario.cpu(
      "cpu",
      CPUOperation("write") { cpu in
        try cpu.store(Descriptor.block(0).bits, to: root[0], .relaxed)
        try cpu.store(Descriptor.block(0, writable: false).bits, to: root[0], .relaxed)
        try cpu.store(Descriptor.locked.bits, to: root[1], .relaxed)
      })
    let machine = Machine(scenario)
    machine.take(0, 0)
    #expect(
      levels(machine) == [
        Coverage.Level(number: 0, changes: [Change(old: .writable, new: .readOnly)])
      ])
    // Taking steps back takes back nothing of this.
    machine.take(0)
    for _ in 0..<3 { machine.undo() }
    #expect(
      levels(machine) == [
        Coverage.Level(
          number: 0,
          changes: [
            Change(old: .invalid, new: .locked), Change(old: .writable, new: .readOnly),
          ])
      ])
  }

  /// A page has no level until it is linked, then one below its parent's, and keeps it when it is
  /// unlinked: another CPU's write need not know of that.
  @Test func levelsStay() {
    let scenario = Scenario(geometry: Geometry(levels: 3, entries: 2))
    let root = scenario.rootTable()
    scenario.cpu(
      "writer",
      CPUOperation("build") { cpu in
        guard let upper = try cpu.allocateTable(), let lower = try cpu.allocateTable() else {
          return
        }
        // Nobody else can reach these pages yet.
        try cpu.store(Descriptor.page(1).bits, to: lower[0], .relaxed)
        try cpu.store(Descriptor.table(lower).bits, to: upper[0], .relaxed)
        try cpu.store(Descriptor.table(upper).bits, to: root[0], .release)
        try cpu.store(Descriptor.invalid.bits, to: root[0], .release)
        try cpu.store(Descriptor.locked.bits, to: upper[1], .relaxed)
        var old = Descriptor.page(2)
        old.bits &= ~(1 << 10)
        try cpu.store(old.bits, to: lower[1], .relaxed)
      })
    let machine = Machine(scenario)
    machine.finish()
    #expect(
      levels(machine) == [
        Coverage.Level(
          number: 0,
          changes: [Change(old: .invalid, new: .table), Change(old: .table, new: .invalid)]),
        Coverage.Level(number: 1, changes: [Change(old: .invalid, new: .locked)]),
        Coverage.Level(number: 2, changes: [Change(old: .invalid, new: .writableNotAccessed)]),
        Coverage.Level(
          number: nil,
          changes: [Change(old: .invalid, new: .table), Change(old: .invalid, new: .writable)]),
      ])
  }

  /// A page that others can reach by other means first has no level, whatever is linked later.
  @Test func cachedPagesHaveNoLevel() {
    let scenario = Scenario()
    let root = scenario.rootTable()
    scenario.cpu(
      "owner",
      CPUOperation("publish") { cpu in
        guard let page = try cpu.allocateTable() else { return }
        try cpu.publish(page)
        try cpu.store(Descriptor.table(page).bits, to: root[0], .release)
        try cpu.store(1, to: page[0], .relaxed)
      })
    let machine = Machine(scenario)
    machine.finish()
    #expect(
      levels(machine) == [
        Coverage.Level(number: 0, changes: [Change(old: .invalid, new: .table)]),
        Coverage.Level(number: nil, changes: [Change(old: .invalid, new: .malformed)]),
      ])
  }

  /// A table below the last level is a mistake that is shown, and where it ends.
  @Test func levelsEnd() {
    let scenario = Scenario(geometry: Geometry(levels: 1, entries: 2))
    let root = scenario.rootTable()
    scenario.cpu(
      "cpu",
      CPUOperation("descend") { cpu in
        var table = root
        for _ in 0..<4 {
          guard let next = try cpu.allocateTable() else { return }
          try cpu.store(Descriptor.table(next).bits, to: table[0], .release)
          table = next
        }
      })
    let machine = Machine(scenario)
    machine.finish()
    #expect(levels(machine).map(\.number) == [0, 1])
  }

  /// Each machine notes what it covered; together they covered both.
  @Test func machinesAreUnited() {
    func machine(_ value: Descriptor) -> Machine {
      let scenario = Scenario()
      let root = scenario.rootTable()
      scenario.cpu(
        "cpu",
        CPUOperation("write") { cpu -> any OperationResult in
          try cpu.store(value.bits, to: root[0], .relaxed)
          return value.bits
        })
      let machine = Machine(scenario)
      machine.finish()
      return machine
    }
    let both = Coverage(of: [machine(.block(0)), machine(.locked)])
    #expect(both == Coverage(of: [machine(.locked), machine(.block(0))]))
    #expect(both.levels.first?.changes.map(\.new) == [.locked, .writable])
    #expect(both.operations.first?.outcomes.count == 2)
    #expect(both.includes("write", "\(Descriptor.locked.bits)"))
    #expect(!both.includes("write", "0"))
  }
}
