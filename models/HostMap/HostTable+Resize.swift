// A page leaves the host, whose block is split, and comes back: pages become a block again.

import Gracewalk

extension HostTable {
  func donates(_ page: Int) -> CPUOperation {
    CPUOperation(HostCall.donate, page) { cpu in try donate(cpu, page) }
  }

  func reclaims(_ page: Int) -> CPUOperation {
    CPUOperation(HostCall.reclaim, page) { cpu in try reclaim(cpu, page) }
  }

  /// Takes a page from the host and gives it to the guest.
  private func donate(_ cpu: VirtualCPU, _ address: Int) throws -> HostResult {
    try locked(cpu) {
      let slot = root.entry(of: address, at: 0)
      let old = try cpu.load(slot, .relaxed)
      // No scenario gets further: blocks are split once, and memory does not run out.
      guard !old.isTable, let table = try cpu.allocateTable() else { return .refused }
      if old.isValid, resizesInPlace(cpu, "breaking the block before the table is made") {
        try splitInPlace(cpu, slot, into: table, without: address)
      } else {
        try splitWithBreak(cpu, slot, old, into: table, without: address)
      }
      if !cpu.omits("flushing before the page is handed over") { try giveToGuest(cpu, address) }
      return .done
    }
  }

  private func giveToGuest(_ cpu: VirtualCPU, _ address: Int) throws {
    try cpu.expectUntranslated(root, address)
    try cpu.handOver(frames[address], to: guest)
    try mapForGuest(cpu, address)
  }

  /// True if an entry changes its size without a break.
  private func resizesInPlace(_ cpu: VirtualCPU, _ breaking: String) -> Bool {
    cpu.omits(breaking)
      || resizing == .inPlaceIfAllowed && cpu.features.breakBeforeMakeLevel >= 2
  }

  /// Break, flush, make.
  private func splitWithBreak(
    _ cpu: VirtualCPU, _ slot: Entry, _ old: Descriptor, into table: TablePage,
    without address: Int
  ) throws {
    let fillsOnDemand = resizing == .fillOnDemand
    if !fillsOnDemand { try fill(cpu, table, over: address, isDonated: true) }
    if old.isValid {
      try cpu.store(slot, .invalid, .relaxed)
      if cpu.omits("flushing before the page is handed over") { try giveToGuest(cpu, address) }
      try flushBlock(cpu, over: address)
    } else {
      // Nothing was mapped, so nothing is cached; the entry becomes one in use.
      try cpu.getPage(root)
    }
    try cpu.store(slot, .table(table), .release)
    if fillsOnDemand {
      try cpu.store(table.entry(of: address, at: 1), HostTable.owned, .release)
      try cpu.getPage(table)
    }
    try cpu.dsb()
  }

  /// Removes a block that was broken from all TLBs.
  private func flushBlock(_ cpu: VirtualCPU, over address: Int) throws {
    if !cpu.omits("the DSB between the break and the TLBI") { try cpu.dsb() }
    if cpu.omits("the TLBI after the break") { return }
    // One address is enough: a block is cached as one entry, at level 0.
    let level = cpu.omits("the level of the block in the TLBI") ? geometry.lastLevel : 0
    let block = TLBInvalidation.address(address).level(level)
    try cpu.tlbi(cpu.omits("sending the TLBI to all CPUs") ? block.local : block, of: root)
    if !cpu.omits("the DSB that completes the TLBI") { try cpu.dsb() }
  }

  /// A table that maps the same range replaces the block, and only then the page is unmapped.
  private func splitInPlace(
    _ cpu: VirtualCPU, _ slot: Entry, into table: TablePage, without address: Int
  ) throws {
    try fill(cpu, table, over: address, isDonated: false)
    try cpu.store(slot, .table(table), .release)
    // One entry in use replaces another.
    try cpu.store(table.entry(of: address, at: 1), HostTable.owned, .relaxed)
    // No level: the page is cached as itself or as part of the block.
    try cpu.flushTLB(.address(address), of: root)
  }

  /// Maps the range of a new table, which is still private, except the donated page.
  private func fill(
    _ cpu: VirtualCPU, _ table: TablePage, over address: Int, isDonated: Bool
  ) throws {
    let covered = geometry.addresses(sharingEntryWith: address, at: 0)
    for (index, page) in covered.enumerated() {
      try cpu.fill(table, index, isDonated && page == address ? HostTable.owned : .page(page))
    }
  }

  /// Takes a page back from a guest that has ended, and coalesces its table.
  private func reclaim(_ cpu: VirtualCPU, _ address: Int) throws -> HostResult {
    try locked(cpu) {
      try unmapFromGuest(cpu)
      // The guest's secrets are wiped before the host can see them.
      try cpu.store(frames[address].content, 0, .relaxed)
      let parent = root.entry(of: address, at: 0)
      // No scenario gets further: what was donated lies below a table.
      guard let table = cpu.table(at: try cpu.load(parent, .relaxed)) else { return .refused }
      let mapsFirst = cpu.omits("handing the page back before mapping it")
      if !mapsFirst { try cpu.handOver(frames[address], to: host) }
      // The owner's mark also was an entry in use.
      try cpu.store(table.entry(of: address, at: 1), .page(address), .release)
      try cpu.dsb()
      if mapsFirst { try cpu.handOver(frames[address], to: host) }
      if try belongsToHost(cpu, table) { try coalesce(cpu, table, parent, over: address) }
      return .done
    }
  }

  /// True if a table covers no page of another owner.
  ///
  /// Unmapped pages may still be the host's.
  private func belongsToHost(_ cpu: VirtualCPU, _ table: TablePage) throws -> Bool {
    for index in 0..<geometry.entries {
      if try cpu.load(table.entry(index), .relaxed) == HostTable.owned { return false }
    }
    return true
  }

  /// Replaces a table by a block: break, flush, make; after that no CPU can be in the table.
  private func coalesce(
    _ cpu: VirtualCPU, _ table: TablePage, _ parent: Entry, over address: Int
  ) throws {
    if resizesInPlace(cpu, "breaking the entry before the block is made") {
      try cpu.store(parent, block(over: address), .release)
      try flushTable(cpu, over: address)
      return try cpu.free(table)
    }
    let freesFirst = cpu.omits("flushing before the table is freed")
    try cpu.store(parent, .invalid, .relaxed)
    if freesFirst { try cpu.free(table) }
    try flushTable(cpu, over: address)
    if resizing == .fillOnDemand {
      // The host's next fault makes the block.
      try cpu.putPage(root)
    } else {
      try cpu.store(parent, block(over: address), .release)
      try cpu.dsb()
    }
    if !freesFirst { try cpu.free(table) }
  }

  /// Removes the pointer to a table, and all pages below it, from all TLBs and walk caches.
  private func flushTable(_ cpu: VirtualCPU, over address: Int) throws {
    let covered = geometry.addresses(sharingEntryWith: address, at: 0)
    let invalidations: [TLBInvalidation] =
      cpu.features.rangeInvalidation
      ? [.range(covered.lowerBound, count: covered.count)] : covered.map { .address($0) }
    let leavesOnly = cpu.omits("flushing pointers to tables, not leaves alone")
    try cpu.dsb()
    for invalidation in invalidations {
      try cpu.tlbi(leavesOnly ? invalidation.lastLevelOnly : invalidation, of: root)
    }
    try cpu.dsb()
    try cpu.expectCurrent(root, covered)
  }
}
