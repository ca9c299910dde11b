// Footprints under Armv8: an object for what each CPU knows and has pending, and one for the order.

import GracewalkExploration
import GracewalkSupport

extension Machine {
  /// What a CPU has pending, and what it knows because of its stores.
  private func buffer(of cpu: Int) -> UInt32 { layout.pending(cpu, 0) }

  /// What it knows because of its loads.
  private func views(of cpu: Int) -> UInt32 { layout.pending(cpu, 1) }

  /// The grace periods that are in progress, and what those know that have ended.
  private var gracePeriods: UInt32 { layout.pending(0, 2) }

  /// Writes the order of stores, unless a test leaves that out.
  private func addOrder(_ footprint: Footprint, because rule: OmittedRules) {
    if !scenario.omittedRules.contains(rule) { footprint.write(layout.orderName) }
  }

  /// Adds what an action touches of the order, and all of it for stores and for what makes them
  /// visible.
  ///
  /// Loads of one word are reads of it, whatever they find. Two stores that become visible one
  /// after the other never commute, since their order is part of the state; and neither does a
  /// store with what notes how many are visible by now.
  func addOrdered(_ action: Action, by cpu: Int, to footprint: Footprint) {
    if action.isLocal { return }
    if action.kind == .access(.drain) {
      let owner = cpu - firstDrainer
      return addVisible(of: owner, footprint)
    }
    if case .hardware(let hardware) = action.kind {
      return addOrderedHardware(hardware, action, by: cpu, to: footprint)
    }
    guard isOrdered(cpu) else { return }
    switch action.kind {
    case .finished, .cutOff: return
    // Fences that follow as local actions belong to the step, too.
    case .choose, .history, .claim, .threw: break
    case .access(.load), .access(.wait), .access(.store), .access(.drain), .fence: break
    case .access: addUpdate(action, by: cpu, to: footprint)
    case .lock(let lock): addOrdered(lock, by: cpu, to: footprint)
    case .page(.allocate), .page(.publish): footprint.write(layout.orderName)
    // It is noticed with the stores before it, if there are any.
    case .page(.free), .handOver:
      if !order.cpus[cpu].hasPendingStore { addOrder(footprint, because: .promptReleases) }
    case .hardware: break
    case .grace(.sectionEnter), .grace(.maskInterrupts): footprint.read(gracePeriods)
    // The word of the section stands for those that wait for its end.
    case .grace(.sectionLeave), .grace(.unmaskInterrupts): break
    case .grace, .callback, .slab, .context: addAllViews(footprint)
    }
    footprint.write(views(of: cpu))
    if !leavesBuffer(action, by: cpu) { footprint.write(buffer(of: cpu)) }
    // What the CPU has written to pages of its own becomes visible with some later action.
    if scenario.readsPlainly { footprint.write(layout.orderName) }
  }

  private func addUpdate(_ action: Action, by cpu: Int, to footprint: Footprint) {
    footprint.write(action.cell)
    switch action.ordering {
    case .relaxed, .acquire: break
    case .release: if order.cpus[cpu].hasPendingStore { addCycles(footprint) }
    case .acquireRelease, .sequentiallyConsistent: addOrder(footprint, because: .fullUpdates)
    }
  }

  private func addOrdered(_ lock: Action.Locking, by cpu: Int, to footprint: Footprint) {
    switch lock {
    // The word of the lock stands for what its holders have seen.
    case .spinLock, .trySpinLock, .writeLock, .tryWriteLock: break
    case .readLock, .tryReadLock, .readUnlock, .downgrade: addOrder(footprint, because: .readers)
    case .spinUnlock, .writeUnlock:
      if !order.cpus[cpu].hasPendingStore { addOrder(footprint, because: .promptReleases) }
    }
  }

  /// What walks find, and which old entries nobody finds any more, concerns everybody.
  private func addOrderedHardware(
    _ hardware: Action.Hardware, _ action: Action, by cpu: Int, to footprint: Footprint
  ) {
    switch hardware {
    case .dsb:
      addAllViews(footprint)
      for unit in translation.units.indices { footprint.write(layout.hardware.object(unit)) }
    case .walkRead, .walkUpdate, .walkStart, .evict, .tlbInvalidate: addAllViews(footprint)
    case .guestAccess, .tlbi, .settle:
      guard isOrdered(cpu) else { return }
      footprint.write(views(of: cpu))
      footprint.write(buffer(of: cpu))
    }
  }

  /// Adds everything that is ordered.
  private func addAllViews(_ footprint: Footprint) {
    footprint.write(layout.orderName)
    footprint.write(gracePeriods)
    for other in 0..<layout.bufferedCPUs {
      footprint.write(views(of: other))
      footprint.write(buffer(of: other))
    }
  }

  /// Adds what decides whether stores must become visible before each other in a circle.
  private func addCycles(_ footprint: Footprint) {
    if scenario.omittedRules.contains(.circles) { return }
    for other in 0..<layout.bufferedCPUs { footprint.read(buffer(of: other)) }
  }

  /// Adds stores that become visible, with all that may follow them out of the buffer.
  ///
  /// The ends of sections are noticed by those that wait for them, whose steps touch all buffers.
  private func addVisible(of owner: Int, _ footprint: Footprint) {
    footprint.write(buffer(of: owner))
    let count = flushableCount(of: owner)
    if count == 0 { return }
    addOrder(footprint, because: .visibility)
    for choice in 0..<count {
      let entry = order.cpus[owner].buffer[flushable(choice, of: owner)]
      if entry.lifetime != 0 { footprint.read(entry.lifetime) }
      addWrite(of: entry.value, to: entry.number, footprint)
    }
    if order.mayCloseCycle(of: owner) { addCycles(footprint) }
    for index in order.cpus[owner].buffer.indices
    where order.cpus[owner].buffer[index].kind == .effect {
      let action = deferredAction(order.cpus[owner].buffer[index])
      addFootprintNow(of: action, by: owner, to: footprint)
    }
  }

  /// Adds what it could touch after steps of others.
  func addPotentialOrdered(_ action: Action, by cpu: Int, to footprint: Footprint) {
    switch action.kind {
    case .access(.drain): addPotentialVisible(of: cpu - firstDrainer, footprint)
    case .lock(.spinUnlock), .lock(.writeUnlock), .page(.free), .handOver:
      if isOrdered(cpu), !action.isLocal { addOrder(footprint, because: .promptReleases) }
    case .finished, .cutOff, .access, .fence, .lock, .grace, .callback, .page, .slab, .context,
      .choose, .history, .hardware, .claim, .threw:
      break
    }
  }

  private func addPotentialVisible(of owner: Int, _ footprint: Footprint) {
    if order.cpus[owner].hasVisiblePending { addOrder(footprint, because: .visibility) }
    if order.mayCloseCycle(of: owner) { addCycles(footprint) }
    for index in order.cpus[owner].buffer.indices {
      let entry = order.cpus[owner].buffer[index]
      switch entry.kind {
      case .store:
        if entry.lifetime != 0 { footprint.read(entry.lifetime) }
        addWrite(of: entry.value, to: entry.number, footprint)
        addUnlink(from: entry.number, footprint)
        if !layout.isNamed(entry.number) { addPotentialRelink(of: entry.value, to: footprint) }
      case .effect: addPotentialNow(of: deferredAction(entry), by: owner, to: footprint)
      case .barrier, .sectionEnd: break
      }
    }
  }

  /// True if `addOrdered` has the whole footprint of an action.
  func isOrderedAlone(_ action: Action, by cpu: Int) -> Bool {
    if action.isLocal { return false }
    return action.kind == .access(.drain) || isOrdered(cpu) && action.kind == .access(.store)
  }

  // MARK: What lets a step be taken

  /// CPUs one of which must step before a disabled action can be taken.
  func enablersInOrder(of action: Action, by cpu: Int) -> CPUSet {
    let all = CPUSet.first(layout.cpuCount)
    if action.kind == .access(.drain) {
      let owner = cpu - firstDrainer
      // With something in the buffer, what it waits for may be up to others.
      return order.cpus[owner].hasPendingStore ? all : CPUSet(owner)
    }
    guard isOrdered(cpu) else { return all }
    let own = CPUSet(firstDrainer + cpu)
    if mayRepeat, !hasRoom(cpu) { return own }
    switch action.kind {
    case .access:
      return acquiresInOrder(action) && order.cpus[cpu].hasPendingRelease ? own : all
    case .hardware(.dsb), .fence: return own
    case .lock, .grace, .callback:
      return orderAllows(action, by: cpu)
        ? withDrainers(directEnablers(of: action, by: cpu)) : own
    case .page, .slab, .context: return own
    case .finished, .cutOff, .choose, .history, .hardware, .handOver, .claim, .threw: return all
    }
  }
}
