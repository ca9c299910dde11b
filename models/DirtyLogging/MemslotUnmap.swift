// Dirty logging switched off without a collapse: the memslot is unmapped, and faults map it again.

import Gracewalk

/// The alternative to collapsing: a reader–writer lock is enough, without RCU.
struct MemslotUnmap: Sendable {
  /// What goes wrong where the table stays cached.
  private static let stale = [
    BreakBeforeMake.id, NoStaleUseAfterDSB.id, NoReuseWhileCached.id, NoUseAfterFree.id,
  ]

  private static let variants: [Variant<Flush?>] = [
    .holds(
      "unmap-memslot",
      "under the write lock the memslot's entries are cleared, flushed, and its table is freed"),
    .broken(
      "unmap-memslot-without-tlbi", "nothing that is cached of the memslot is forgotten",
      .withoutTLBI, omits: "the TLBI before the table is freed", violates: stale),
    .broken(
      "unmap-memslot-tlbi-before-dsb",
      "the TLBI is issued before the barrier that publishes the cleared entries",
      .beforePublication, omits: "the DSB between clearing and the TLBI", violates: stale),
    .broken(
      "unmap-memslot-tlbi-last-level", "the TLBI is for leaves: the pointer to the table survives",
      .lastLevelOnly, omits: "the TLBI for the walk cache",
      violates: [BreakBeforeMake.id, NoReuseWhileCached.id, NoUseAfterFree.id]),
    .broken(
      "unmap-memslot-free-before-flush", "the table is freed before the flush",
      omits: "waiting for the flush before freeing",
      violates: [NoReuseWhileCached.id, NoUseAfterFree.id]),
    .broken(
      "unmap-memslot-unlock-before-flush", "the lock is released before the flush",
      omits: "flushing before the lock is released", violates: [BreakBeforeMake.id]),
    .broken(
      "unmap-memslot-under-read-lock", "the memslot is unmapped under the read lock",
      omits: "taking the lock for writing",
      violates: [BreakBeforeMake.id, NoLeakedTablePage.id, NoUseAfterFree.id]),
  ]

  static let models = Model.family(
    variants,
    scenario:
      "Dirty logging has left a memslot of two read-only pages in one table. A thread unmaps it. "
      + "One vCPU writes to the first page, and maps it under the read lock on a fault; a second "
      + "reads the second page, which its walker may cache at any moment.",
    origin: Origin(
      author: "Quentin Perret", list: "linux-arm-kernel", date: "2022-04-22",
      subject: "Re: [RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
      question:
        "Would it do to unmap the whole memslot where dirty logging ends, under the write side of "
        + "a reader-writer lock, and let the guest's faults build the tables again?",
      about: [.noWriteLock, .readLockOnly, .noTLBI]),
    parameters: [
      Parameter("retries", "faults that the second vCPU handles, too", 0...1, standard: 0),
      Parameter("walks", "walks its walker begins speculatively", 0...2, standard: 1),
    ],
    // Guests run before and after the unmapping; the first may also map its page before.
    mustHappen: ExpectedOutcome.each(
      "write 0x0", "frame 0x0", "permission fault", "translation fault")
      + ExpectedOutcome.each("read 0x1", "frame 0x1", "translation fault")
  ) { values, flush in
    let scenario = Scenario()
    _ = scenario.dataFrames(2)
    let memslot = MemslotUnmap(
      lock: scenario.readWriteLock("mmu_lock"), table: Stage2Table(scenario, .unprotected),
      flush: flush ?? .complete)
    let root = memslot.table.root
    let (retries, walks) = (values["retries"], values["walks"])
    scenario.boot { cpu in try memslot.table.mapReadOnly(cpu, 0..<2) }
    scenario.cpu("unmapper", runs: "unmap memslot") { cpu in try memslot.unmap(cpu) }
    scenario.cpu("vcpu 0", mmu: MMU(root), runs: "write 0x0") { cpu in
      try memslot.access(cpu, 0) { try cpu.guestWrite(0) }
    }
    scenario.cpu("vcpu 1", mmu: MMU(root, speculatesOn: [1], times: walks), runs: "read 0x1") {
      cpu in
      try retries > 0 ? memslot.access(cpu, 1) { try cpu.guestRead(1) } : cpu.guestRead(1)
    }
    scenario.require(InvariantCatalogue.tables + InvariantCatalogue.hardware)
    return scenario
  }

  let lock: ReadWriteLock
  let table: Stage2Table
  let flush: Flush

  /// Unmaps the range of the first root entry, and frees its table.
  private func unmap(_ cpu: VirtualCPU) throws {
    let isShared = cpu.omits("taking the lock for writing")
    let freesFirst = cpu.omits("waiting for the flush before freeing")
    let unlocksFirst = cpu.omits("flushing before the lock is released")
    try isShared ? cpu.readLock(lock) : cpu.writeLock(lock)
    let leaves = try clear(cpu)
    if freesFirst, let leaves { try cpu.putPage(leaves) }
    if unlocksFirst { try cpu.writeUnlock(lock) }
    try flush.perform(cpu, 0..<2, of: table.root)
    if !freesFirst, let leaves { try cpu.putPage(leaves) }
    if isShared { try cpu.readUnlock(lock) } else if !unlocksFirst { try cpu.writeUnlock(lock) }
  }

  /// Clears the entry that leads to the memslot's table, and all entries of that.
  private func clear(_ cpu: VirtualCPU) throws -> TablePage? {
    let parent = table.root.entry(0)
    guard let leaves = cpu.table(at: try cpu.load(parent, .relaxed)) else { return nil }
    for index in 0..<2 where try cpu.load(leaves.entry(index), .relaxed).isValid {
      try cpu.store(leaves.entry(index), .invalid, .relaxed)
      try cpu.putPage(leaves)
    }
    try cpu.store(parent, .invalid, .release)
    try cpu.putPage(table.root)
    return leaves
  }

  /// A guest's access; after a fault it maps the page if it is missing and tries again, once.
  private func access(
    _ cpu: VirtualCPU, _ address: Int, _ body: () throws -> GuestAccess
  ) throws -> GuestAccess {
    let first = try body()
    if case .done = first { return first }
    try cpu.readLock(lock)
    _ = try table.map(cpu, address)
    try cpu.readUnlock(lock)
    return try body()
  }
}
