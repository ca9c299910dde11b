// Memory management units: caching, invalidation, and the results of guest accesses.

import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import TestSupport
import Testing

struct HardwareTests {
  /// A table of two levels whose first page is mapped, and CPUs that are added by `add`.
  private func machine(
    features: Features = Features(), leaf: Descriptor = .page(0), invariants: [any Invariant] = [],
    _ add: (Scenario, TablePage) -> Void
  ) -> Machine {
    let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
    scenario.features = features
    let root = scenario.rootTable()
    _ = scenario.dataFrames(4)
    scenario.boot { cpu in
      guard let table = try cpu.allocateTable() else { throw NoPage() }
      try cpu.store(table[0], leaf.bits, .relaxed)
      try cpu.store(root[0], Descriptor.table(table).bits, .release)
    }
    scenario.require(invariants)
    add(scenario, root)
    return Machine(scenario)
  }

  private func leafEntry(_ cpu: VirtualCPU, _ root: TablePage) throws -> Location {
    let entry = Descriptor(bits: try cpu.load(root[0], .relaxed))
    guard let table = cpu.table(at: entry) else { throw NoPage() }
    return table[0]
  }

  private func guest(
    _ scenario: Scenario, _ root: TablePage, _ operations: CPUOperation...
  ) {
    scenario.cpu("guest", mmu: MMU(root), operations)
  }

  /// Access, read of the root, read of the leaf, access: then a second access takes one step.
  @Test func aWalkIsCached() {
    let machine = machine { scenario, root in
      guest(
        scenario, root, CPUOperation("read") { try $0.guestRead(0) },
        CPUOperation("write") { try $0.guestWrite(0) })
    }
    machine.take(0, 0, 0, 0, 0)
    #expect(machine.able == [])
    #expect(machine.hardwareState == ["guest: walk 0x0–0x1 at table boot.1  0x0 → page 0x0"])
    let content = machine.scenario.dataFrames[0].content
    #expect(machine.value(of: content) == 1)
    machine.undo()
    #expect(machine.value(of: content) == 0)
  }

  /// The second page's walk begins at the table that the first one has found.
  @Test func aWalkBeginsAtTheCachedTable() {
    let machine = machine { scenario, root in
      guest(
        scenario, root, CPUOperation("read") { try $0.guestRead(0) },
        CPUOperation("read next") { try $0.guestRead(1) })
    }
    machine.take(0, 0, 0, 0, 0, 0)
    #expect(machine.able == [])
    #expect(machine.hardwareState == ["guest: walk 0x0–0x1 at table boot.1  0x0 → page 0x0"])
  }

  /// The outcome of one access.
  private func outcome(
    of leaf: Descriptor, _ features: Features = Features(), isWrite: Bool
  ) -> (outcome: String?, entry: Descriptor, cached: [String]) {
    let recorder = StepRecorder()
    let scenario = Scenario(geometry: Geometry(levels: 1, entries: 2))
    scenario.features = features
    let root = scenario.rootTable()
    scenario.boot { cpu in try cpu.store(root[0], leaf.bits, .relaxed) }
    guest(
      scenario, root,
      CPUOperation("access") { isWrite ? try $0.guestWrite(0) : try $0.guestRead(0) })
    let machine = Machine(scenario, recorder: recorder)
    machine.finish()
    return (
      recorder.steps.last?.operationResult, machine.entry(of: root, 0), machine.hardwareState
    )
  }

  @Test func faultsAreReported() {
    #expect(outcome(of: .invalid, isWrite: false).outcome == "translation fault")
    #expect(outcome(of: .locked, isWrite: false).outcome == "translation fault")
    let aged = Descriptor.page(0).withoutAccessFlag
    #expect(outcome(of: aged, isWrite: false).outcome == "access-flag fault")
    let readOnly = Descriptor.page(0).readOnly
    #expect(outcome(of: readOnly, isWrite: false).outcome == "frame 0x0")
    #expect(outcome(of: readOnly, isWrite: true).outcome == "permission fault")
  }

  /// Entries of translation faults and access-flag faults are not cached; those of permission
  /// faults are.
  @Test func onlyPermissionFaultsAreCached() {
    #expect(outcome(of: .invalid, isWrite: false).cached == [])
    #expect(outcome(of: Descriptor.page(0).withoutAccessFlag, isWrite: false).cached == [])
    #expect(
      outcome(of: Descriptor.page(0).readOnly, isWrite: true).cached
        == ["guest: 0x0 → page 0x0 read-only"])
  }

  @Test func hardwareSetsTheAccessFlag() {
    var features = Features()
    features.hardwareAccessFlag = true
    let result = outcome(of: Descriptor.page(0).withoutAccessFlag, features, isWrite: false)
    #expect(result.outcome == "frame 0x0")
    #expect(result.entry == .page(0))
  }

  @Test func hardwareMarksDirty() {
    let clean = Descriptor.page(0).writableClean
    #expect(outcome(of: clean, isWrite: true).outcome == "permission fault")
    var features = Features()
    features.hardwareDirtyState = true
    let result = outcome(of: clean, features, isWrite: true)
    #expect(result.outcome == "frame 0x0")
    #expect(result.entry == clean.writable)
    #expect(outcome(of: clean, features, isWrite: false).entry == clean)
  }

  /// The caches of two guests after an invalidation by the first one's CPU.
  private func left(after invalidation: TLBInvalidation, publishes: Bool = true) -> [String] {
    let machine = machine { scenario, root in
      guest(
        scenario, root,
        CPUOperation("read") { try $0.guestRead(0) },
        CPUOperation("unmap") { [self] cpu in
          try cpu.store(leafEntry(cpu, root), Descriptor.invalid.bits, .relaxed)
          if publishes { try cpu.dsb() }
          try cpu.tlbi(invalidation, of: root)
          try cpu.dsb()
        })
      scenario.cpu("other", mmu: MMU(root), CPUOperation("read") { try $0.guestRead(0) })
    }
    machine.take(0, 0, 0, 0, 1, 1, 1, 1)
    machine.finish()
    return machine.hardwareState
  }

  @Test func invalidationRemovesItsTargets() {
    let table = "walk 0x0–0x1 at table boot.1"
    let both = ["guest: \(table)  0x0 → page 0x0", "other: \(table)  0x0 → page 0x0"]
    #expect(left(after: .all) == [])
    #expect(left(after: .address(0)) == [])
    #expect(left(after: .address(1)) == ["guest: 0x0 → page 0x0", "other: 0x0 → page 0x0"])
    #expect(left(after: .address(0).level(1)) == [])
    #expect(left(after: .address(0).level(0)) == both)
    #expect(left(after: .address(0).lastLevelOnly) == ["guest: \(table)", "other: \(table)"])
    #expect(left(after: .address(0).local) == ["other: \(table)  0x0 → page 0x0"])
    // The pointer to the table was not changed, so its invalidation works in any case.
    #expect(
      left(after: .address(0), publishes: false)
        == ["guest: 0x0 → page 0x0", "other: 0x0 → page 0x0"])
  }

  /// A walk that has read the root's entry starts again when that entry is invalidated.
  @Test func aWalkInFlightBeginsAnew() {
    let machine = machine { scenario, root in
      guest(scenario, root, CPUOperation("read") { try $0.guestRead(0) })
      scenario.cpu(
        "host",
        CPUOperation("unlink") { cpu in
          try cpu.store(root[0], Descriptor.invalid.bits, .relaxed)
          try cpu.dsb()
          try cpu.tlbi(.all, of: root)
          try cpu.dsb()
        })
    }
    machine.take(0, 0)
    machine.take(1, 1)
    // Its read of the table does not count; a new access walks from the root, to a translation
    // fault.
    machine.take(0, 0, 0)
    #expect(machine.able == [])
    #expect(machine.hardwareState == [])
  }

  /// A speculative walk, or an eviction, at any moment.
  @Test func walksOfTheirOwnAccordAndEvictionsAreExplored() {
    let scenario = Scenario(geometry: Geometry(levels: 1, entries: 2))
    let root = scenario.rootTable()
    scenario.boot { cpu in try cpu.store(root[0], Descriptor.page(0).bits, .relaxed) }
    scenario.cpu(
      "guest", mmu: MMU(root, speculatesOn: [0], evicts: true),
      CPUOperation("read") { try $0.guestRead(0) })
    let machine = Machine(scenario)
    #expect(machine.cpuNames == ["guest", "guest/mmu"])
    #expect(machine.choiceCount(of: 1) == 2)
    let result = states(of: scenario)
    #expect(result.ending == .complete)
    // The entry is cached at the end, or the eviction came last.
    #expect(result.finalStates.count == 2)
  }

  /// Without FEAT_ETS2 a walk may see an entry's old, invalid value, but only until the DSB.
  @Test(arguments: [(false, false, 2), (false, true, 1), (true, false, 1)])
  func aNewEntryMayBeSeenLate(hasETS: Bool, hasBarrier: Bool, outcomes: Int) {
    let scenario = Scenario(geometry: Geometry(levels: 1, entries: 2))
    scenario.features.enhancedTranslationSynchronisation = hasETS
    let root = scenario.rootTable()
    let isMapped = scenario.word("mapped")
    scenario.cpu(
      "host",
      CPUOperation("map") { cpu in
        try cpu.store(root[0], Descriptor.page(0).bits, .release)
        if hasBarrier { try cpu.dsb() }
        try cpu.store(isMapped, 1, .release)
      })
    scenario.cpu(
      "guest", mmu: MMU(root),
      CPUOperation("read") { cpu in
        try cpu.wait(until: isMapped, .equals(1))
        return try cpu.guestRead(0)
      })
    #expect(states(of: scenario).finalStates.count == outcomes)
  }

  /// The kinds of events that a scenario can lead to.
  private func isSeen(
    _ kind: EventKinds, _ features: Features = Features(),
    _ change: @escaping @Sendable (VirtualCPU, TablePage) throws -> Void
  ) -> Bool {
    let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
    scenario.features = features
    let root = scenario.rootTable()
    scenario.boot { cpu in try cpu.store(root[0], Descriptor.block(0).bits, .relaxed) }
    scenario.require([Sees(kind)])
    scenario.cpu(
      "guest", mmu: MMU(root, speculatesOn: [0]), CPUOperation("read") { try $0.guestRead(1) })
    scenario.cpu("host", CPUOperation("change") { cpu in try change(cpu, root) })
    return states(of: scenario).ending == .violation
  }

  private static func split(_ cpu: VirtualCPU, _ root: TablePage, to first: Int = 0) throws {
    guard let table = try cpu.allocateTable() else { throw NoPage() }
    for index in 0..<2 {
      try cpu.store(table[index], Descriptor.page(first + index).bits, .relaxed)
    }
    try cpu.store(root[0], Descriptor.table(table).bits, .release)
  }

  @Test func sizesMayChangeWhereTheArchitectureAllowsIt() {
    var level2 = Features()
    level2.breakBeforeMakeLevel = 2
    #expect(isSeen(.changedWhileCached) { try Self.split($0, $1) })
    #expect(isSeen(.conflictingEntries) { try Self.split($0, $1) })
    #expect(!isSeen(.changedWhileCached, level2) { try Self.split($0, $1) })
    #expect(!isSeen(.conflictingEntries, level2) { try Self.split($0, $1) })
    // The same change of size with other frames is reported when both are cached.
    #expect(isSeen(.conflictingEntries, level2) { try Self.split($0, $1, to: 2) })
  }

  @Test func atLevel1TheBlockMustBeMarked() {
    var level1 = Features()
    level1.breakBeforeMakeLevel = 1
    #expect(isSeen(.changedWhileCached, level1) { try Self.split($0, $1) })
    #expect(
      !isSeen(.changedWhileCached, level1) { cpu, root in
        let marked = Descriptor.block(0).markedForSizeChange
        try cpu.store(root[0], marked.bits, .release)
        try cpu.dsb()
        try cpu.tlbi(.all, of: root)
        try cpu.dsb()
        try Self.split(cpu, root)
      })
  }

  @Test func permissionsMayChangeWithoutABreak() {
    #expect(
      !isSeen(.changedWhileCached) { cpu, root in
        try cpu.store(root[0], Descriptor.block(0).readOnly.bits, .release)
      })
    #expect(
      isSeen(.changedWhileCached) { cpu, root in
        try cpu.store(root[0], Descriptor.block(2).bits, .release)
      })
  }

  @Test func aGuestNeedsAnMMU() {
    let scenario = Scenario()
    scenario.cpu("cpu", CPUOperation("read") { try $0.guestRead(0) })
    let machine = Machine(scenario)
    guard let failure = machine.failure else {
      Issue.record("nobody complains")
      return
    }
    #expect(
      machine.text(of: failure).hasSuffix(
        ": cpu in read: a guest runs on a CPU that is not declared to have an MMU"))
  }
}
