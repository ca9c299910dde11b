// Dirty logging switched off without a collapse: the memslot is unmapped, faults map it anew.

import Gracewalk

/// The alternative to collapsing: a reader–writer lock is enough, and nothing needs RCU.
enum MemslotUnmap {
  /// The step a broken sibling leaves out.
  enum Omission: Sendable {
    case writeSide, flushBeforeFree, flushBeforeUnlock
  }

  static let origin = Origin(
    author: "Quentin Perret", list: "linux-arm-kernel", date: "2022-04-22",
    subject: "Re: [RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
    question:
      "Would it do to unmap the whole memslot where dirty logging ends, under the write side of "
      + "a reader-writer lock, and let the guest's faults build the tables again?",
    about: [.noWriteLock, .readLockOnly, .noTLBI])

  private static let variants: [Variant<Omitted<Omission>>] = [
    .holds(
      "unmap-memslot",
      "under the write lock the memslot's entries are cleared, flushed, and its table is freed",
      Omitted()),
    .broken(
      "unmap-memslot-without-tlbi", "nothing that is cached of the memslot is forgotten",
      Omitted(flush: .withoutTLBI), omits: "the TLBI before the table is freed",
      violates: [
        BreakBeforeMake.id, NoStaleUseAfterDSB.id, NoReuseWhileCached.id, NoUseAfterFree.id,
      ]),
    .broken(
      "unmap-memslot-tlbi-before-dsb",
      "the TLBI is issued before the barrier that publishes the cleared entries",
      Omitted(flush: .beforePublication), omits: "the DSB between clearing and the TLBI",
      violates: [
        BreakBeforeMake.id, NoStaleUseAfterDSB.id, NoReuseWhileCached.id, NoUseAfterFree.id,
      ]),
    .broken(
      "unmap-memslot-tlbi-last-level", "the TLBI is for leaves: the pointer to the table survives",
      Omitted(flush: .lastLevelOnly), omits: "the TLBI for the walk cache",
      violates: [BreakBeforeMake.id, NoReuseWhileCached.id, NoUseAfterFree.id]),
    .broken(
      "unmap-memslot-free-before-flush", "the table is freed before the flush",
      Omitted(step: .flushBeforeFree), omits: "waiting for the flush before freeing",
      violates: [NoReuseWhileCached.id, NoUseAfterFree.id]),
    .broken(
      "unmap-memslot-unlock-before-flush", "the lock is released before the flush",
      Omitted(step: .flushBeforeUnlock), omits: "flushing before the lock is released",
      violates: [BreakBeforeMake.id]),
    .broken(
      "unmap-memslot-under-read-lock", "the memslot is unmapped under the read lock",
      Omitted(step: .writeSide), omits: "taking the lock for writing",
      violates: [BreakBeforeMake.id, NoLeakedTablePage.id, NoUseAfterFree.id]),
  ]

  static let models = Model.family(
    variants,
    scenario:
      "Dirty logging has left a memslot of two read-only pages in one table. A thread unmaps "
      + "it. One vCPU writes to the first page, and maps it under the read lock on a fault; "
      + "a second reads the second page, which its walker may cache at any moment.",
    origin: origin,
    parameters: [
      Parameter("retries", "faults that the second vCPU handles, too", 0...1, standard: 0),
      Parameter("walks", "walks its walker begins speculatively", 0...2, standard: 1),
    ],
    mustHappen: races
  ) { values, omitted in
    let scenario = Scenario()
    _ = scenario.dataFrames(2)
    let lock = scenario.readWriteLock("mmu_lock")
    let table = Stage2Table(scenario, protection: .nothing)
    scenario.boot { cpu in
      for page in 0..<2 { _ = try table.map(cpu, page) }
      let entry = try cpu.load(table.root.entry(0), .relaxed)
      guard let leaves = cpu.table(at: entry) else { return }
      for page in 0..<2 {
        try cpu.store(leaves.entry(page), .page(page).readOnly, .relaxed)
      }
    }
    scenario.cpu("unmapper", runs: "unmap memslot") { cpu in
      try unmap(cpu, table, lock, omitted.flush, omitted.step)
    }
    scenario.cpu("vcpu 0", mmu: MMU(table.root), runs: "write 0x0") { cpu in
      try access(cpu, table, lock, 0, isWrite: true)
    }
    let retries = values["retries"]
    scenario.cpu(
      "vcpu 1", mmu: MMU(table.root, speculatesOn: [1], times: values["walks"]), runs: "read 0x1"
    ) { cpu in
      retries > 0 ? try access(cpu, table, lock, 1) : try cpu.guestRead(1)
    }
    scenario.require(InvariantCatalogue.tables)
    scenario.require(InvariantCatalogue.hardware)
    return scenario
  }

  /// Guests come before the unmapping and after it; the first may map its page before, too.
  private static let races =
    ["frame 0x0", "permission fault", "translation fault"].map { ExpectedOutcome("write 0x0", $0) }
    + ["frame 0x1", "translation fault"].map { ExpectedOutcome("read 0x1", $0) }

  /// Unmaps what the first root entry covers, and frees its table.
  private static func unmap(
    _ cpu: VirtualCPU, _ table: Stage2Table, _ lock: ReadWriteLock, _ flush: Flush,
    _ omitting: Omission?
  ) throws {
    if omitting == .writeSide { try cpu.readLock(lock) } else { try cpu.writeLock(lock) }
    let removed = try clear(cpu, table)
    if omitting == .flushBeforeFree { try free(cpu, removed) }
    if omitting == .flushBeforeUnlock { try cpu.writeUnlock(lock) }
    try flush.perform(cpu, 0..<table.geometry.span(ofEntryAt: 0), of: table.root)
    if omitting != .flushBeforeFree { try free(cpu, removed) }
    if omitting == .writeSide { try cpu.readUnlock(lock) }
    if omitting != .writeSide && omitting != .flushBeforeUnlock { try cpu.writeUnlock(lock) }
  }

  /// Clears the entry that leads to the memslot's table, and all entries of that.
  private static func clear(_ cpu: VirtualCPU, _ table: Stage2Table) throws -> TablePage? {
    let parent = table.root.entry(0)
    let entry = try cpu.load(parent, .relaxed)
    guard let leaves = cpu.table(at: entry) else { return nil }
    for index in 0..<table.geometry.entries {
      guard try cpu.load(leaves.entry(index), .relaxed).isValid else { continue }
      try cpu.store(leaves.entry(index), .invalid, .relaxed)
      try cpu.putPage(leaves)
    }
    try cpu.store(parent, .invalid, .release)
    try cpu.putPage(table.root)
    return leaves
  }

  private static func free(_ cpu: VirtualCPU, _ table: TablePage?) throws {
    if let table { try cpu.putPage(table) }
  }

  /// A guest's access; after a fault it maps the page if it is missing and tries again, once.
  private static func access(
    _ cpu: VirtualCPU, _ table: Stage2Table, _ lock: ReadWriteLock, _ address: Int,
    isWrite: Bool = false
  ) throws -> GuestAccess {
    let first = isWrite ? try cpu.guestWrite(address) : try cpu.guestRead(address)
    if case .done = first { return first }
    try cpu.readLock(lock)
    _ = try table.map(cpu, address)
    try cpu.readUnlock(lock)
    return isWrite ? try cpu.guestWrite(address) : try cpu.guestRead(address)
  }
}
