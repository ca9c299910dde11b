// The meaning of actions: their effects, when they are enabled, and their results.

import GracewalkExploration
import GracewalkSupport

extension Machine {
  /// True if the action can be taken now.
  func canTake(_ action: Action, by cpu: Int) -> Bool {
    guard storesAllow(action, by: cpu) else { return false }
    guard action.kind.isBlocking else { return !action.kind.isEnd }
    switch action.kind {
    case .access(.drain): return hasStoreToShow(cpu - firstDrainer)
    case .access: return isAwaited(action, by: cpu)
    case .lock(let lock): return canLock(lock, action, by: cpu)
    case .grace(let grace):
      let waiting = grace == .graceEnd ? layout.graceReaders(cpu) : layout.interruptReceivers(cpu)
      return memory[waiting] == 0
    case .callback(.callbackStart):
      let owner = cpus[cpu].callbackOwner
      let next = Int(memory[layout.callbacksStarted(owner)])
      return next < Int(memory[layout.callbacksQueued(owner)])
        && memory[layout.callbackReaders(owner, next)] == 0
    case .callback:
      return (0..<layout.cpuCount).allSatisfy {
        memory[layout.callbacksFinished($0)] >= memory[layout.barrierTarget(cpu, $0)]
      }
    case .finished, .cutOff, .fence, .page, .slab, .context, .choose, .history, .hardware,
      .handOver, .claim, .threw:
      return true  // None of them blocks.
    }
  }

  /// CPUs one of which must step before a disabled action can be taken.
  func enablers(of action: Action, by cpu: Int) -> CPUSet {
    if memoryModel == .sequentialConsistency { return directEnablers(of: action, by: cpu) }
    if memoryModel == .armv8 { return enablersInOrder(of: action, by: cpu) }
    if !storesAllow(action, by: cpu) { return CPUSet(firstDrainer + cpu) }
    if action.kind == .access(.drain) { return CPUSet(cpu - firstDrainer) }
    return withDrainers(directEnablers(of: action, by: cpu))
  }

  func directEnablers(of action: Action, by cpu: Int) -> CPUSet {
    switch action.kind {
    case .lock(.spinLock): return CPUSet(Int(memory[action.cell]) - 1)
    case .lock: return CPUSet(bits: memory[action.cell] & ~Machine.writerBit)
    case .grace(.interruptTaken):
      return CPUSet(CPUSet(bits: memory[layout.interruptReceivers(cpu)]).lowest)
    case .grace: return CPUSet(CPUSet(bits: memory[layout.graceReaders(cpu)]).lowest)
    case .callback(.callbackStart):
      let owner = cpus[cpu].callbackOwner
      let next = Int(memory[layout.callbacksStarted(owner)])
      let isQueued = next < Int(memory[layout.callbacksQueued(owner)])
      guard isQueued else { return CPUSet(owner) }
      return CPUSet(CPUSet(bits: memory[layout.callbackReaders(owner, next)]).lowest)
    case .callback:
      for other in 0..<layout.cpuCount
      where memory[layout.callbacksFinished(other)] < memory[layout.barrierTarget(cpu, other)] {
        return CPUSet(callbackCPUs[other] ?? other)
      }
      return .first(layout.cpuCount)
    case .access, .finished, .cutOff, .fence, .page, .slab, .context, .choose, .history, .hardware,
      .handOver, .claim, .threw:
      return .first(layout.cpuCount)
    }
  }

  /// Performs an enabled action; returns its result.
  ///
  /// The meaning of an action is defined in its family's room.
  func perform(_ action: Action, choosing choice: Int = 0, by cpu: Int) -> UInt64 {
    if action.lifetime != 0, orders == nil || !isEnqueued(action, by: cpu) {
      noteUse(of: action, by: cpu)
    }
    switch memoryModel {
    case .sequentialConsistency: break
    case .totalStoreOrder:
      if isPutInBuffer(action, by: cpu) {
        enqueue(action, by: cpu)
        return 0
      }
    case .armv8:
      if isOrdered(cpu) || action.kind == .access(.drain) {
        return performInOrder(action, choosing: choice, by: cpu)
      }
    }
    return performNow(action, choosing: choice, by: cpu)
  }

  /// Performs an action whose effects are visible at once.
  func performNow(_ action: Action, choosing choice: Int = 0, by cpu: Int) -> UInt64 {
    order(action, by: cpu)
    switch action.kind {
    case .access(let access):
      return performAccess(access, action, choosing: choice, by: cpu)
    case .lock(let lock): return performLocking(lock, action, by: cpu)
    case .grace(let grace): return performGrace(grace, in: domain(of: grace), by: cpu)
    case .callback(let callback): return performCallback(callback, action, by: cpu)
    case .page(let page): return performPage(page, action, by: cpu)
    case .slab(let slab): return performSlab(slab, action, by: cpu)
    case .context(let context): return performContext(context, action, by: cpu)
    case .history(let boundary): return performHistory(boundary, by: cpu)
    case .hardware(let hardware):
      return performHardware(hardware, action, choosing: choice, by: cpu)
    case .handOver: handOver(action, by: cpu)
    case .claim: performClaim(action, by: cpu)
    case .threw: report(.threw, cpu, value: action.errorNumber)
    case .choose: return UInt64(choice)
    case .fence, .finished, .cutOff: break
    }
    return 0
  }

  /// Reports the use of a page that was freed.
  @inline(__always)
  func noteUse(of action: Action, by cpu: Int) {
    if action.kind != .page(.free) && memory[action.lifetime] & 1 == 0
      && !isCancelled(action, by: cpu)
    {
      report(.accessAfterFree, cpu, page: action.lifetime, cell: action.cell)
    }
  }

  /// Adds the footprint of an action if it were taken now.
  func addFootprint(of action: Action, by cpu: Int, to footprint: Footprint) {
    if action.lifetime != 0 && action.kind != .page(.free) { footprint.read(action.lifetime) }
    addOrder(of: action, by: cpu, to: footprint)
    if !isDeferred(action, by: cpu) { addFootprintNow(of: action, by: cpu, to: footprint) }
    judged?.extend(footprint, in: layout)
  }

  /// The same for an action whose effects are visible at once.
  func addFootprintNow(of action: Action, by cpu: Int, to footprint: Footprint) {
    switch action.kind {
    case .finished, .cutOff, .threw, .fence, .choose: break
    case .access(let access): addAccess(access, action, by: cpu, to: footprint)
    case .lock(let lock): addLocking(lock, action, by: cpu, to: footprint)
    case .grace(let grace): addGrace(grace, action, in: domain(of: grace), by: cpu, to: footprint)
    case .callback(let callback): addCallback(callback, by: cpu, to: footprint)
    case .page(let page): addPage(page, action, by: cpu, to: footprint)
    case .slab(let slab): addSlab(slab, action, to: footprint)
    case .context(let context): addContext(context, action, to: footprint)
    case .history(let boundary): addHistory(boundary, by: cpu, to: footprint)
    case .hardware(let hardware): addHardware(hardware, action, by: cpu, to: footprint)
    case .handOver: addHandOver(action, to: footprint)
    case .claim: addClaim(action, to: footprint)
    }
  }

  /// Adds what an action could touch after steps of others.
  func addPotentialFootprint(of action: Action, by cpu: Int, to footprint: Footprint) {
    addFootprint(of: action, by: cpu, to: footprint)
    addPotentialOrder(of: action, by: cpu, to: footprint)
    if !isDeferred(action, by: cpu) { addPotentialNow(of: action, by: cpu, to: footprint) }
    judged?.extend(footprint, in: layout)
  }

  /// The same for an action whose effects are visible at once.
  func addPotentialNow(of action: Action, by cpu: Int, to footprint: Footprint) {
    switch action.kind {
    case .access(let access): addPotentialAccess(access, action, by: cpu, to: footprint)
    case .lock(let lock): addPotentialLocking(lock, action, by: cpu, to: footprint)
    case .page(.free): addAllReaders(footprint)
    case .slab(let slab): addPotentialSlab(slab, action, to: footprint)
    case .hardware(.guestAccess): addPotentialAccess(action, by: cpu, to: footprint)
    case .handOver: addPotentialHandOver(to: footprint)
    case .claim: addPotentialClaim(action, to: footprint)
    // The potential footprint of the rest equals the present one.
    case .page(.allocate), .page(.publish): break
    case .hardware(.walkStart), .hardware(.walkRead), .hardware(.walkUpdate), .hardware(.evict),
      .hardware(.tlbi), .hardware(.tlbInvalidate), .hardware(.dsb), .hardware(.settle):
      break
    case .finished, .cutOff, .fence, .grace, .callback, .context, .choose, .history, .threw: break
    }
  }

  /// True if the footprint of an action does not depend on steps of others.
  func hasFixedFootprint(_ action: Action) -> Bool {
    switch action.kind {
    case .access(let access): hasFixedFootprint(access, action)
    case .lock(let lock): hasFixedFootprint(lock)
    case .callback(.call), .callback(.callbackStart): false
    case .callback(.callbackEnd), .callback(.barrierStart), .callback(.barrierEnd): true
    case .page(.free): false
    case .page(.allocate), .page(.publish): true
    case .slab: false
    case .hardware(.guestAccess): false
    case .hardware(.walkStart), .hardware(.walkRead), .hardware(.walkUpdate), .hardware(.evict),
      .hardware(.tlbi), .hardware(.tlbInvalidate), .hardware(.dsb), .hardware(.settle):
      true
    case .handOver: !watched.contains(.frameGivenWhileMapped)
    case .claim: !watched.contains(.claimBroken)
    case .finished, .cutOff, .fence, .grace, .context, .choose, .history, .threw: true
    }
  }

  /// True if no other CPU can observe the action, so that it needs no scheduling point.
  ///
  /// Invariant: this depends only on the CPU's own history, since only the owner of a page can
  /// publish it. So the answer is the same whenever the node is reached.
  func isLocal(_ action: Action, _ cpu: Int) -> Bool {
    switch action.kind {
    case .fence: return isLocalFence(action)
    case .hardware(.dsb): return isLocalFence(action)
    case .threw, .page(.publish), .hardware(.tlbi): return true
    case .page(.allocate): return !scenario.tracksPages
    case .page(.free): if scenario.tracksPages { return false }
    case .hardware(.settle):
      guard let id = layout.pageID(at: action.cell) else { return false }
      return memory[layout.page(id).base + Layout.publishedOffset] == 0
    case .hardware(.guestAccess), .hardware(.walkStart), .hardware(.walkRead),
      .hardware(.walkUpdate), .hardware(.evict), .hardware(.tlbInvalidate):
      break
    case .finished, .cutOff, .access, .lock, .grace, .callback, .slab, .context, .choose,
      .history, .handOver, .claim:
      break
    }
    guard action.lifetime != 0, let id = layout.pageID(at: action.lifetime),
      memory[action.lifetime + Layout.publishedOffset] == 0
    else { return isEnqueued(action, by: cpu) }
    if layout.owner(ofPage: id) != cpu {
      let page = name(ofPage: id)
      let isWild = memory[action.lifetime] == 0
      fail(isWild ? .wildPointer(cpu: cpu, page: page) : .unpublished(cpu: cpu, page: page))
    }
    return true
  }

  func report(
    _ kind: EventKinds, _ cpu: Int, page: UInt32 = 0, cell: UInt32 = 0, value: UInt64 = 0
  ) {
    guard watched.contains(kind) else { return }
    let id = page == 0 ? -1 : layout.pageID(at: page) ?? -1
    events.append(Event(kind: kind, cpu: cpu, page: id, cell: cell, value: value))
  }
}
