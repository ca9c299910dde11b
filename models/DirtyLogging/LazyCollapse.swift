// Dirty logging switched off: the next write fault on a page collapses its table into a block.

import Gracewalk

/// What KVM does: guest faults collapse tables one by one, while other vCPUs still use them.
enum LazyCollapse {
  static let origin = Origin(
    author: "Oliver Upton", list: "linux-arm-kernel", date: "2022-04-21",
    subject: "[RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
    question:
      "Once dirty logging is off, guest faults collapse tables back into blocks. What must be "
      + "flushed, and when, while hardware walks what is collapsed?",
    about: [.noEntryLock, .noTLBI, .leavesOnlyTLBI])

  static let models: [Model] = [
    model(
      "lazy-collapse",
      "the entry is locked, all below it is flushed, the block is made, the table is freed by RCU"),
    model(
      "lazy-collapse-without-tlbi", "nothing that is cached of the table is forgotten",
      .withoutTLBI, omission: "the TLBI between break and make",
      violates: [
        BreakBeforeMake.id, NoConflictingTLBEntries.id, NoStaleUseAfterDSB.id,
        NoReuseWhileCached.id, NoUseAfterFree.id,
      ]),
    model(
      "lazy-collapse-tlbi-before-dsb",
      "the TLBI is issued before the barrier that publishes the locked entry", .beforePublication,
      omission: "the DSB between break and TLBI",
      violates: [
        BreakBeforeMake.id, NoConflictingTLBEntries.id, NoStaleUseAfterDSB.id,
        NoReuseWhileCached.id, NoUseAfterFree.id,
      ]),
    model(
      "lazy-collapse-tlbi-local", "the TLBI is for the CPU that collapses", .local,
      omission: "the broadcast of the TLBI",
      violates: [
        BreakBeforeMake.id, NoConflictingTLBEntries.id, NoStaleUseAfterDSB.id,
        NoReuseWhileCached.id, NoUseAfterFree.id,
      ]),
    model(
      "lazy-collapse-tlbi-last-level", "the TLBI is for leaves: the pointer to the table survives",
      .lastLevelOnly, omission: "the TLBI for the walk cache",
      violates: [
        BreakBeforeMake.id, NoConflictingTLBEntries.id, NoStaleUseAfterDSB.id,
        NoReuseWhileCached.id, NoUseAfterFree.id,
      ]),
    model(
      "lazy-collapse-tlbi-one-address",
      "the TLBI is for the address of the fault: its neighbours' leaves survive",
      .firstAddressOnly, omission: "the TLBI for the rest of the block",
      violates: [NoConflictingTLBEntries.id, NoStaleUseAfterDSB.id]),
    model(
      "lazy-collapse-make-before-tlbi", "the block is made before the table's entries are flushed",
      omitting: .flushBeforeMake, omission: "the flush before the make",
      violates: [BreakBeforeMake.id, NoConflictingTLBEntries.id]),
  ]

  private static func model(
    _ name: String, _ summary: String, _ flush: Flush = .complete,
    omitting: Stage2Table.Omission? = nil, omission: String? = nil, violates: [String]? = nil
  ) -> Model {
    Model(
      name: name, summary: summary,
      scenario:
        "Dirty logging has left a table with one read-only page. One vCPU writes to it, and "
        + "collapses the table when that faults. A second reads the page, and its walker may walk "
        + "to the page's neighbour at any moment; a third maps that neighbour.",
      omission: omission, origin: origin,
      parameters: [
        Parameter("reads", "times that the second guest reads", 1...2, standard: 1),
        Parameter("walks", "walks its walker begins speculatively", 0...2, standard: 1),
      ],
      expectation: violates.map { .violates($0) } ?? .holds,
      mustHappen: races
    ) { values in
      scenario(values, flush, omitting)
    }
  }

  /// Guests come before the collapse, after it, and while the entry is broken; so does the mapper.
  private static let races =
    ["write 0x0", "read 0x0"].map { ExpectedOutcome($0, "frame 0x0") }
    + [
      ExpectedOutcome("read 0x0", "translation fault"),
      // With FEAT_ETS2 the guest sees at once what its own CPU has made.
      ExpectedOutcome("write 0x0", "translation fault") { _, features in
        !features.enhancedTranslationSynchronisation
      },
    ] + ["done", "already", "retry"].map { ExpectedOutcome("map 0x1", $0) }

  private static func scenario(
    _ values: ParameterValues, _ flush: Flush, _ omitting: Stage2Table.Omission?
  ) -> Scenario {
    let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
    _ = scenario.dataFrames(2)
    let table = Stage2Table(scenario, flush: flush, omitting: omitting)
    scenario.boot { cpu in
      _ = try table.map(cpu, 0)
      let entry = Descriptor(bits: try cpu.load(table.root[0], .relaxed))
      guard let leaves = cpu.table(at: entry) else { return }
      try cpu.store(Descriptor.page(0).readOnly.bits, to: leaves[0], .relaxed)
    }
    scenario.cpu(
      "vcpu 0", usesCallbacks: true, mmu: MMU(table.root),
      CPUOperation("write 0x0") { cpu in try write(cpu, table, 0) })
    scenario.cpu(
      "vcpu 1", mmu: MMU(table.root, speculatesOn: [1], times: values["walks"]),
      Array(
        repeating: CPUOperation("read 0x0") { cpu in try cpu.guestRead(0) }, count: values["reads"])
    )
    scenario.cpu("mapper", table.operation(.map, 1))
    scenario.require(InvariantCatalogue.tables)
    scenario.require(InvariantCatalogue.hardware)
    scenario.require(GracePeriodSafety())
    return scenario
  }

  /// A guest writes; where the fault of that collapses the table, it tries again.
  private static func write(
    _ cpu: VirtualCPU, _ table: Stage2Table, _ address: Int
  ) throws(Abandoned) -> GuestAccess {
    let access = try cpu.guestWrite(address)
    guard access == .permissionFault else { return access }
    _ = try table.collapse(cpu, address)
    return try cpu.guestWrite(address)
  }
}
