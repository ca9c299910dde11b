// A page comes back to the host: it is wiped and mapped, and pages become a block again.

import Gracewalk

extension HostTable {
  /// Takes a page back from a guest that has ended, and coalesces the table it is in.
  func reclaim(_ cpu: VirtualCPU, _ address: Int) throws(Abandoned) -> HostResult {
    try lockForChange(cpu)
    try unmapFromGuest(cpu)
    // The guest's secrets go before the host can see them.
    try cpu.store(0, to: frames[address].content, .relaxed)
    let parent = root[geometry.index(of: address, at: 0)]
    guard let table = cpu.table(at: Descriptor(bits: try cpu.load(parent, .relaxed))) else {
      // No scenario gets here: what was donated lies below a table.
      try unlockForChange(cpu)
      return .refused
    }
    if omission != .handBackBeforeMapping { try cpu.handOver(frames[address], to: host) }
    let slot = table[geometry.index(of: address, at: 1)]
    // The owner's mark was an entry in use as well.
    try cpu.store(Descriptor.page(address).bits, to: slot, .release)
    try cpu.dsb()
    if omission == .handBackBeforeMapping { try cpu.handOver(frames[address], to: host) }
    if try belongsToHost(cpu, table) { try coalesce(cpu, table, parent, over: address) }
    try unlockForChange(cpu)
    return .done
  }

  /// True if a table covers no page of another owner.
  ///
  /// Pages that are not mapped may be the host's all the same.
  private func belongsToHost(_ cpu: VirtualCPU, _ table: TablePage) throws(Abandoned) -> Bool {
    for index in 0..<geometry.entries {
      if try cpu.load(table[index], .relaxed) == HostTable.owned.bits { return false }
    }
    return true
  }

  /// Replaces a table by a block: break, flush, make; then nobody can be in the table any more.
  private func coalesce(
    _ cpu: VirtualCPU, _ table: TablePage, _ parent: Location, over address: Int
  ) throws(Abandoned) {
    if resizesInPlace(on: cpu, omission == .coalesceBreak) {
      try cpu.store(block(over: address).bits, to: parent, .release)
      try flushTable(cpu, over: address)
      return try cpu.free(table)
    }
    try cpu.store(Descriptor.invalid.bits, to: parent, .relaxed)
    if omission == .flushBeforeFree { try cpu.free(table) }
    try flushTable(cpu, over: address)
    if resizing == .breakFirstAndFillOnDemand {
      // The host's next fault makes the block.
      try cpu.putPage(root)
    } else {
      try cpu.store(block(over: address).bits, to: parent, .release)
      try cpu.dsb()
    }
    if omission != .flushBeforeFree { try cpu.free(table) }
  }

  /// Removes the pointer to a table, and all pages below it, from all TLBs and walk caches.
  private func flushTable(_ cpu: VirtualCPU, over address: Int) throws(Abandoned) {
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

  private func flush(
    _ cpu: VirtualCPU, _ invalidation: TLBInvalidation
  ) throws(Abandoned) {
    let leaves = omission == .flushOfTablePointers
    try cpu.tlbi(leaves ? invalidation.lastLevelOnly : invalidation, of: root)
  }
}
