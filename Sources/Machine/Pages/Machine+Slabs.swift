// Slabs: pages that exist from the start and are allocated and freed repeatedly.

import GracewalkExploration
import GracewalkSupport

extension Action {
  /// The pages of a slab, as a number: `Slab.packedPages`.
  var packedSlab: UInt64 {
    get { b }
    set { b = newValue }
  }
  var slabPages: Range<Int> { Slab.pages(packed: b) }
  var slabFirstID: Int { Slab.firstID(packed: b) }
  /// The id of the freed page.
  var freedPage: Int {
    get { Int(a) }
    set { a = UInt64(newValue) }
  }
}

extension Machine {
  /// Creates the pages of all slabs, free and published.
  func bootSlabs() {
    for slab in scenario.slabs {
      memory[slab.slab.freePages.cell] = CPUSet.first(slab.slab.count).bits
      for id in slab.slab.firstID..<(slab.slab.firstID + slab.slab.count) {
        let base = layout.page(id).base
        memory[base + Layout.lifetimeOffset] = 1
        memory[base + Layout.referencesOffset] = 1
        memory[base + Layout.publishedOffset] = 1
      }
    }
  }

  /// The number of an owner's pages that belong to slabs, so that it cannot allocate them.
  func slabPages(ofOwner owner: Int) -> Int {
    owner == layout.bootOwner ? scenario.slabPageCount : 0
  }

  func performSlab(_ slab: Action.SlabStep, _ action: Action, by cpu: Int) -> UInt64 {
    switch slab {
    case .allocate:
      let free = CPUSet(bits: memory[action.cell])
      guard !free.isEmpty else { return 0 }
      memory[action.cell] = free.bits & (free.bits - 1)
      return UInt64(action.slabFirstID + free.lowest) + 1
    case .free:
      giveBack(action, by: cpu)
      return 0
    case .shrink:
      var free = CPUSet(bits: memory[action.cell])
      memory[action.cell] = 0
      while let index = free.popLowest() {
        let page = layout.page(action.slabFirstID + index)
        freePage(page.base, by: cpu, leavesSlab: true)
      }
      return 0
    }
  }

  private func giveBack(_ action: Action, by cpu: Int) {
    let id = action.freedPage
    let base = layout.page(id).base
    let bit: UInt64 = 1 << UInt64(id - action.slabFirstID)
    guard memory[action.cell] & bit == 0, memory[base] & 1 == 1 else {
      report(.freeOfFreedPage, cpu, page: base, cell: base)
      return
    }
    memory[action.cell] |= bit
    reportCached(page: id, freedBy: cpu)
    // A CPU in a section now may have found the page earlier.
    if requirements.contains(.readersAtUnlink) { noteReaders(ofPage: id) }
  }

  /// Adds the footprint of an action on a slab.
  ///
  /// The word of free pages stands for their being free. The link count of a page stands for its
  /// recorded readers, as for unlinking.
  func addSlab(_ slab: Action.SlabStep, _ action: Action, to footprint: Footprint) {
    let free = memory[action.cell]
    switch slab {
    case .allocate:
      if free == 0 { footprint.read(action.cell) } else { footprint.write(action.cell) }
    case .free:
      let base = layout.page(action.freedPage).base
      let bit: UInt64 = 1 << UInt64(action.freedPage - action.slabFirstID)
      footprint.read(base)
      if free & bit != 0 || memory[base] & 1 == 0 {
        footprint.read(action.cell)
      } else {
        footprint.write(action.cell)
        addReadersNoted(of: base, footprint)
        addUnitsThatMayCache(footprint)
      }
    case .shrink:
      footprint.write(action.cell)
      if free != 0 { addUnitsThatMayCache(footprint) }
      var left = CPUSet(bits: free)
      while let index = left.popLowest() {
        let base = addShrink(of: action.slabFirstID + index, footprint)
        addReaders(ofPage: base, footprint)
      }
    }
  }

  /// Adds what an action on a slab could touch after other allocations and frees.
  func addPotentialSlab(_ slab: Action.SlabStep, _ action: Action, to footprint: Footprint) {
    footprint.write(action.cell)
    switch slab {
    case .allocate: break
    case .free:
      addUnitsThatMayCache(footprint)
      addReadersNoted(of: layout.page(action.freedPage).base, footprint)
    case .shrink:
      addUnitsThatMayCache(footprint)
      for id in action.slabPages { addShrink(of: id, footprint) }
      addAllReaders(footprint)
    }
  }

  /// Freeing a page to the slab, or shrinking it, reads all caches.
  private func addUnitsThatMayCache(_ footprint: Footprint) {
    if watched.contains(.pageFreedWhileCached) { addUnits(footprint) }
  }

  private func addReadersNoted(of base: UInt32, _ footprint: Footprint) {
    guard requirements.contains(.readersAtUnlink) else { return }
    footprint.write(base + Layout.linksOffset)
    addAllReaders(footprint)
  }

  @discardableResult
  private func addShrink(of id: Int, _ footprint: Footprint) -> UInt32 {
    let base = layout.page(id).base
    footprint.write(base)
    if requirements.contains(.readersAtUnlink) { footprint.read(base + Layout.linksOffset) }
    return base
  }

  // MARK: What invariants and traces see

  /// The page at an address of a page or of one of its entries (`TablePage.address`).
  public func page(at address: UInt64) -> TablePage? {
    layout.space.entry(atAddress: address).map { layout.page($0.page) }
  }

  /// The entry at an address from `TablePage.address(ofEntry:)`.
  public func entry(at address: UInt64) -> Location? {
    layout.space.entry(atAddress: address).map { layout.page($0.page)[$0.index] }
  }

  /// The name of the entry at an address, or the address as a number.
  public func nameOfEntry(at address: UInt64) -> String {
    entry(at: address).map { name(ofCell: $0.cell) } ?? "0x" + String(address, radix: 16)
  }

  /// The number of the slab that a page belongs to, or nil.
  func slabNumber(ofPage id: Int) -> Int? {
    scenario.slabs.firstIndex { id >= $0.slab.firstID && id < $0.slab.firstID + $0.slab.count }
  }

  /// True if the page is free in a slab.
  public func isFreeInSlab(_ page: TablePage) -> Bool {
    guard let number = slabNumber(ofPage: page.id) else { return false }
    let slab = scenario.slabs[number].slab
    return memory[slab.freePages.cell] & slab.bit(page.id) != 0
  }

  /// True if the page is not a table but another object, to which no root leads.
  public func isObject(_ page: TablePage) -> Bool {
    slabNumber(ofPage: page.id).map { scenario.slabs[$0].kind == .objects } ?? false
  }

  func slabText(_ step: Action.SlabStep, _ action: Action) -> String {
    let slab = name(ofCell: action.cell)
    switch step {
    case .allocate: return "allocate from \(slab)"
    case .free: return "give \(name(ofPage: action.freedPage)) back to \(slab)"
    case .shrink: return "shrink \(slab)"
    }
  }
}
