// The changes of entries that a machine records, with their levels.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

@Suite struct EntryCoverageTests {
  private typealias Change = Coverage.Change

  private func levels(_ machine: Machine) -> [Coverage.Level] { Coverage(of: [machine]).levels }

  /// Writes of boot code, and writes without a change, are not counted.
  @Test func onlyStepsCount() {
    let scenario = Scenario()
    let root = scenario.rootTable()
    scenario.boot { cpu in try cpu.store(root[0], Descriptor.block(0).bits, .relaxed) }
    scenario.cpu(
      "cpu",
      CPUOperation("write") { cpu in
        try cpu.store(root[0], Descriptor.block(0).bits, .relaxed)
        try cpu.store(root[0], Descriptor.block(0, writable: false).bits, .relaxed)
        try cpu.store(root[1], Descriptor.locked.bits, .relaxed)
      })
    let machine = Machine(scenario)
    machine.take(0, 0)
    #expect(
      levels(machine) == [
        Coverage.Level(number: 0, changes: [Change(old: .writable, new: .readOnly)])
      ])
    // Undoing steps does not undo this.
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
        // No other CPU can reach these pages yet.
        try cpu.store(lower[0], Descriptor.page(1).bits, .relaxed)
        try cpu.store(upper[0], Descriptor.table(lower).bits, .relaxed)
        try cpu.store(root[0], Descriptor.table(upper).bits, .release)
        try cpu.store(root[0], Descriptor.invalid.bits, .release)
        try cpu.store(upper[1], Descriptor.locked.bits, .relaxed)
        var old = Descriptor.page(2)
        old.bits &= ~(1 << 10)
        try cpu.store(lower[1], old.bits, .relaxed)
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

  /// A page that others first reach without an entry has no level, whatever is linked later.
  @Test func cachedPagesHaveNoLevel() {
    let scenario = Scenario()
    let root = scenario.rootTable()
    scenario.cpu(
      "owner",
      CPUOperation("publish") { cpu in
        guard let page = try cpu.allocateTable() else { return }
        try cpu.publish(page)
        try cpu.store(root[0], Descriptor.table(page).bits, .release)
        try cpu.store(page[0], 1, .relaxed)
      })
    let machine = Machine(scenario)
    machine.finish()
    #expect(
      levels(machine) == [
        Coverage.Level(number: 0, changes: [Change(old: .invalid, new: .table)]),
        Coverage.Level(number: nil, changes: [Change(old: .invalid, new: .malformed)]),
      ])
  }

  /// A table below the last level is a mistake, which is shown with its level.
  @Test func levelsEnd() {
    let scenario = Scenario(geometry: Geometry(levels: 1, entries: 2))
    let root = scenario.rootTable()
    scenario.cpu(
      "cpu",
      CPUOperation("descend") { cpu in
        var table = root
        for _ in 0..<4 {
          guard let next = try cpu.allocateTable() else { return }
          try cpu.store(table[0], Descriptor.table(next).bits, .release)
          table = next
        }
      })
    let machine = Machine(scenario)
    machine.finish()
    #expect(levels(machine).map(\.number) == [0, 1])
  }

  /// Each machine records its own coverage; the union has both.
  @Test func machinesAreUnited() {
    func machine(_ value: Descriptor) -> Machine {
      let scenario = Scenario()
      let root = scenario.rootTable()
      scenario.cpu(
        "cpu",
        CPUOperation("write") { cpu -> any OperationResult in
          try cpu.store(root[0], value.bits, .relaxed)
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
