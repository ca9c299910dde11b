// Table pages: allocation, publication, links between tables, freeing and quarantine.

import GracewalkExploration
import GracewalkSupport

extension Action {
  /// One more than the number of the operation that allocates a page.
  var allocatingOperation: UInt64 {
    get { a }
    set { a = newValue }
  }
}

extension Machine {
  /// The k-th page that a CPU allocates is the same in every interleaving.
  ///
  /// Pages are never reused, so any access after the free is detected.
  func allocatePage(for cpu: Int, inOperation operation: UInt64) -> UInt64 {
    let counter = layout.pagesAllocated(owner: cpu)
    let index = Int(memory[counter])
    let most = layout.space.capacity.pagesPerCPU - slabPages(ofOwner: cpu)
    guard index < most else {
      fail(
        .capacity(
          "\(name(ofCPU: cpu)) allocates more than \(most) table pages; give the scenario room for "
            + "more with Scenario(capacity:)"))
      return UInt64(layout.page(owner: cpu, index: 0).id)
    }
    memory[counter] = UInt64(index + 1)
    let page = layout.page(owner: cpu, index: index)
    memory[page.base + Layout.lifetimeOffset] = 1
    memory[page.base + Layout.referencesOffset] = 1
    memory[page.base + Layout.allocatedInOffset] = operation
    return UInt64(page.id)
  }

  func performPage(_ page: Action.Page, _ action: Action, by cpu: Int) -> UInt64 {
    switch page {
    case .allocate: return allocatePage(for: cpu, inOperation: action.allocatingOperation)
    case .publish:
      if let id = layout.pageID(at: action.cell) { publish(id, by: cpu) }
      return 0
    case .free:
      freePage(action.lifetime, by: cpu)
      return 0
    }
  }

  /// Adds the footprint of an action on a page as a whole.
  func addPage(_ page: Action.Page, _ action: Action, by cpu: Int, to footprint: Footprint) {
    switch page {
    case .publish: break
    case .allocate: addPagesOfOwner(cpu, to: footprint)
    case .free:
      footprint.write(action.lifetime)
      addOwner(ofPageAt: action.lifetime, to: footprint)
      addReaders(ofPage: action.lifetime, footprint)
      // The page's link count stands for the readers recorded when it is unlinked.
      if requirements.contains(.readersAtUnlink) {
        footprint.read(action.lifetime + Layout.linksOffset)
      }
      if watched.contains(.pageFreedWhileCached) { addUnits(footprint) }
    }
  }

  func freePage(_ base: UInt32, by cpu: Int, leavesSlab: Bool = false) {
    let lifetime = memory[base]
    guard lifetime & 1 == 1 else {
      report(.freeOfFreedPage, cpu, page: base, cell: base)
      return
    }
    reportReaders(ofPage: base, freedBy: cpu)
    if let id = layout.pageID(at: base) {
      if !leavesSlab, let slab = slabNumber(ofPage: id) {
        report(.freeOfFreedPage, cpu, page: base, cell: base, value: 1 + UInt64(slab))
      }
      reportCached(page: id, freedBy: cpu)
      if isRoot(id), scenario.contexts.isEmpty { report(.rootFreed, cpu, page: base, cell: base) }
    }
    memory[base] = lifetime + 1
  }

  /// Calls `body` with every page that was ever allocated, in the order of their ids.
  func eachAllocatedPage(_ body: (TablePage) -> Void) {
    eachPage(of: layout.bootOwner, body)
    for cpu in 0..<layout.cpuCount { eachPage(of: cpu, body) }
  }

  private func eachPage(of owner: Int, _ body: (TablePage) -> Void) {
    for index in 0..<Int(memory[layout.pagesAllocated(owner: owner)]) {
      body(layout.page(owner: owner, index: index))
    }
    guard owner == layout.bootOwner else { return }
    for slab in scenario.slabs {
      for id in slab.slab.firstID..<(slab.slab.firstID + slab.slab.count) { body(layout.page(id)) }
    }
  }

  /// True if walks begin at the page with an id.
  func isRoot(_ id: Int) -> Bool {
    layout.owner(ofPage: id) == nil && id < scenario.rootNames.count
  }

  /// Writes a word.
  ///
  /// Writing a table entry may link and unlink tables, and publish the linked ones.
  @inline(__always)
  func write(_ value: UInt64, to cell: UInt32, by cpu: Int) {
    if !layout.isNamed(cell) {
      writeEntry(value, to: cell, by: cpu)
    } else {
      memory[cell] = value
    }
  }

  private func writeEntry(_ value: UInt64, to cell: UInt32, by cpu: Int) {
    let old = memory[cell]
    memory[cell] = value
    guard let entry = layout.entry(at: cell) else { return }
    if watched.contains(.changedWhileCached), Descriptor(bits: value).isValid {
      let cpus = cpusCaching(entryAt: cell, unlike: Descriptor(bits: value))
      if !cpus.isEmpty { report(.changedWhileCached, cpu, cell: cell, value: cpus.bits) }
    }
    if hasHardware {
      noteTaken(Descriptor(bits: old), Descriptor(bits: value), in: cell, by: cpu)
      noteUnobserved(
        Descriptor(bits: value), after: Descriptor(bits: old), in: cell,
        ofPage: layout.page(entry.page), by: cpu)
    }
    let published = memory[layout.page(entry.page).base + Layout.publishedOffset]
    noteChange(from: old, to: value, inPagePublished: published)
    noteMalformed(value, in: cell, published: published, by: cpu)
    let unlinked = linkedPage(by: old)
    let linked = linkedPage(by: value)
    guard unlinked != linked else { return }
    if let unlinked { unlink(unlinked) }
    if let linked {
      let links = layout.page(linked).base + Layout.linksOffset
      memory[links] += 1
      if memory[links] > 1 { report(.linkedAgain, cpu, page: links, cell: cell) }
      if isRelinked(linked) { reportRelinked(linked, in: entry.page, at: cell, by: cpu) }
      if published != 0 { publish(linked, as: publication(below: published), by: cpu) }
    }
  }

  /// The table page an entry with this value points to.
  func linkedPage(by value: UInt64) -> Int? {
    guard let id = Descriptor(bits: value).tableID, id < layout.pageCapacity else { return nil }
    return id
  }

  private func unlink(_ id: Int) {
    let base = layout.page(id).base
    memory[base + Layout.linksOffset] &-= 1
    if requirements.contains(.readersAtUnlink) { noteReaders(ofTablesIn: id) }
  }

  /// The publication word of a table linked to a published one.
  ///
  /// A table below the last level is a mistake of the model; all such tables count as one level.
  func publication(below parent: UInt64) -> UInt64 {
    guard parent != Layout.publishedWithoutLevel else { return parent }
    return min(parent + 1, Layout.published(atLevel: layout.geometry.levels))
  }

  /// Publishes a page and all tables below it, which get the following levels.
  func publish(
    _ id: Int, as published: UInt64 = Layout.publishedWithoutLevel, by cpu: Int
  ) {
    let base = layout.page(id).base
    guard memory[base + Layout.publishedOffset] == 0 else { return }
    memory[base + Layout.publishedOffset] = published
    for index in 0..<layout.geometry.entries {
      let cell = base + Layout.pageHeader + UInt32(index)
      noteMalformed(memory[cell], in: cell, published: published, by: cpu)
      if let below = linkedPage(by: memory[cell]) {
        publish(below, as: publication(below: published), by: cpu)
      }
    }
  }

  /// The footprint of writing a word: the word, and the link counts of tables it links or unlinks.
  ///
  /// Unlinking records which CPUs may hold the table, if an invariant needs it.
  @inline(__always)
  func addWrite(of value: UInt64, to cell: UInt32, _ footprint: Footprint) {
    footprint.write(cell)
    guard !layout.isNamed(cell) else { return }
    addLinks(of: value, to: cell, footprint)
    addUnits(thatMayHold: value, footprint)
  }

  /// Adds the footprint of replacing one value by another.
  func addExchange(
    of old: UInt64, for new: UInt64, in cell: UInt32, _ footprint: Footprint
  ) {
    footprint.write(cell)
    guard !layout.isNamed(cell) else { return }
    addUnlink(from: cell, footprint)
    addUnits(thatMayHold: new, footprint)
    addPotentialRelink(of: new, to: footprint)
    for page in [linkedPage(by: old), linkedPage(by: new)] {
      if let page { footprint.write(layout.page(page).base + Layout.linksOffset) }
    }
  }

  /// What changing bits of an entry might touch, whatever the entry is then: a table that it leads
  /// to may be any there is.
  func addAnyChange(ofEntry cell: UInt32, keepsTarget: Bool, _ footprint: Footprint) {
    addUnits(footprint)
    if keepsTarget { return }
    addUnlink(from: cell, footprint)
    addAllEntries(to: footprint)
    for id in 0..<layout.pageCapacity {
      footprint.write(layout.page(id).base + Layout.linksOffset)
    }
  }

  /// Making an entry valid reads which units have its old value cached.
  private func addUnits(thatMayHold new: UInt64, _ footprint: Footprint) {
    if watched.contains(.changedWhileCached), Descriptor(bits: new).isValid { addUnits(footprint) }
  }

  /// Adds what any write to an entry might touch because it unlinks a table.
  func addUnlink(from cell: UInt32, _ footprint: Footprint) {
    if !layout.isNamed(cell) { addAllReaders(footprint) }
  }

  private func addLinks(of value: UInt64, to cell: UInt32, _ footprint: Footprint) {
    let unlinked = linkedPage(by: memory[cell])
    let linked = linkedPage(by: value)
    guard unlinked != linked else { return }
    if let linked {
      footprint.write(layout.page(linked).base + Layout.linksOffset)
      addRelink(of: linked, footprint)
    }
    guard let unlinked else { return }
    footprint.write(layout.page(unlinked).base + Layout.linksOffset)
    if requirements.contains(.readersAtUnlink) {
      addAllReaders(footprint)
      var seen = PageSet()
      addEntries(ofTablesIn: unlinked, footprint, &seen)
    }
  }

  /// Adds all entries of a table and of those below it as read, and the link counts of those below,
  /// which stand for their recorded readers.
  private func addEntries(
    ofTablesIn id: Int, _ footprint: Footprint, _ seen: inout PageSet
  ) {
    guard seen.insert(id) else { return }
    for index in 0..<layout.geometry.entries {
      let cell = layout.page(id).base + Layout.pageHeader + UInt32(index)
      footprint.read(cell)
      if let below = linkedPage(by: memory[cell]) {
        footprint.write(layout.page(below).base + Layout.linksOffset)
        addEntries(ofTablesIn: below, footprint, &seen)
      }
    }
  }
}
