// A page comes back to the host: it is wiped and mapped, and pages become a block again.

import Gracewalk

extension HostTable {
  /// Takes a page back from a guest that has ended, and coalesces the table it is in.
  func reclaim(_ cpu: VirtualCPU, _ address: Int) throws -> HostResult {
    try lockForChange(cpu)
    try unmapFromGuest(cpu)
    // The guest's secrets go before the host can see them.
    try cpu.store(frames[address].content, 0, .relaxed)
    let parent = root.entry(of: address, at: 0)
    guard let table = cpu.table(at: try cpu.load(parent, .relaxed)) else {
      // No scenario gets here: what was donated lies below a table.
      try unlockForChange(cpu)
      return .refused
    }
    if omission != .handBackBeforeMapping { try cpu.handOver(frames[address], to: host) }
    let slot = table.entry(of: address, at: 1)
    // The owner's mark was an entry in use as well.
    try cpu.store(slot, .page(address), .release)
    try cpu.dsb()
    if omission == .handBackBeforeMapping { try cpu.handOver(frames[address], to: host) }
    if try belongsToHost(cpu, table) { try coalesce(cpu, table, parent, over: address) }
    try unlockForChange(cpu)
    return .done
  }

  /// True if a table covers no page of another owner.
  ///
  /// Pages that are not mapped may be the host's all the same.
  private func belongsToHost(_ cpu: VirtualCPU, _ table: TablePage) throws -> Bool {
    for index in 0..<geometry.entries {
      if try cpu.load(table.entry(index), .relaxed) == HostTable.owned { return false }
    }
    return true
  }

  /// Replaces a table by a block: break, flush, make; then nobody can be in the table any more.
  private func coalesce(
    _ cpu: VirtualCPU, _ table: TablePage, _ parent: Entry, over address: Int
  ) throws {
    if resizesInPlace(on: cpu, omission == .coalesceBreak) {
      try cpu.store(parent, block(over: address), .release)
      try flushTable(cpu, over: address)
      return try cpu.free(table)
    }
    try cpu.store(parent, .invalid, .relaxed)
    if omission == .flushBeforeFree { try cpu.free(table) }
    try flushTable(cpu, over: address)
    if resizing == .breakFirstAndFillOnDemand {
      // The host's next fault makes the block.
      try cpu.putPage(root)
    } else {
      try cpu.store(parent, block(over: address), .release)
      try cpu.dsb()
    }
    if omission != .flushBeforeFree { try cpu.free(table) }
  }

  /// Removes the pointer to a table, and all pages below it, from all TLBs and walk caches.
  private func flushTable(_ cpu: VirtualCPU, over address: Int) throws {
    let first = firstAddress(ofBlockOver: address)
    let span = geometry.span(ofEntryAt: 0)
    try cpu.dsb()
    if cpu.features.rangeInvalidation {
      try flush(cpu, .range(first, count: span))
    } else {
      for page in first..<first + span { try flush(cpu, .address(page)) }
    }
    try cpu.dsb()
    try cpu.expectCurrent(root, first..<(first + span))
  }

  private func flush(_ cpu: VirtualCPU, _ invalidation: TLBInvalidation) throws {
    let leaves = omission == .flushOfTablePointers
    try cpu.tlbi(leaves ? invalidation.lastLevelOnly : invalidation, of: root)
  }
}
