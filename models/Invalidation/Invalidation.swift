// A page is unmapped and given away: the invalidation that must happen in between.

import Gracewalk

/// The order that every unmapping depends on, with one step left out at a time.
public enum Invalidation {
  public static let system = ModelSystem(
    "invalidation", "Unmapping a page that hardware has cached", models)

  static let origin = Origin(
    author: "Ricardo Koller", list: "linux-arm-kernel", date: "2022-11-15",
    subject: "Re: [PATCH v5 08/14] KVM: arm64: Protect stage-2 traversal with RCU",
    question:
      "Which flush does a changed entry need on Arm before anybody may rely on the change?",
    about: [.noEntryLock, .noDSB, .noTLBI, .localTLBI, .leavesOnlyTLBI])

  /// The invariants that fail when the page is returned while it is cached.
  private static let fails = [
    NoStaleUseAfterDSB.id, NoReuseWhileCached.id, DonatedPageUnreachable.id,
  ]

  /// Each guest runs before the unmapping, and after it.
  private static let races = ["read 0x0", "write 0x0"].flatMap {
    ExpectedOutcome.each($0, "frame 0x0", "translation fault")
  }

  public static let models = byTheHost + handedOver

  private static let byTheHost = Model.family(
    [
      .holds(
        "unmap-and-free", "invalidate, DSB, TLBI by address, DSB; then the page is given back"),
      .broken(
        "unmap-without-tlbi", "the page is given back as soon as the entry is invalid",
        omits: "the TLBI", violates: fails),
      .broken(
        "unmap-tlbi-before-dsb",
        "the TLBI is issued before the DSB that publishes the invalid entry",
        omits: "the DSB between the entry and the TLBI", violates: fails),
      .broken(
        "unmap-without-final-dsb", "nobody waits for the TLBI to complete",
        omits: "the DSB after the TLBI", violates: fails),
      .broken(
        "unmap-tlbi-local", "the TLBI reaches the issuing CPU only",
        omits: "the inner-shareable form of the TLBI", violates: fails),
      .broken(
        "unmap-tlbi-wrong-level", "the level hint says that the leaf is a block of the root",
        omits: "the right level in the TLBI", violates: fails),
    ],
    scenario:
      "One page is mapped. A vCPU of the guest reads it while its MMU may also walk speculatively, "
      + "a second one writes to it, and the host unmaps it and gives it back.",
    origin: origin, mustHappen: races,
    vocabulary: Vocabulary(
      start:
        "One page is mapped. What unmaps it or maps it again holds the host's lock; the MMU of "
        + "each CPU that accesses it may also walk once speculatively.", build: combined)
  ) { _ in
    let scenario = Scenario()
    let page = GuestPage(scenario)
    page.addGuests(scenario)
    scenario.cpu("host", runs: "unmap 0x0") { cpu in try giveBack(cpu, page) }
    return scenario
  }

  private static func giveBack(_ cpu: VirtualCPU, _ page: GuestPage) throws {
    try invalidateEntry(cpu, page)
    try flush(cpu, page.root)
    try cpu.handOver(page.frames[0], to: .nobody)
    try cpu.expectUntranslated(page.root, 0)
  }

  private static func invalidateEntry(_ cpu: VirtualCPU, _ page: GuestPage) throws {
    let table = try page.table(cpu)
    try cpu.store(table.entry(0), .invalid, .relaxed)
    try cpu.putPage(table)
  }

  private static func flush(_ cpu: VirtualCPU, _ root: TablePage) throws {
    if !cpu.omits("the DSB between the entry and the TLBI") { try cpu.dsb() }
    if cpu.omits("the TLBI") { return }
    var entry = TLBInvalidation.address(0).level(cpu.omits("the right level in the TLBI") ? 0 : 1)
    if cpu.omits("the inner-shareable form of the TLBI") { entry = entry.local }
    try cpu.tlbi(entry, of: root)
    if !cpu.omits("the DSB after the TLBI") { try cpu.dsb() }
  }

  /// Guests that access a page, and a host that unmaps it and maps it again, under its lock.
  @Sendable private static func combined() -> (scenario: Scenario, words: [Vocabulary.Word]) {
    let scenario = Scenario()
    let page = GuestPage(scenario)
    let lock = scenario.spinLock("mmu_lock")
    let mmu = MMU(page.root, speculatesOn: [0], times: 1)
    let unmap = CPUOperation("unmap 0x0") { cpu in
      try cpu.lock(lock)
      let table = try page.table(cpu)
      if try cpu.load(table.entry(0), .relaxed).isValid { try giveBack(cpu, page) }
      try cpu.unlock(lock)
    }
    let map = CPUOperation("map 0x0") { cpu in
      try cpu.lock(lock)
      let table = try page.table(cpu)
      if try !cpu.load(table.entry(0), .relaxed).isValid {
        try cpu.handOver(page.frames[0], to: .guest)
        try cpu.getPage(table)
        try cpu.store(table.entry(0), .page(0), .release)
      }
      try cpu.unlock(lock)
    }
    return (
      scenario,
      [
        .init(CPUOperation("read 0x0") { try $0.guestRead(0) }, mmu: mmu),
        .init(CPUOperation("write 0x0") { try $0.guestWrite(0) }, mmu: mmu), .init(unmap),
        .init(map),
      ]
    )
  }

  private static let handedOver = Model.family(
    [
      .holds(
        "unmap-flushed-by-another",
        "one CPU invalidates the entry, another one flushes after it has seen that"),
      .broken(
        "unmap-flushed-by-another-too-early", "the other CPU does not wait for the invalidation",
        omits: "waiting for the entry to be invalid before the TLBI", violates: fails),
    ],
    scenario:
      "One page is mapped and both vCPUs access it. One CPU makes its entry invalid and says so in "
      + "a word; another one issues the TLBI and gives the page back.",
    origin: origin, mustHappen: races
  ) { _ in
    let scenario = Scenario()
    let page = GuestPage(scenario)
    let isInvalid = scenario.variable("entry is invalid", initial: false)
    let isFlushed = scenario.variable("entry is flushed", initial: false)
    page.addGuests(scenario)
    scenario.cpu("unmapper", runs: "unmap 0x0") { cpu in
      try invalidateEntry(cpu, page)
      try cpu.dsb()
      try cpu.store(isInvalid, true, .release)
      try cpu.wait(until: isFlushed, .equals(true))
      try cpu.handOver(page.frames[0], to: .nobody)
      try cpu.expectUntranslated(page.root, 0)
    }
    scenario.cpu("flusher", runs: "flush 0x0") { cpu in
      if !cpu.omits("waiting for the entry to be invalid before the TLBI") {
        try cpu.wait(until: isInvalid, .equals(true))
      }
      try cpu.flushTLB(.address(0), of: page.root)
      try cpu.store(isFlushed, true, .release)
    }
    return scenario
  }
}
