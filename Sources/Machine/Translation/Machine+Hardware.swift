// Steps of memory management units: accesses, walks, updates of entries, evictions, invalidation.

import GracewalkExploration
import GracewalkSupport

/// Results of walks and accesses, as the value that the CPU observes.
enum HardwareResult {
  /// An access that reached its frame; the frame's number follows.
  static let done: UInt64 = 1
  static let permissionFault: UInt64 = 2
  /// A clean entry must be made dirty first; the cell of the entry follows.
  static let mustMarkDirty: UInt64 = 3
  /// A walk began; the level and the id of the table follow.
  static let miss: UInt64 = 4
  /// A walk must start again: an entry that it read was invalidated.
  static let restart = UInt64.max
  /// A walk may see an entry's new value, or still its old, invalid one.
  static let unsettled: UInt64 = 2

  static func pack(_ kind: UInt64, _ value: Int, level: Int = 0) -> UInt64 {
    kind | UInt64(level) << 8 | UInt64(value) << 16
  }

  static func kind(_ result: UInt64) -> UInt64 { result & 0xFF }
  static func level(_ result: UInt64) -> Int { Int(result >> 8 & 0xFF) }
  static func value(_ result: UInt64) -> Int { Int(result >> 16) }
}

extension Action {
  /// The address of a hardware action.
  var address: Int { Int(a & 0xFFFF) }
  /// The level of the entry that a walk reads.
  var level: Int { Int(a >> 16 & 0xFF) }
  /// Whether a guest's access is a write.
  var isWrite: Bool {
    get { flag }
    set { flag = newValue }
  }
  /// Whether a walk sees an entry's old, invalid value.
  var seesFormer: Bool {
    get { flag }
    set { flag = newValue }
  }
  /// Whether an update makes the entry dirty; otherwise it sets the access flag.
  var marksDirty: Bool {
    get { flag }
    set { flag = newValue }
  }
  /// The entry as read by the walk that is about to set its access flag.
  var entryRead: UInt64 {
    get { b }
    set { b = newValue }
  }

  init(_ kind: Kind, address: Int, level: Int = 0) {
    self.init(kind)
    a = UInt64(address) | UInt64(level) << 16
  }
}

extension Machine {
  func performHardware(
    _ hardware: Action.Hardware, _ action: Action, choosing choice: Int, by cpu: Int
  ) -> UInt64 {
    defer { checkCaches() }
    switch hardware {
    case .guestAccess: return guestAccess(action, by: cpu)
    case .walkStart: return startWalk(to: action.address, by: cpu)
    case .walkRead: return readEntry(action, choosing: choice, by: cpu)
    case .walkUpdate: return updateEntry(action, by: cpu)
    case .evict:
      evict(action.address, from: translation.unitOfCPU[cpu])
      if orders != nil { noteCacheChange() }
      return 0
    case .tlbInvalidate:
      invalidate(action, by: cpu)
      if orders != nil { noteCacheChange() }
      return 0
    case .settle:
      let unobserved = layout.hardware.unobserved(action.cell)
      if memory[unobserved] >> Machine.makerShift == UInt64(cpu) { memory[unobserved] = 0 }
      return 0
    case .tlbi, .dsb: return 0
    }
  }

  // MARK: Accesses

  private func guestAccess(_ action: Action, by cpu: Int) -> UInt64 {
    let unit = translation.unitOfCPU[cpu]
    guard let place = cachedLeaf(unit, of: action.address) else {
      return startWalk(to: action.address, by: cpu)
    }
    let leaf = bits(of: place)
    switch permission(place, isWrite: action.isWrite) {
    case .granted: break
    case .marksDirty:
      return HardwareResult.pack(HardwareResult.mustMarkDirty, Int(memory[place.source]))
    case .refused:
      if format.faultsInvalidate {
        evict(action.address, from: unit)
        if orders != nil { noteCacheChange() }
      }
      return HardwareResult.permissionFault
    }
    reportStaleUse(action, of: place, unit, by: cpu)
    let frame = frame(of: leaf, at: place.level, for: action.address) ?? 0
    use(frame, of: unit, isWrite: action.isWrite, by: cpu)
    return HardwareResult.pack(HardwareResult.done, frame)
  }

  /// Removes all cached entries of the walk to an address.
  private func evict(_ address: Int, from unit: Int) {
    for level in 0..<layout.geometry.levels {
      clear(leafPlace(unit, level, of: address))
      if level < layout.geometry.lastLevel { clear(tablePlace(unit, level, of: address)) }
    }
  }

  private func use(_ number: Int, of unit: Int, isWrite: Bool, by cpu: Int) {
    let frames = scenario.dataFrames
    if frames.isEmpty { return }
    guard number < frames.count else {
      fail(.capacity("the scenario declares \(frames.count) data frames; \(number) is mapped"))
      return
    }
    let frame = frames[number]
    let owner = memory[frame.owner.cell]
    if owner != UInt64(translation.units[unit].mmu.owner.id) {
      report(.foreignFrameUsed, cpu, cell: frame.owner.cell, value: owner)
    }
    if isWrite { memory[frame.content.cell] &+= 1 }
  }

  // MARK: Walks

  /// Starts at the root, or at the table from the walk cache.
  private func startWalk(to address: Int, by cpu: Int) -> UInt64 {
    let unit = translation.unitOfCPU[cpu]
    let register = layout.hardware.register(cpu)
    for level in (0..<layout.geometry.lastLevel).reversed() {
      let place = tablePlace(unit, level, of: address)
      guard let id = linkedPage(by: memory[place.cell]) else { continue }
      setWalk(
        register, address, level + 1, table: id, source: memory[place.source],
        denied: memory[place.denied])
      return HardwareResult.pack(HardwareResult.miss, id, level: level + 1)
    }
    let root = translation.units[unit].mmu.root.id
    setWalk(register, address, 0, table: root, source: 0, denied: 0)
    return HardwareResult.pack(HardwareResult.miss, root, level: 0)
  }

  /// - Parameters:
  ///   - source: the entry of the level above that leads to the table.
  ///   - denied: the permissions that this entry and those above it deny.
  private func setWalk(
    _ register: UInt32, _ address: Int, _ level: Int, table: Int, source: UInt64, denied: UInt64
  ) {
    memory[register] =
      TranslationUnits.WalkState.inFlight | UInt64(level) << 8 | UInt64(address) << 16
      | denied << 32
    memory[register + 1] = UInt64(table + 1)
    if level > 0 { memory[layout.hardware.way(register, level - 1)] = source }
  }

  private func endWalk(_ register: UInt32) {
    for word in 0..<layout.hardware.registerStride { memory[register + word] = 0 }
  }

  /// True if hardware no longer touches the entry because an entry that led there was invalidated.
  ///
  /// A DSB that completes an invalidation waits for walks that read the removed entries. So those
  /// walks have ended; only their CPUs do not know yet.
  func isCancelled(_ action: Action, by cpu: Int) -> Bool {
    guard case .hardware(let hardware) = action.kind else { return false }
    switch hardware {
    case .walkRead: return mustRestart(cpu)
    case .walkUpdate:
      return action.marksDirty ? cachedSource(of: action, by: cpu) == nil : mustRestart(cpu)
    case .guestAccess, .walkStart, .evict, .tlbi, .tlbInvalidate, .dsb, .settle: return false
    }
  }

  func mustRestart(_ cpu: Int) -> Bool {
    memory[layout.hardware.register(cpu)] & TranslationUnits.WalkState.restart != 0
  }

  /// The cached leaf through which an entry is to be made dirty, or nil if it is no longer cached.
  private func cachedSource(of action: Action, by cpu: Int) -> CachePlace? {
    guard let place = cachedLeaf(translation.unitOfCPU[cpu], of: action.address),
      memory[place.source] == UInt64(action.cell)
    else { return nil }
    return place
  }

  /// The result of a walk's read: an entry, `restart` if it must start again, or `unsettled` if it
  /// may see the old value.
  private func readEntry(_ action: Action, choosing choice: Int, by cpu: Int) -> UInt64 {
    let register = layout.hardware.register(cpu)
    guard !mustRestart(cpu) else {
      endWalk(register)
      return HardwareResult.restart
    }
    if action.seesFormer {
      endWalk(register)
      return Descriptor.invalid.bits
    }
    if missesUpdate(of: action.cell, by: translation.unitOfCPU[cpu]) {
      return HardwareResult.unsettled
    }
    let entry =
      orders == nil
      ? Descriptor(bits: memory[action.cell]) : findEntry(action, choosing: choice, by: cpu)
    switch meaning(of: entry, at: action.level) {
    case .table(let id): descend(to: id, through: entry, action, by: cpu)
    case .leaf: endWalk(at: entry, action, by: cpu)
    case .malformed:
      report(.malformedEntry, cpu, cell: action.cell, value: UInt64(action.level))
      endWalk(register)
    case .notPresent: endWalk(register)
    }
    return entry.bits
  }

  /// True if a unit may still see an entry's old, invalid value, which it may once.
  private func missesUpdate(of cell: UInt32, by unit: Int) -> Bool {
    let place = layout.hardware.unobserved(cell)
    let bit = CPUSet(unit).bits
    guard memory[place] & bit != 0 else { return false }
    let isLast = memory[place] & Machine.unitsMask == bit
    memory[place] = isLast ? 0 : memory[place] & ~bit
    return true
  }

  /// Caches the pointer to a table, and continues the walk there.
  private func descend(to id: Int, through entry: Descriptor, _ action: Action, by cpu: Int) {
    let register = layout.hardware.register(cpu)
    let denied = memory[register] >> 32 | denied(by: entry)
    let place = tablePlace(translation.unitOfCPU[cpu], action.level, of: action.address)
    fill(place, entry, from: action.cell, denied)
    setWalk(
      register, action.address, action.level + 1, table: id, source: UInt64(action.cell),
      denied: denied)
  }

  /// Caches a leaf and ends the walk, unless the access flag is missing.
  ///
  /// Entries that cause a fault are never cached; a walk that must set the flag continues with
  /// that.
  private func endWalk(at leaf: Descriptor, _ action: Action, by cpu: Int) {
    let unit = translation.unitOfCPU[cpu]
    let register = layout.hardware.register(cpu)
    let flagRule = format.accessFlagRule(features)
    if leaf.hasAccessFlag || flagRule == .isIgnored {
      noteConflicts(with: leaf, at: action.level, action, of: unit, by: cpu)
      let denied = memory[register] >> 32
      fill(leafPlace(unit, action.level, of: action.address), leaf, from: action.cell, denied)
      endWalk(register)
    } else if flagRule == .faults {
      endWalk(register)
    }
  }

  /// The position of the CPU that made an entry valid, above the set of units that may not see it
  /// yet.
  private static let makerShift: UInt64 = 56
  private static let unitsMask: UInt64 = (1 << 56) - 1

  /// Makes all initial entries visible to every walk.
  func settleAll() {
    for cell in layout.hardware.pageCells { memory[layout.hardware.unobserved(cell)] = 0 }
  }

  /// Records that each unit may once see a new valid entry as invalid, until the CPU that made it
  /// executes a DSB.
  ///
  /// That applies without FEAT_ETS2.
  ///
  /// A walk that sees the link to a table also sees the entries made before linking.
  func noteUnobserved(
    _ new: Descriptor, after old: Descriptor, in cell: UInt32, ofPage page: TablePage, by cpu: Int
  ) {
    let isMade =
      new.isValid && !old.isValid && memory[page.base + Layout.publishedOffset] != 0
      && !features.enhancedTranslationSynchronisation
    let units = CPUSet.first(translation.units.count).bits & Machine.unitsMask
    memory[layout.hardware.unobserved(cell)] =
      isMade ? units | UInt64(cpu) << Machine.makerShift : 0
  }

  private func fill(_ place: CachePlace, _ entry: Descriptor, from cell: UInt32, _ denied: UInt64) {
    memory[place.cell] = entry.bits
    memory[place.source] = UInt64(cell)
    memory[place.denied] = denied
  }

  /// Reports a cached leaf that translates one of the same addresses differently.
  private func noteConflicts(
    with leaf: Descriptor, at level: Int, _ action: Action, of unit: Int, by cpu: Int
  ) {
    // If no break is needed, the architecture allows a lookup to use either.
    guard watched.contains(.conflictingEntries), format.needsBreakBeforeMake else { return }
    let span = layout.hardware.span(at: level)
    let first = action.address / span * span
    for place in cachedLeaves(of: unit) {
      let range = layout.hardware.addresses(ofPrefix: place.prefix, at: place.level)
      guard range.overlaps(first..<(first + span)) else { continue }
      let address = max(first, range.lowerBound)
      let other = bits(of: place)
      let isSame =
        frame(of: other, at: place.level, for: address) == frame(of: leaf, at: level, for: address)
      let isAllowed =
        place.level == level || isSame && mayDifferInSize(leaf, other)
      guard !isSame || !isAllowed else { continue }
      report(.conflictingEntries, cpu, cell: action.cell, value: UInt64(address))
    }
  }

  /// Sets the access flag in memory, or makes a clean entry dirty in memory and in the cache.
  private func updateEntry(_ action: Action, by cpu: Int) -> UInt64 {
    let old = memory[action.cell]
    guard action.marksDirty else {
      guard !mustRestart(cpu) else { return 0 }
      guard old == action.entryRead else {
        if orders != nil { noteFailedUpdate(of: action.cell, by: cpu) }
        return 0
      }
      writeByHardware(Descriptor(bits: old).withAccessFlag, to: action.cell)
      return 1
    }
    guard let place = cachedSource(of: action, by: cpu) else { return 0 }
    guard memory[place.cell] == old else {
      clear(place)
      if orders != nil { noteFailedUpdate(of: action.cell, by: cpu) }
      return 0
    }
    writeByHardware(Descriptor(bits: old).writable, to: action.cell)
    memory[place.cell] = memory[action.cell]
    return 1
  }

  private func writeByHardware(_ new: Descriptor, to cell: UInt32) {
    guard let id = layout.pageID(at: cell) else { return }
    let published = memory[layout.page(id).base + Layout.publishedOffset]
    noteChange(from: memory[cell], to: new.bits, inPagePublished: published)
    if orders != nil { noteUpdate(of: cell, from: memory[cell], to: new.bits) }
    memory[cell] = new.bits
  }

  // MARK: Footprints

  func addHardware(
    _ hardware: Action.Hardware, _ action: Action, by cpu: Int, to footprint: Footprint
  ) {
    let unit = translation.unitOfCPU[cpu]
    switch hardware {
    case .guestAccess:
      guard let place = cachedLeaf(unit, of: action.address) else {
        footprint.write(layout.hardware.object(unit))
        return
      }
      footprint.read(layout.hardware.object(unit))
      let leaf = bits(of: place)
      let permission = permission(place, isWrite: action.isWrite)
      if permission == .refused, format.faultsInvalidate {
        footprint.write(layout.hardware.object(unit))
      }
      guard permission == .granted else { return }
      addStaleUse(action, of: place, unit, by: cpu, to: footprint)
      let number = frame(of: leaf, at: place.level, for: action.address) ?? 0
      guard number < scenario.dataFrames.count else { return }
      addUse(of: scenario.dataFrames[number], action, footprint)
    case .walkStart, .evict: footprint.write(layout.hardware.object(unit))
    case .walkRead:
      footprint.write(layout.hardware.object(unit))
      footprint.read(action.cell)
    case .walkUpdate:
      footprint.write(layout.hardware.object(unit))
      footprint.write(action.cell)
    case .tlbInvalidate:
      for (number, unit) in translation.units.enumerated()
      where unit.mmu.root.id == action.invalidatedRoot {
        footprint.write(layout.hardware.object(number))
      }
      addForgetting(by: cpu, to: footprint)
    case .settle: footprint.write(action.cell)
    case .tlbi, .dsb: break
    }
  }

  /// Adds what an access could touch: any frame, and on a miss the unit's contents.
  func addPotentialAccess(_ action: Action, by cpu: Int, to footprint: Footprint) {
    footprint.write(layout.hardware.object(translation.unitOfCPU[cpu]))
    for frame in scenario.dataFrames { addUse(of: frame, action, footprint) }
    addPotentialStaleUse(by: cpu, to: footprint)
  }

  private func addUse(of frame: DataFrame, _ action: Action, _ footprint: Footprint) {
    footprint.read(frame.owner.cell)
    if action.isWrite { footprint.write(frame.content.cell) }
  }

  /// Adds the contents of all units as read.
  func addUnits(_ footprint: Footprint) {
    for unit in translation.units.indices { footprint.read(layout.hardware.object(unit)) }
  }
}
