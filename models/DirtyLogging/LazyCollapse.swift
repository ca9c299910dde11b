// Dirty logging switched off: the next write fault on a page collapses its table into a block.

import Gracewalk

/// KVM's way: guest faults collapse tables one by one, while other vCPUs still use them.
enum LazyCollapse {
  /// What goes wrong where the table stays cached.
  private static let stale = [
    BreakBeforeMake.id, NoConflictingTLBEntries.id, NoStaleUseAfterDSB.id, NoReuseWhileCached.id,
    NoUseAfterFree.id,
  ]

  private static let variants: [Variant<Flush?>] = [
    .holds(
      "lazy-collapse",
      "the entry is locked, all below it is flushed, the block is made, the table is freed by RCU",
      // Walks beside the guest's own are out of reach under Armv8.
      instancesUnder: [.armv8: [["reads": 1, "walks": 0]]]),
    .broken(
      "lazy-collapse-without-tlbi", "nothing that is cached of the table is forgotten",
      .withoutTLBI, omits: "the TLBI between break and make", violates: stale),
    .broken(
      "lazy-collapse-tlbi-before-dsb",
      "the TLBI is issued before the barrier that publishes the locked entry", .beforePublication,
      omits: "the DSB between break and TLBI", violates: stale),
    .broken(
      "lazy-collapse-tlbi-local", "the TLBI is for the CPU that collapses", .local,
      omits: "the broadcast of the TLBI", violates: stale),
    .broken(
      "lazy-collapse-tlbi-last-level", "the TLBI is for leaves: the pointer to the table survives",
      .lastLevelOnly, omits: "the TLBI for the walk cache", violates: stale),
    .broken(
      "lazy-collapse-tlbi-one-address",
      "the TLBI is for the address of the fault: its neighbours' leaves survive", .firstAddressOnly,
      omits: "the TLBI for the rest of the block",
      violates: [NoConflictingTLBEntries.id, NoStaleUseAfterDSB.id]),
    .broken(
      "lazy-collapse-make-before-tlbi", "the block is made before the table's entries are flushed",
      omits: "the flush before the make",
      violates: [BreakBeforeMake.id, NoConflictingTLBEntries.id]),
  ]

  static let models = Model.family(
    variants,
    scenario:
      "Dirty logging has left a table with one read-only page. One vCPU writes to it, and "
      + "collapses the table when that faults. A second reads the page, and its walker may walk to "
      + "the page's neighbour at any moment; a third maps that neighbour.",
    origin: Origin(
      author: "Oliver Upton", list: "linux-arm-kernel", date: "2022-04-21",
      subject: "[RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
      question:
        "Once dirty logging is off, guest faults collapse tables back into blocks. What must be "
        + "flushed, and when, while hardware walks what is collapsed?",
      about: [.noEntryLock, .noTLBI, .leavesOnlyTLBI]),
    parameters: [
      Parameter("reads", "times that the second guest reads", 1...2, standard: 1),
      Parameter("walks", "walks its walker begins speculatively", 0...2, standard: 1),
    ],
    // Guests and the mapper run before the collapse, after it, and while the entry is broken.
    mustHappen: ExpectedOutcome.each("write 0x0", "frame 0x0")
      + ExpectedOutcome.each("read 0x0", "frame 0x0", "translation fault")
      // With FEAT_ETS2 the guest sees at once the entries that its own CPU has made.
      + ExpectedOutcome.each("write 0x0", "translation fault") { _, features in
        !features.enhancedTranslationSynchronisation
      } + ExpectedOutcome.each("map 0x1", "done", "already", "retry")
  ) { values, flush in
    let scenario = Scenario()
    _ = scenario.dataFrames(2)
    let table = Stage2Table(scenario, flush: flush ?? .complete)
    scenario.boot { cpu in try table.mapReadOnly(cpu, 0..<1) }
    scenario.cpu("vcpu 0", usesCallbacks: true, mmu: MMU(table.root), runs: "write 0x0") {
      cpu -> any OperationResult in
      let access = try cpu.guestWrite(0)
      guard access == .permissionFault else { return access }
      _ = try table.collapse(cpu, 0)
      return try cpu.guestWrite(0)
    }
    let read = CPUOperation("read 0x0") { cpu in try cpu.guestRead(0) }
    scenario.cpu(
      "vcpu 1", mmu: MMU(table.root, speculatesOn: [1], times: values["walks"]),
      Array(repeating: read, count: values["reads"]))
    scenario.cpu("mapper", table.operation(.map, 1))
    scenario.require(
      InvariantCatalogue.tables + InvariantCatalogue.hardware + [GracePeriodSafety()])
    return scenario
  }
}
