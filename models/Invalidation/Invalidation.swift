// A page is unmapped and given away: what must happen to the TLBs of all CPUs in between.

import Gracewalk

/// The order that every unmapping rests on, one step left out at a time.
public enum Invalidation {
  public static let system = ModelSystem(
    "invalidation", "Unmapping a page that hardware has cached", models)

  /// The step a broken sibling leaves out or weakens.
  enum Omission {
    case flush, barrierBeforeFlush, barrierAfterFlush, broadcast, levelOfLeaf
  }

  static let origin = Origin(
    author: "Ricardo Koller", list: "linux-arm-kernel", date: "2022-11-15",
    subject: "Re: [PATCH v5 08/14] KVM: arm64: Protect stage-2 traversal with RCU",
    question:
      "Which flush does a changed entry need on Arm before anybody may rely on the change?",
    about: [.noEntryLock, .noDSB, .noTLBI, .localTLBI, .leavesOnlyTLBI])

  /// What goes wrong where the page is given back while it is cached.
  private static let fails = [
    NoStaleUseAfterDSB.id, NoReuseWhileCached.id, DonatedPageUnreachable.id,
  ]

  private static let variants: [Variant<Omission?>] = [
    .holds("unmap-and-free", "invalidate, DSB, TLBI by address, DSB; then the page is given back"),
    .broken(
      "unmap-without-tlbi", "the page is given back as soon as the entry is invalid", .flush,
      omits: "the TLBI", violates: fails),
    .broken(
      "unmap-tlbi-before-dsb",
      "the TLBI is issued before the DSB that publishes the invalid entry", .barrierBeforeFlush,
      omits: "the DSB between the entry and the TLBI", violates: fails),
    .broken(
      "unmap-without-final-dsb", "nobody waits for the TLBI to complete", .barrierAfterFlush,
      omits: "the DSB after the TLBI", violates: fails),
    .broken(
      "unmap-tlbi-local", "the TLBI reaches the issuing CPU only", .broadcast,
      omits: "the inner-shareable form of the TLBI", violates: fails),
    .broken(
      "unmap-tlbi-wrong-level", "the level hint says that the leaf is a block of the root",
      .levelOfLeaf, omits: "the right level in the TLBI", violates: fails),
  ]

  public static let models = byTheHost + handedOver

  private static let byTheHost = Model.family(
    variants,
    scenario:
      "One page is mapped. A vCPU of the guest reads it while its MMU may also walk speculatively, "
      + "a second one writes to it, and the host unmaps it and gives it back.",
    origin: origin, mustHappen: races, vocabulary: vocabulary
  ) { _, omitting in
    let scenario = Scenario()
    let (root, frames) = (scenario.rootTable(), scenario.dataFrames(2))
    addGuests(scenario, root)
    scenario.cpu("host", runs: "unmap 0x0") { cpu in
      try giveBack(cpu, root, frames[0], omitting)
    }
    require(scenario)
    return scenario
  }

  private static func giveBack(
    _ cpu: VirtualCPU, _ root: TablePage, _ frame: DataFrame, _ omitting: Omission?
  ) throws {
    try invalidateEntry(cpu, root)
    try flush(cpu, root, omitting)
    try cpu.handOver(frame, to: .nobody)
    try cpu.expectUntranslated(root, 0)
  }

  // MARK: Another CPU flushes

  private static let handedOver = Model.family(
    [
      .holds(
        "unmap-flushed-by-another",
        "one CPU invalidates the entry, another one flushes after it has seen that", true),
      .broken(
        "unmap-flushed-by-another-too-early", "the other CPU does not wait for the invalidation",
        false, omits: "waiting for the entry to be invalid before the TLBI", violates: fails),
    ],
    scenario:
      "One page is mapped and both vCPUs access it. One CPU makes its entry invalid and says so in "
      + "a word; another one issues the TLBI and gives the page back.",
    origin: origin, mustHappen: races
  ) { _, waits in
    let scenario = Scenario()
    let (root, frames) = (scenario.rootTable(), scenario.dataFrames(2))
    let isInvalid = scenario.variable("entry is invalid", initial: false)
    let isFlushed = scenario.variable("entry is flushed", initial: false)
    addGuests(scenario, root)
    scenario.cpu("unmapper", runs: "unmap 0x0") { cpu in
      try invalidateEntry(cpu, root)
      try cpu.dsb()
      try cpu.store(isInvalid, true, .release)
      try cpu.wait(until: isFlushed, .equals(true))
      try cpu.handOver(frames[0], to: .nobody)
      try cpu.expectUntranslated(root, 0)
    }
    scenario.cpu("flusher", runs: "flush 0x0") { cpu in
      if waits { try cpu.wait(until: isInvalid, .equals(true)) }
      try cpu.dsb()
      try cpu.tlbi(.address(0), of: root)
      try cpu.dsb()
      try cpu.store(isFlushed, true, .release)
    }
    require(scenario)
    return scenario
  }

  // MARK: Any of these operations

  /// Guests that access a page, and a host that unmaps it and maps it again, under its lock.
  private static func vocabulary(_ omitting: Omission?) -> Vocabulary {
    Vocabulary(
      start:
        "One page is mapped. What unmaps it or maps it again holds the host's lock; the MMU of "
        + "each CPU that accesses it may also walk once speculatively."
    ) {
      let scenario = Scenario()
      let (root, frames) = (scenario.rootTable(), scenario.dataFrames(2))
      let lock = scenario.spinLock("mmu_lock")
      mapPage(scenario, root)
      require(scenario)
      let mmu = MMU(root, speculatesOn: [0], times: 1)
      return (
        scenario,
        [
          Vocabulary.Word(CPUOperation("read 0x0") { try $0.guestRead(0) }, mmu: mmu),
          Vocabulary.Word(CPUOperation("write 0x0") { try $0.guestWrite(0) }, mmu: mmu),
          Vocabulary.Word(
            CPUOperation("unmap 0x0") { cpu in
              try cpu.lock(lock)
              if try pageEntry(cpu, root).found.isValid {
                try giveBack(cpu, root, frames[0], omitting)
              }
              try cpu.unlock(lock)
            }),
          Vocabulary.Word(
            CPUOperation("map 0x0") { cpu in
              try cpu.lock(lock)
              let entry = try pageEntry(cpu, root)
              if !entry.found.isValid {
                try cpu.handOver(frames[0], to: .guest)
                try cpu.getPage(entry.table)
                try cpu.store(entry.table.entry(0), .page(0), .release)
              }
              try cpu.unlock(lock)
            }),
        ]
      )
    }
  }

  /// The table that the root leads to, which stays, and what it has for the page.
  private static func pageEntry(
    _ cpu: VirtualCPU, _ root: TablePage
  ) throws -> (table: TablePage, found: Descriptor) {
    let table = cpu.table(at: try cpu.load(root.entry(0), .acquire)) ?? root
    return (table, try cpu.load(table.entry(0), .relaxed))
  }

  // MARK: What they have in common

  /// Each guest comes before the unmapping, and after it.
  private static let races = ["read 0x0", "write 0x0"].flatMap { access in
    ["frame 0x0", "translation fault"].map { ExpectedOutcome(access, $0) }
  }

  static func addGuests(_ scenario: Scenario, _ root: TablePage, walks: Int = 1) {
    mapPage(scenario, root)
    scenario.cpu("vcpu 0", mmu: MMU(root, speculatesOn: [0], times: walks), runs: "read 0x0") {
      try $0.guestRead(0)
    }
    scenario.cpu("vcpu 1", mmu: MMU(root), runs: "write 0x0") { try $0.guestWrite(0) }
  }

  private static func mapPage(_ scenario: Scenario, _ root: TablePage) {
    scenario.boot { cpu in
      guard let table = try cpu.allocateTable() else { return }
      try cpu.store(table.entry(0), .page(0), .relaxed)
      try cpu.getPage(table)
      try cpu.store(root.entry(0), .table(table), .release)
      try cpu.getPage(root)
    }
  }

  static func require(_ scenario: Scenario) {
    scenario.require(InvariantCatalogue.tables)
    scenario.require(InvariantCatalogue.hardware)
    scenario.require(DonatedPageUnreachable())
  }

  private static func invalidateEntry(_ cpu: VirtualCPU, _ root: TablePage) throws {
    guard let table = cpu.table(at: try cpu.load(root.entry(0), .acquire)) else { return }
    try cpu.store(table.entry(0), .invalid, .relaxed)
    try cpu.putPage(table)
  }

  private static func flush(_ cpu: VirtualCPU, _ root: TablePage, _ omitting: Omission?) throws {
    if omitting != .barrierBeforeFlush { try cpu.dsb() }
    if omitting == .flush { return }
    var invalidation = TLBInvalidation.address(0).level(omitting == .levelOfLeaf ? 0 : 1)
    if omitting == .broadcast { invalidation = invalidation.local }
    try cpu.tlbi(invalidation, of: root)
    if omitting != .barrierAfterFlush { try cpu.dsb() }
  }
}
