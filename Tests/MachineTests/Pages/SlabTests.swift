// Slabs: pages that are reused at once, contents that stay, and pages that leave for good.

import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import TestSupport
import Testing

struct SlabTests {
  /// One CPU alone, and the machine when it is done.
  private func machine(
    pages: Int, kind: Slab.Kind = .tables, requiring invariants: [any Invariant] = [],
    _ body: @escaping @Sendable (VirtualCPU, Slab, TablePage) throws -> UInt64
  ) -> Machine {
    let scenario = Scenario()
    let slab = scenario.slab("slab", pages: pages, kind: kind)
    // Roots may be added later: pages of slabs are at the other end.
    let root = scenario.rootTable()
    scenario.cpu("cpu", CPUOperation("use") { cpu in try body(cpu, slab, root) })
    scenario.require(invariants)
    let machine = Machine(scenario)
    machine.finish()
    return machine
  }

  @Test func theLowestFreePageIsReusedAtOnce() {
    let machine = machine(pages: 3) { cpu, slab, root in
      let first = try cpu.allocate(from: slab)
      let second = try cpu.allocate(from: slab)
      guard let first, let second else { throw NoPage() }
      try cpu.store(first[0], 7, .relaxed)
      try cpu.free(first, to: slab)
      let again = try cpu.allocate(from: slab)
      try cpu.store(root[0], Descriptor.table(second).bits, .release)
      try cpu.store(root[1], Descriptor.table(first).bits, .release)
      // Its old contents are still there.
      return again == first ? try cpu.load(first[0], .relaxed) : 0
    }
    #expect(machine.failure == nil)
    #expect(machine.pages.map(\.name) == ["root", "slab.0", "slab.1", "slab.2"])
    #expect(machine.pages.map { machine.isFreeInSlab($0.page) } == [false, false, false, true])
    #expect(machine.entry(of: machine.pages[1].page, 0).bits == 7)
    #expect(machine.tableText().last == "in slab: slab.2: [0] invalid  [1] invalid")
  }

  @Test func anEmptySlabGivesNothing() {
    let machine = machine(pages: 1) { cpu, slab, root in
      let first = try cpu.allocate(from: slab)
      let second = try cpu.allocate(from: slab)
      try cpu.store(root[0], first != nil && second == nil ? 1 : 2, .relaxed)
      return 0
    }
    #expect(machine.entry(of: machine.roots[0], 0).bits == 1)
  }

  private func violation(
    of invariant: any Invariant, kind: Slab.Kind = .tables,
    _ body: @escaping @Sendable (VirtualCPU, Slab, TablePage) throws -> UInt64
  ) -> String? {
    let machine = machine(pages: 1, kind: kind, requiring: [invariant], body)
    _ = machine.judgeEnd()
    return machine.violation?.report.message
  }

  @Test func freeSlabPagesMayBeAccessed() {
    #expect(
      violation(of: NoUseAfterFree()) { cpu, slab, _ in
        guard let page = try cpu.allocate(from: slab) else { return 0 }
        try cpu.free(page, to: slab)
        return try cpu.load(page[0], .relaxed)
      } == nil)
  }

  @Test func pagesThatLeftTheirSlabMayNotBeAccessed() {
    #expect(
      violation(of: NoUseAfterFree()) { cpu, slab, _ in
        guard let page = try cpu.allocate(from: slab) else { return 0 }
        try cpu.free(page, to: slab)
        try cpu.shrink(slab)
        return try cpu.load(page[0], .relaxed)
      } == "cpu uses slab.0[0] after table page slab.0 was freed")
  }

  @Test func allocatedPagesStayWhenASlabShrinks() {
    #expect(
      violation(of: NoUseAfterFree()) { cpu, slab, _ in
        guard let page = try cpu.allocate(from: slab) else { return 0 }
        try cpu.shrink(slab)
        return try cpu.load(page[0], .relaxed)
      } == nil)
  }

  @Test(arguments: [false, true])
  func givingBackTwiceIsADoubleFree(shrinks: Bool) {
    #expect(
      violation(of: NoDoubleFree()) { cpu, slab, _ in
        guard let page = try cpu.allocate(from: slab) else { return 0 }
        try cpu.free(page, to: slab)
        if shrinks { try cpu.shrink(slab) }
        try cpu.free(page, to: slab)
        return 0
      } == "cpu frees table page slab.0 which is not allocated")
  }

  @Test func aPageOfASlabIsFreedToIt() {
    #expect(
      violation(of: NoDoubleFree()) { cpu, slab, _ in
        guard let page = try cpu.allocate(from: slab) else { return 0 }
        try cpu.free(page)
        return 0
      }
        == "cpu frees table page slab.0, which belongs to a slab and is given back with "
        + "free(page, to: slab)")
  }

  @Test(arguments: [Slab.Kind.tables, .objects])
  func tablesLeakAndObjectsDoNot(kind: Slab.Kind) {
    let message = violation(of: NoLeakedTablePage(), kind: kind) { cpu, slab, _ in
      _ = try cpu.allocate(from: slab)
      return 0
    }
    #expect((message != nil) == (kind == .tables))
  }

  @Test func freeSlabPagesAreNotLeaked() {
    #expect(violation(of: NoLeakedTablePage()) { _, _, _ in 0 } == nil)
  }

  @Test func addressesOfEntriesLinkNothing() {
    let machine = machine(pages: 1) { cpu, slab, root in
      guard let page = try cpu.allocate(from: slab) else { return 0 }
      try cpu.store(root[0], page.address(ofEntry: 1), .relaxed)
      let found = try cpu.load(root[0], .relaxed)
      guard let entry = cpu.entry(at: found), cpu.page(at: found) == page,
        cpu.entry(at: found + 1) == nil, cpu.entry(at: found + 4) == nil,
        cpu.page(at: 0) == nil
      else { return 0 }
      try cpu.store(entry, 5, .relaxed)
      return 0
    }
    #expect(machine.entry(of: machine.roots[0], 0).tableID == nil)
    #expect(machine.entry(of: machine.pages[1].page, 1).bits == 5)
  }

  /// A reader that found the page before it was freed prevents it from leaving the slab.
  @Test func shrinkingUnderAReaderIsSeen() {
    let scenario = Scenario()
    let slab = scenario.slab("slab", pages: 1, kind: .objects)
    scenario.cpu(
      "reader",
      CPUOperation("read") { cpu in
        try cpu.rcuReadLock()
        try cpu.rcuReadUnlock()
      })
    scenario.cpu(
      "owner",
      CPUOperation("free") { cpu in
        guard let page = try cpu.allocate(from: slab) else { return }
        try cpu.free(page, to: slab)
        try cpu.shrink(slab)
      })
    scenario.require(GracePeriodSafety())
    let machine = Machine(scenario)
    machine.take(0, 1, 1)
    #expect(machine.step(1, choice: 0) == .violation)
    #expect(machine.violation?.report.message.contains("reader may still hold it") == true)
    machine.undo()
    machine.take(0)
    #expect(machine.step(1, choice: 0) == .clean)
  }
}
