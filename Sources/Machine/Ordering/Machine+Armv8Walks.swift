// Armv8: what walks of memory management units find, and what barriers and invalidations promise.

import GracewalkSupport

extension Machine {
  /// Which of the entry's visible stores a walk's read may find now, the newest first.
  ///
  /// An old valid entry may be found as long as no barrier has made sure of the newer one. An old
  /// entry that faults is found where the feature FEAT_ETS2 does not forbid it; without that
  /// feature, `missesUpdate` has the rule.
  func walkReadings(_ action: Action, by cpu: Int) -> Readings {
    var list = Readings()
    let unit = translation.unitOfCPU[cpu]
    let newest = max(order.words.count(of: action.cell) - 1, 0)
    if mustRestart(cpu) {
      list.insert(.visible(newest))
      return list
    }
    let waits = waitsToFault(by: cpu)
    if newest == 0 {
      if !waits || !faults(memory[action.cell], action) { list.insert(.visible(0)) }
      return list
    }
    let places = order.readable(
      byWalksOf: unit, action.cell, after: order.walks[unit].sources[action.lifetime])
    for place in places {
      let value = order.store(action.cell, place, otherwise: memory[action.cell]).value
      let isFound =
        !faults(value, action)
        || !waits && (place == newest || mayFaultLate(place, action, by: cpu))
      if isFound { list.insert(.visible(place)) }
    }
    return list
  }

  /// True if a walk that faults waits: with FEAT_ETS2, until the stores before it are visible.
  private func waitsToFault(by cpu: Int) -> Bool {
    features.enhancedTranslationSynchronisation && isOrdered(cpu)
      && order.cpus[cpu].hasPendingStore
  }

  /// True if a walk may fault on an entry that has been replaced.
  private func mayFaultLate(_ place: Int, _ action: Action, by cpu: Int) -> Bool {
    guard features.enhancedTranslationSynchronisation else { return false }
    return !isOrdered(cpu)
      || order.words.store(action.cell, place + 1).time > order.cpus[cpu].everything
  }

  private func faults(_ value: UInt64, _ action: Action) -> Bool {
    let entry = Descriptor(bits: value)
    switch meaning(of: entry, at: action.level) {
    case .table: return false
    case .leaf: return !entry.hasAccessFlag && format.accessFlagRule(features) == .faults
    case .malformed, .notPresent: return true
    }
  }

  /// The entry that a walk finds, by a choice.
  func findEntry(_ action: Action, choosing choice: Int, by cpu: Int) -> Descriptor {
    let unit = translation.unitOfCPU[cpu]
    guard let place = walkReadings(action, by: cpu).place(choice) else {
      fatalError("[internal] a walk finds nothing")
    }
    let newest = max(order.words.count(of: action.cell) - 1, 0)
    let store = order.store(action.cell, place, otherwise: memory[action.cell])
    let entry = Descriptor(bits: store.value)
    if case .table(let id) = meaning(of: entry, at: action.level) {
      changeOrder { order in
        let view = max(order.walks[unit].sources[action.lifetime], store.time)
        order.walks[unit].sources[layout.page(id).base] = view
      }
    }
    if place == newest { return entry }
    if faults(store.value, action) {
      changeOrder { $0.noteMissed(action.cell, place, byWalksOf: unit) }
    } else {
      reportChanged(entry, action, unit, by: cpu)
    }
    return entry
  }

  /// An old entry that is cached now might as well have been cached when the new one was written.
  private func reportChanged(_ old: Descriptor, _ action: Action, _ unit: Int, by cpu: Int) {
    let new = Descriptor(bits: memory[action.cell])
    guard watched.contains(.changedWhileCached), new.isValid, needsBreak(old, new) else { return }
    let owner = CPUSet(translation.units[unit].cpu)
    report(.changedWhileCached, cpu, cell: action.cell, value: owner.bits)
  }

  /// A barrier that waits for all before it: walks see it, too.
  func synchroniseInOrder(by cpu: Int) {
    flushHidden(by: cpu)
    let unit = translation.unitOfCPU[cpu]
    changeOrder { $0.synchronise(cpu, unit: unit < 0 ? nil : unit) }
  }

  /// What an invalidation says about the walks of the units that it covers.
  func invalidateInOrder(_ action: Action, by cpu: Int) {
    for (number, unit) in translation.units.enumerated()
    where unit.mmu.root.id == action.invalidatedRoot
      && (!action.invalidation.isLocal || unit.cpu == cpu)
    {
      let invalidation = action.invalidation
      let isCovered: ((UInt32) -> Bool)? =
        invalidation.address == nil ? nil : { self.covers(invalidation, entry: $0) }
      changeOrder { $0.invalidate(unit: number, by: cpu, of: isCovered) }
    }
  }

  /// True if a walk to one of the addresses of an invalidation reads an entry, in whatever table of
  /// its level.
  private func covers(_ invalidation: TLBInvalidation, entry cell: UInt32) -> Bool {
    guard let address = invalidation.address, let entry = layout.entry(at: cell) else {
      return false
    }
    let published = memory[layout.page(entry.page).base + Layout.publishedOffset]
    guard let level = layout.level(published: published) else { return true }
    guard invalidation.removesLeaf(at: level) || invalidation.removesTable(at: level) else {
      return false
    }
    let span = layout.hardware.span(at: level)
    let first = address / span
    let last = (address + invalidation.count - 1) / span
    let entries = layout.geometry.entries
    return last - first >= entries
      || (first...last).contains { $0 % entries == entry.index }
  }

  /// Notes a store of a CPU to an entry, unless it is to memory that nobody walks.
  func noteStored(_ cell: UInt32, by cpu: Int) {
    guard !translation.units.isEmpty, layout.hardware.pageCells.contains(cell),
      !scenario.omittedRules.contains(.storedEntries)
    else { return }
    changeOrder { $0.noteEntry(cell, by: cpu) }
  }

  /// An update of an entry by hardware is visible at once.
  func noteUpdate(of cell: UInt32, from old: UInt64, to new: UInt64) {
    changeOrder { _ = $0.append(new, to: cell, over: old) }
  }

  /// Notes an update that found another entry than the walk before it: it has read the newest one,
  /// since it is atomic, and walks of its unit do not find the older one again.
  ///
  /// Otherwise a guest could walk, and fail to update, forever.
  func noteFailedUpdate(of cell: UInt32, by cpu: Int) {
    guard !scenario.omittedRules.contains(.failedUpdates) else { return }
    let unit = translation.unitOfCPU[cpu]
    changeOrder { $0.noteRead(cell, byUnit: unit) }
  }

  /// True if no read-modify-write of a CPU keeps the entry to itself.
  func mayUpdateEntry(_ action: Action) -> Bool {
    for cpu in order.cpus.indices where order.cpus[cpu].locks(action.cell) { return false }
    return true
  }

  /// Lets what walks know be put in its canonical form after a step that changes what is cached.
  func noteCacheChange() {
    for unit in order.walks.indices where !order.walks[unit].sources.isEmpty {
      return changeOrder { _ in }
    }
  }

  /// Which units still walk, as a set.
  func unitsInUse() -> UInt64 {
    var inUse: UInt64 = 0
    for unit in translation.units.indices {
      var walks = !isOver(translation.units[unit].cpu)
      if !walks, let walker = translation.walkers[unit] { walks = !isOver(walker) }
      if walks { inUse |= 1 << UInt64(unit) }
    }
    return inUse
  }
}
