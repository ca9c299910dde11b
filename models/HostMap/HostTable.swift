// The host's stage 2 in a hypervisor without RCU: an identity map, built as the host faults.

import Gracewalk

/// The table through which a hypervisor lets its host reach what is the host's.
///
/// Page `n` is mapped to frame `n`, with a block wherever the host owns all that it covers. An
/// entry is mapped, or it carries the mark of another owner, or it is empty and the host may fault
/// it in (`host_stage2_idmap` and `host_stage2_set_owner_locked`, arch/arm64/kvm/hyp/nvhe of
/// Linux 6.2). There are two levels.
struct HostTable: Sendable {
  /// What keeps the hypervisor's CPUs from each other; none of it stops hardware.
  enum Lock: Sendable {
    /// One at a time, for faults and for changes.
    case exclusive(SpinLock)
    /// Faults share it, what frees or replaces tables has it alone.
    case shared(ReadWriteLock)
  }

  /// How a block becomes a table, and a table a block.
  enum Resizing: Sendable {
    /// Break the entry, flush, make it; a new table maps all pages but the donated one.
    case breakFirst
    /// Break the entry and flush; the host's faults fill a new table, or make the block again.
    case breakFirstAndFillOnDemand
    /// Without a break where FEAT_BBM level 2 allows it.
    case inPlaceIfAllowed
  }

  /// A step that a broken sibling leaves out.
  enum Omission: Sendable {
    // Donating.
    case splitBreak, tlbi, dsbBeforeTLBI, dsbAfterTLBI, rightLevel, broadcast, flushBeforeHandOver
    // Reclaiming.
    case guestFlush, handBackBeforeMapping, coalesceBreak, flushBeforeFree, flushOfTablePointers
    // Both.
    case writeSide
  }

  /// Invalid, with the mark of an owner who is not the host (`kvm_pgtable_stage2_set_owner`); it
  /// counts as an entry in use (`stage2_pte_is_counted`).
  static let owned = Descriptor(word: 1 << 2)

  let root: TablePage
  let geometry: Geometry
  let frames: [DataFrame]
  let host: FrameOwner
  /// Who gets the pages that the host donates.
  let guest: FrameOwner
  /// The guest's own stage 2, which maps its page 0 to what was donated.
  let guestRoot: TablePage
  let lock: Lock
  let resizing: Resizing
  let omission: Omission?

  init(_ scenario: Scenario, sharing: Bool, _ resizing: Resizing, omitting omission: Omission?) {
    geometry = scenario.geometry
    root = scenario.rootTable("host root")
    guestRoot = scenario.rootTable("guest root")
    frames = scenario.dataFrames(geometry.addressCount)
    host = scenario.frameOwner("the host")
    guest = scenario.frameOwner("the protected guest")
    lock =
      sharing
      ? .shared(scenario.readWriteLock("host_lock")) : .exclusive(scenario.spinLock("host_lock"))
    self.resizing = resizing
    self.omission = omission
  }

  // MARK: The lock

  func lockForFault(_ cpu: VirtualCPU) throws {
    switch lock {
    case .exclusive(let lock): try cpu.lock(lock)
    case .shared(let lock): try cpu.readLock(lock)
    }
  }

  func unlockForFault(_ cpu: VirtualCPU) throws {
    switch lock {
    case .exclusive(let lock): try cpu.unlock(lock)
    case .shared(let lock): try cpu.readUnlock(lock)
    }
  }

  func lockForChange(_ cpu: VirtualCPU) throws {
    if case .shared(let lock) = lock, omission != .writeSide { return try cpu.writeLock(lock) }
    try lockForFault(cpu)
  }

  func unlockForChange(_ cpu: VirtualCPU) throws {
    if case .shared(let lock) = lock, omission != .writeSide { return try cpu.writeUnlock(lock) }
    try unlockForFault(cpu)
  }

  // MARK: The host

  /// How often the host may fault on one access.
  ///
  /// It faults once if its page was never mapped, and again for each entry that was broken
  /// meanwhile or, without FEAT_ETS2, was made while it looked. In our scenarios that is less; more
  /// means that its own page stays out of its reach.
  static let faultsMax = 5

  /// The host reads one of its pages, or what was one.
  func hostRead(_ cpu: VirtualCPU, _ address: Int) throws -> HostResult {
    for _ in 0..<HostTable.faultsMax {
      if case .done = try cpu.guestRead(address) { return .reached }
      let mayReach = try cpu.scope("fault") {
        try handleFault(cpu, address)
      }
      if !mayReach { return .refused }
    }
    return .faultedForEver
  }

  /// Maps what the host faulted on, unless it belongs to somebody else.
  private func handleFault(_ cpu: VirtualCPU, _ address: Int) throws -> Bool {
    try lockForFault(cpu)
    let mayReach = try mapOnDemand(cpu, address)
    try unlockForFault(cpu)
    return mayReach
  }

  private func mapOnDemand(_ cpu: VirtualCPU, _ address: Int) throws -> Bool {
    let parent = root.entry(of: address, at: 0)
    let entry = try cpu.load(parent, .acquire)
    guard let table = cpu.table(at: entry) else {
      if !entry.isValid { try install(cpu, block(over: address), in: root, parent) }
      return true
    }
    let slot = table.entry(of: address, at: 1)
    let page = try cpu.load(slot, .acquire)
    if page == HostTable.owned { return false }
    if !page.isValid { try install(cpu, .page(address), in: table, slot) }
    return true
  }

  /// Fills an empty entry, unless somebody who shares the lock was faster.
  private func install(
    _ cpu: VirtualCPU, _ new: Descriptor, in table: TablePage, _ slot: Entry
  ) throws {
    let installed = try cpu.compareExchange(
      slot, expected: .invalid, desired: new, .acquireRelease)
    if installed.exchanged { try cpu.getPage(table) }
    try cpu.dsb()
  }

  /// True if an entry changes its size with no break.
  func resizesInPlace(on cpu: VirtualCPU, _ omitsBreak: Bool) -> Bool {
    omitsBreak || resizing == .inPlaceIfAllowed && cpu.features.breakBeforeMakeLevel >= 2
  }

  /// The block that maps an address.
  func block(over address: Int) -> Descriptor {
    .block(firstAddress(ofBlockOver: address))
  }

  func firstAddress(ofBlockOver address: Int) -> Int {
    address / geometry.span(ofEntryAt: 0) * geometry.span(ofEntryAt: 0)
  }

  // MARK: The protected guest

  /// The guest writes to its page, if it has one by now.
  func guestWrite(_ cpu: VirtualCPU) throws -> HostResult {
    if case .done = try cpu.guestWrite(0) { return .reached }
    return .refused
  }

  /// Maps a frame at page 0 of the guest's table.
  func mapForGuest(_ cpu: VirtualCPU, _ frame: Int) throws {
    let entry = try cpu.load(guestRoot.entry(0), .relaxed)
    guard let table = cpu.table(at: entry) else { return }
    try cpu.store(table.entry(0), .page(frame), .release)
    try cpu.getPage(table)
    try cpu.dsb()
  }

  /// Takes page 0 away from a guest that runs no more: its MMUs may still walk.
  func unmapFromGuest(_ cpu: VirtualCPU) throws {
    let entry = try cpu.load(guestRoot.entry(0), .relaxed)
    guard let table = cpu.table(at: entry) else { return }
    try cpu.store(table.entry(0), .invalid, .release)
    try cpu.putPage(table)
    try cpu.dsb()
    if omission != .guestFlush {
      try cpu.tlbi(.all, of: guestRoot)
      try cpu.dsb()
    }
    try cpu.expectUntranslated(guestRoot, 0)
  }
}
