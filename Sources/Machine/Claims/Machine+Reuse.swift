// Pages and frames that change hands while caches still refer to their old use.

import GracewalkExploration
import GracewalkSupport

extension Action {
  /// The data frame that changes owner.
  var frameNumber: Int {
    get { Int(a) }
    set { a = UInt64(newValue) }
  }
  /// The id of the new owner.
  var newOwner: UInt64 {
    get { b }
    set { b = newValue }
  }
}

extension Machine {
  // MARK: Table pages

  /// Reports a page that is freed, or returned to its slab, while hardware refers to it.
  func reportCached(page id: Int, freedBy cpu: Int) {
    guard watched.contains(.pageFreedWhileCached) else { return }
    let cpus = cpusCaching(table: id)
    if !cpus.isEmpty {
      report(.pageFreedWhileCached, cpu, page: layout.page(id).base, value: cpus.bits)
    }
  }

  /// True if the linked table was reachable before, so that its old use may be cached.
  func isRelinked(_ id: Int) -> Bool {
    hasHardware && watched.contains(.pageLinkedWhileCached)
      && memory[layout.page(id).base + Layout.publishedOffset] != 0
  }

  /// Reports tables that become part of another root's tree while units of their old root still
  /// refer to them.
  ///
  /// Within one tree, a table may move before the flush, as in mremap().
  func reportRelinked(_ id: Int, in parent: Int, at cell: UInt32, by cpu: Int) {
    // Roots are the first pages; this runs during a step, so it does not allocate a list.
    let isInTree = scenario.rootNames.indices.contains { leads(from: $0, to: parent) }
    guard isInTree else { return }
    for (number, unit) in translation.units.enumerated() {
      let root = unit.mmu.root.id
      guard let table = cachedTable(below: id, by: number), !leads(from: root, to: table) else {
        continue
      }
      report(
        .pageLinkedWhileCached, cpu, page: layout.page(table).base, cell: cell,
        value: CPUSet(unit.cpu).bits)
    }
  }

  /// A table of a subtree to which a unit refers, or nil.
  private func cachedTable(below id: Int, by unit: Int, depth: Int = 0) -> Int? {
    if refers(unit, to: id) { return id }
    guard depth < layout.geometry.lastLevel else { return nil }
    for index in 0..<layout.geometry.entries {
      guard let next = linkedPage(by: memory[layout.page(id)[index].cell]),
        let found = cachedTable(below: next, by: unit, depth: depth + 1)
      else { continue }
      return found
    }
    return nil
  }

  private func leads(from table: Int, to id: Int, depth: Int = 0) -> Bool {
    if table == id { return true }
    guard depth < layout.geometry.lastLevel else { return false }
    return (0..<layout.geometry.entries).contains { index in
      guard let next = linkedPage(by: memory[layout.page(table)[index].cell]) else { return false }
      return leads(from: next, to: id, depth: depth + 1)
    }
  }

  // MARK: Data frames

  func handOver(_ action: Action, by cpu: Int) {
    let frame = scenario.dataFrames[action.frameNumber]
    let owner = memory[frame.owner.cell]
    if watched.contains(.frameGivenWhileCached), owner != action.newOwner {
      let cpus = cpusCaching(frame: frame.number, of: owner)
      if !cpus.isEmpty {
        report(.frameGivenWhileCached, cpu, cell: frame.owner.cell, value: cpus.bits)
      }
    }
    eachRoot(thatLosesFrameBy: action) { root in
      guard let cell = entry(mapping: frame.number, from: root, at: 0) else { return }
      report(
        .frameGivenWhileMapped, cpu, page: layout.page(root).base, cell: cell,
        value: UInt64(action.frameNumber))
    }
    memory[frame.owner.cell] = action.newOwner
  }

  /// Calls `body` with the roots that units of the old owner walk, if the frame changes owner.
  private func eachRoot(thatLosesFrameBy action: Action, _ body: (Int) -> Void) {
    let owner = memory[scenario.dataFrames[action.frameNumber].owner.cell]
    guard watched.contains(.frameGivenWhileMapped), owner != action.newOwner else { return }
    // Code may have written any value to the word.
    guard let owner = Int(exactly: owner) else { return }
    for (number, unit) in translation.units.enumerated() where unit.mmu.owner.id == owner {
      let root = unit.mmu.root.id
      let isFirst = !translation.units[..<number].contains {
        $0.mmu.root.id == root && $0.mmu.owner.id == owner
      }
      if isFirst { body(root) }
    }
  }

  /// The entry that maps a frame, in a table of a level or the tables below it.
  private func entry(
    mapping frame: Int, from table: Int, at level: Int, _ visit: (UInt32) -> Void = { _ in }
  ) -> UInt32? {
    var found: UInt32?
    for index in 0..<layout.geometry.entries {
      let cell = layout.page(table)[index].cell
      visit(cell)
      let entry = Descriptor(bits: memory[cell])
      switch meaning(of: entry, at: level) {
      case .table(let next):
        let below = self.entry(mapping: frame, from: next, at: level + 1, visit)
        if found == nil { found = below }
      case .leaf(let first):
        let range = first..<(first + layout.hardware.span(at: level))
        if found == nil, range.contains(frame) { found = cell }
      case .notPresent, .malformed: break
      }
    }
    return found
  }

  // MARK: Footprints

  /// Linking a table that may be cached reads the caches and the entries of the trees.
  func addRelink(of id: Int, _ footprint: Footprint) {
    guard isRelinked(id) else { return }
    addUnits(footprint)
    for root in scenario.rootNames.indices { addTables(below: root, to: footprint) }
    addTables(below: id, to: footprint)
  }

  /// The potential footprint: entries of all pages.
  func addPotentialRelink(of value: UInt64, to footprint: Footprint) {
    guard let id = linkedPage(by: value), isRelinked(id) else { return }
    addUnits(footprint)
    addAllEntries(to: footprint)
  }

  /// Adds the entries that lead from a table to those below it as read.
  private func addTables(below id: Int, to footprint: Footprint, depth: Int = 0) {
    guard depth < layout.geometry.lastLevel else { return }
    for index in 0..<layout.geometry.entries {
      let cell = layout.page(id)[index].cell
      footprint.read(cell)
      if let next = linkedPage(by: memory[cell]) {
        addTables(below: next, to: footprint, depth: depth + 1)
      }
    }
  }

  func addHandOver(_ action: Action, to footprint: Footprint) {
    footprint.write(scenario.dataFrames[action.frameNumber].owner.cell)
    if watched.contains(.frameGivenWhileCached) { addUnits(footprint) }
    eachRoot(thatLosesFrameBy: action) { root in
      _ = entry(mapping: -1, from: root, at: 0) { footprint.read($0) }
    }
  }

  func addPotentialHandOver(to footprint: Footprint) {
    if watched.contains(.frameGivenWhileMapped) { addAllEntries(to: footprint) }
  }
}
