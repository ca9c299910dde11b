// An origin of the project: a hypervisor splits the host's blocks and coalesces them again.

import Gracewalk

/// pKVM's use of collapsing: the host's stage 2, in a hypervisor without RCU.
///
/// Coalescing did not exist when the mail was written, not even as a prototype. The model shows two
/// ways to do it: the block is made at once, or left to the host's next fault (as in later patches:
/// "Coalesce host stage2 entries on ownership reclaim", on a branch of android-kvm). Pages 0 and 1
/// are one block, and page 1 changes hands.
public enum HostMap {
  public static let system = ModelSystem("host-map", "The host's identity map under pKVM", models)

  /// The date is that of Oliver Upton's mail, to which this is the answer.
  static let origin = Origin(
    author: "Quentin Perret", list: "linux-arm-kernel", date: "2022-04-22",
    subject: "Re: [RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
    question:
      "pKVM splits blocks of the host's stage 2 when a protected guest starts and could coalesce "
      + "them when it ends. What does that take in a hypervisor that has no RCU?",
    about: [.noLock, .noBreak, .noTLBI])

  public static let models = donating + reclaiming + sharing

  private static let makesTooEarly = [BreakBeforeMake.id, NoConflictingTLBEntries.id]
  /// The invariants that fail when a broken block stays cached.
  private static let blockStaysCached = [
    NoStaleUseAfterDSB.id, BreakBeforeMake.id, NoConflictingTLBEntries.id,
    NoReuseWhileCached.id, DonatedPageUnreachable.id, OperationsLinearise.id,
  ]

  private static let donating = Model.family(
    [
      .holds("host-donate", "the block is broken and flushed before the page is handed over"),
      .holds(
        "host-donate-fills-on-demand",
        "the block gives way to an empty table, which the host's faults fill", .fillOnDemand),
      .holds(
        "host-donate-in-place-if-allowed",
        "the block is split without a break where FEAT_BBM level 2 allows it", .inPlaceIfAllowed),
      .broken(
        "host-donate-in-place",
        "the block is split without a break; right at FEAT_BBM level 2 only",
        omits: "breaking the block before the table is made", violates: makesTooEarly),
      .broken(
        "host-donate-without-tlbi", "the block is broken, and stays in the TLBs",
        omits: "the TLBI after the break", violates: blockStaysCached),
      .broken(
        "host-donate-without-dsb-before-tlbi",
        "the TLBI may overtake the store that breaks the block",
        omits: "the DSB between the break and the TLBI", violates: blockStaysCached),
      .broken(
        "host-donate-without-dsb-after-tlbi", "the table is made before the TLBI is complete",
        omits: "the DSB that completes the TLBI", violates: makesTooEarly),
      .broken(
        "host-donate-tlbi-wrong-level", "the TLBI is for pages, and a block is cached",
        omits: "the level of the block in the TLBI", violates: blockStaysCached),
      .broken(
        "host-donate-tlbi-local", "the TLBI is for the hypervisor's CPU alone",
        omits: "sending the TLBI to all CPUs", violates: blockStaysCached),
      .broken(
        "host-donate-before-flush", "the page is handed over once the block is broken",
        omits: "flushing before the page is handed over",
        violates: blockStaysCached.filter { !makesTooEarly.contains($0) }),
    ] as [Variant<HostTable.Resizing?>],
    scenario: { resizing in
      "The host has pages 0 and 1 mapped by a block. The hypervisor donates page 1 to a protected "
        + "guest while one of the host's CPUs reads "
        + (resizing == .fillOnDemand
          ? "both, and the guest writes to its page."
          : "it, its MMU walks to page 0 speculatively, and the guest writes to its page.")
    },
    origin: origin,
    mustHappen: { resizing in
      ExpectedOutcome.each("host reads 0x1", "reached", "refused")
        + ExpectedOutcome.each("donate 0x1", "done")
        + ExpectedOutcome.each("guest writes 0x1", "reached", "refused")
        + (resizing == .fillOnDemand
          ? ExpectedOutcome.each("host reads 0x0", "reached") : [])
    }
  ) { _, resizing in
    let scenario = Scenario()
    let table = HostTable(scenario, .block, resizing)
    // Where it fills the table by faults, the host also needs its other page.
    let readsBoth = resizing == .fillOnDemand
    scenario.cpu(
      "host cpu 0",
      mmu: MMU(table.root, speculatesOn: readsBoth ? [] : [0], owner: table.host),
      (readsBoth ? [1, 0] : [1]).map(table.hostReads))
    scenario.cpu("host cpu 1", table.donates(1))
    scenario.cpu("guest vcpu", mmu: MMU(table.guestRoot, owner: table.guest), table.guestWrites)
    return scenario
  }

  private static let reclaiming = Model.family(
    [
      .holds(
        "host-reclaim", "the page is wiped, handed back and mapped; then the table is coalesced"),
      .holds(
        "host-reclaim-fills-on-demand",
        "the table is unlinked, flushed and freed; the host's next fault makes the block",
        .fillOnDemand),
      .holds(
        "host-reclaim-in-place-if-allowed",
        "the table is coalesced without a break where FEAT_BBM level 2 allows it",
        .inPlaceIfAllowed),
      .broken(
        "host-reclaim-without-guest-flush",
        "the page stays in the TLBs of the guest that has ended",
        omits: "flushing the guest's table",
        violates: [NoStaleUseAfterDSB.id, NoReuseWhileCached.id]),
      .broken(
        "host-reclaim-maps-before-hand-back",
        "the host's table maps the page while it is the guest's",
        omits: "handing the page back before mapping it", violates: [DonatedPageUnreachable.id]),
      .broken(
        "host-coalesce-in-place", "the table gives way to the block without a break",
        omits: "breaking the entry before the block is made", violates: makesTooEarly),
      .broken(
        "host-coalesce-frees-before-flush", "the table is freed once the entry is broken",
        omits: "flushing before the table is freed",
        violates: [NoReuseWhileCached.id, NoUseAfterFree.id]),
      .broken(
        "host-coalesce-tlbi-last-level", "the pointer to the table stays in the walk caches",
        omits: "flushing pointers to tables, not leaves alone",
        violates: [
          NoStaleUseAfterDSB.id, BreakBeforeMake.id, NoConflictingTLBEntries.id,
          NoReuseWhileCached.id, NoUseAfterFree.id,
        ]),
    ] as [Variant<HostTable.Resizing?>],
    scenario:
      "Page 1 is a protected guest's. The guest ends; then the hypervisor gives the page back and "
      + "coalesces pages 0 and 1. Meanwhile one of the host's CPUs reads page 1, and its MMU and "
      + "the guest's walk speculatively.",
    origin: origin,
    mustHappen: ExpectedOutcome.each("host reads 0x1", "reached", "refused")
      + ExpectedOutcome.each("reclaim 0x1", "done")
  ) { _, resizing in
    let scenario = Scenario()
    let table = HostTable(scenario, .donated, resizing)
    let ended = scenario.word("guest has ended")
    func mmu(_ root: TablePage, _ owner: FrameOwner) -> MMU {
      MMU(root, speculatesOn: [0], times: 1, owner: owner)
    }
    scenario.cpu("host cpu 0", mmu: mmu(table.root, table.host), table.hostReads(1))
    scenario.cpu(
      "host cpu 1",
      CPUOperation("wait for the end of the guest") { cpu in
        try cpu.wait(until: ended, .equals(1))
      },
      table.reclaims(1))
    scenario.cpu("guest vcpu", mmu: mmu(table.guestRoot, table.guest), runs: "end") { cpu in
      try cpu.store(ended, 1, .release)
    }
    return scenario
  }

  private static let sharing = Model.family(
    [
      .holds(
        "host-donate-write-locked", "faults share a reader-writer lock, splitting has it alone",
        false),
      .broken(
        "host-donate-read-locked", "splitting, too, holds the lock for reading only", false,
        omits: "taking the lock for writing",
        violates: [
          BreakBeforeMake.id, NoReuseWhileCached.id, DonatedPageUnreachable.id,
          ReferencesMatchEntries.id,
        ]),
      .holds(
        "host-coalesce-write-locked", "faults share a reader-writer lock, coalescing has it alone",
        true),
      .broken(
        "host-coalesce-read-locked", "coalescing, too, holds the lock for reading only", true,
        omits: "taking the lock for writing",
        violates: [NoUseAfterFree.id, BreakBeforeMake.id, ReferencesMatchEntries.id]),
    ] as [Variant<Bool>],
    scenario: { reclaims in
      reclaims
        ? "Page 1 was a protected guest's, which has ended, and page 0 is not mapped. Two of the "
          + "host's CPUs read pages 0 and 1 and fault; the hypervisor takes page 1 back and "
          + "coalesces."
        : "The host has nothing mapped yet. Two of its CPUs read pages 0 and 1 and fault; the "
          + "hypervisor donates page 1 to a protected guest."
    },
    origin: origin,
    mustHappen: { reclaims in
      ExpectedOutcome.each("host reads 0x1", "reached", "refused")
        + ExpectedOutcome.each(reclaims ? "reclaim 0x1" : "donate 0x1", "done")
        + ExpectedOutcome.each("host reads 0x0", "reached")
    }
  ) { _, reclaims in
    let scenario = Scenario()
    let table = HostTable(scenario, reclaims ? .donatedAlone : .empty, sharing: true)
    for page in 0...1 {
      scenario.cpu(
        "host cpu \(page)", mmu: MMU(table.root, owner: table.host), table.hostReads(page))
    }
    scenario.cpu("host cpu 2", reclaims ? table.reclaims(1) : table.donates(1))
    return scenario
  }
}
