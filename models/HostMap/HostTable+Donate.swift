// A page leaves the host: a block is split, and nobody may have cached what it mapped.

import Gracewalk

extension HostTable {
  /// Takes a page from the host and gives it to the guest.
  func donate(_ cpu: VirtualCPU, _ address: Int) throws -> HostResult {
    try lockForChange(cpu)
    let slot = root.entry(of: address, at: 0)
    let old = try cpu.load(slot, .relaxed)
    guard !old.isTable, let table = try cpu.allocateTable() else {
      // No scenario gets here: blocks are split once, and memory does not run out.
      try unlockForChange(cpu)
      return .refused
    }
    if resizesInPlace(on: cpu, omission == .splitBreak), old.isValid {
      try splitInPlace(cpu, slot, into: table, without: address)
    } else {
      try splitWithBreak(cpu, slot, old, into: table, without: address)
    }
    if omission != .flushBeforeHandOver { try giveToGuest(cpu, address) }
    try unlockForChange(cpu)
    return .done
  }

  private func giveToGuest(_ cpu: VirtualCPU, _ address: Int) throws {
    try cpu.expectUntranslated(root, address)
    try cpu.handOver(frames[address], to: guest)
    try mapForGuest(cpu, address)
  }

  /// Break, flush, make.
  private func splitWithBreak(
    _ cpu: VirtualCPU, _ slot: Entry, _ old: Descriptor, into table: TablePage,
    without address: Int
  ) throws {
    let fillsOnDemand = resizing == .breakFirstAndFillOnDemand
    if !fillsOnDemand { try fill(cpu, table, over: address, isDonated: true) }
    if old.isValid {
      try cpu.store(slot, .invalid, .relaxed)
      if omission == .flushBeforeHandOver { try giveToGuest(cpu, address) }
      try flushBlock(cpu, over: address)
    } else {
      // Nothing was mapped, so nothing is cached; the entry becomes one in use.
      try cpu.getPage(root)
    }
    try cpu.store(slot, .table(table), .release)
    if fillsOnDemand {
      let page = table.entry(of: address, at: 1)
      try cpu.store(page, HostTable.owned, .release)
      try cpu.getPage(table)
    }
    try cpu.dsb()
  }

  /// Removes a block that was broken from all TLBs.
  private func flushBlock(_ cpu: VirtualCPU, over address: Int) throws {
    if omission != .dsbBeforeTLBI { try cpu.dsb() }
    guard omission != .tlbi else { return }
    // One address is enough: a block is cached as one entry, at level 0.
    let level = omission == .rightLevel ? geometry.lastLevel : 0
    let block = TLBInvalidation.address(address).level(level)
    try cpu.tlbi(omission == .broadcast ? block.local : block, of: root)
    if omission != .dsbAfterTLBI { try cpu.dsb() }
  }

  /// The block gives way to a table that maps the same, and only then the page is unmapped.
  private func splitInPlace(
    _ cpu: VirtualCPU, _ slot: Entry, into table: TablePage, without address: Int
  ) throws {
    try fill(cpu, table, over: address, isDonated: false)
    try cpu.store(slot, .table(table), .release)
    // One entry in use takes the place of another.
    try cpu.store(
      table.entry(of: address, at: 1), HostTable.owned, .relaxed)
    try cpu.dsb()
    // No level: the page is cached as itself or as part of the block.
    try cpu.tlbi(.address(address), of: root)
    try cpu.dsb()
  }

  /// Maps all that a new table covers, with nobody looking, but for the donated page.
  private func fill(
    _ cpu: VirtualCPU, _ table: TablePage, over address: Int, isDonated: Bool
  ) throws {
    for index in 0..<geometry.entries {
      let page = firstAddress(ofBlockOver: address) + index
      let entry = isDonated && page == address ? HostTable.owned : Descriptor.page(page)
      try cpu.store(table.entry(index), entry, .relaxed)
      try cpu.getPage(table)
    }
  }
}
