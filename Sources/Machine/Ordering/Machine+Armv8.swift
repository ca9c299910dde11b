// Armv8: what actions do to the order of stores, and what CPUs know of it.

import GracewalkExploration
import GracewalkSupport

extension Machine {
  // MARK: The order

  /// The order of stores, under Armv8.
  var order: StoreOrder {
    _read {
      guard let orders else { fatalError("[internal] only Armv8 has an order of stores") }
      orders.find(memory[layout.orderName])
      yield orders.present
    }
  }

  /// The number of pending stores of a CPU that may become visible next.
  func flushableCount(of cpu: Int) -> Int {
    guard let orders else { return 0 }
    orders.find(memory[layout.orderName])
    return orders.flushableCount(of: cpu)
  }

  /// The place of one of them in its buffer.
  func flushable(_ choice: Int, of cpu: Int) -> Int {
    guard let orders else { fatalError("[internal] only Armv8 has an order of stores") }
    orders.find(memory[layout.orderName])
    return orders.flushable(choice, of: cpu)
  }

  func changeOrder<Result>(_ body: (inout StoreOrder) -> Result) -> Result {
    guard let orders else { fatalError("[internal] only Armv8 has an order of stores") }
    return orders.change(named: memory[layout.orderName], body)
  }

  /// True if a CPU has nothing left to do, and will never have.
  func isOver(_ cpu: Int) -> Bool {
    guard positions[cpu] >= 0 else { return false }
    if node(of: cpu).pointee.action.kind.isEnd { return true }
    let owner = cpus[cpu].callbackOwner
    return owner != cpu && node(of: cpu).pointee.action.kind == .callback(.callbackStart)
      && node(of: owner).pointee.action.kind.isEnd
      && memory[layout.callbacksStarted(owner)] == memory[layout.callbacksQueued(owner)]
  }

  /// Puts the order in its canonical form and names it, after a step.
  ///
  /// - Parameters:
  ///   - cpu: the CPU that has stepped; nil at the start.
  ///   - node: where that was before.
  func closeOrder(after cpu: Int?, from node: LocalStates.Index = LocalStates.none) {
    guard let orders else { return }
    guard failure == nil else { return orders.abandon() }
    // What somebody knew makes no difference any more when nobody is left to use it.
    let hasEnded = cpu.map { $0 < firstDrainer && isOver($0) } ?? true
    if hasEnded { flushHiddenOfEnded() }
    guard orders.isOpen || hasEnded || cpu.map({ changesUse($0, from: node) }) ?? false else {
      return
    }
    for cpu in 0..<layout.bufferedCPUs { noteFutureUse(of: cpu, orders) }
    let inUse = unitsInUse()
    func isWalked(_ unit: Int, _ word: UInt32) -> Bool {
      inUse & 1 << UInt64(unit) != 0 && layout.hardware.pageCells.contains(word)
    }
    let hasGracePeriods = foreseen?.hasGracePeriods ?? true
    // Sorting goes by the numbers of words, and so would tell identical CPUs apart.
    let sortsStores =
      permutations.count == 1 && !scenario.omittedRules.contains(.independence)
    let hasMetCap = changeOrder { order in
      if !hasGracePeriods { order.forgetSectionEnds() }
      if foreseen?.hasInterrupts ?? true { noteEnded(in: &order) }
      if mayRepeat, order.limitValues(to: StoreOrder.repeatedValuesMax) { self.hasMetCap = true }
      var isChanged = true
      // What is dropped may make more views say the same, and these more stores unreadable.
      while isChanged {
        let count = order.words.entries.count
        for cpu in order.cpus.indices {
          order.cutViews(of: cpu, orders.uses[cpu], hasGracePeriods: true)
        }
        order.cutWalks({ inUse & 1 << UInt64($0) != 0 }) { unit, table in
          layout.pageID(at: table).map { refers(unit, to: $0) } ?? false
        }
        order.dropUnreadableStores(orders.uses, isWalked: isWalked)
        isChanged = order.rankTimes(&orders.ranks)
        order.forgetSettledWords(
          orders.uses, isUsed: { inUse & 1 << UInt64($0) != 0 }, isWalked: isWalked)
        isChanged = isChanged || order.words.entries.count != count
        if sortsStores, orders.sorter.sort(&order, orders.uses) { isChanged = true }
      }
      return order.hasMetCap
    }
    memory[layout.orderName] = orders.close()
    if hasMetCap {
      fail(
        .cap(
          "a word has more than \(StoreOrder.entriesMax) values that some CPU may still read; let "
            + "CPUs synchronise more often"))
    }
    if orders.hasCollision {
      fail(.collision("two orders of stores have one 64-bit hash: states cannot be told apart"))
    }
  }

  /// Keeps what is known to CPUs that have ended for those that interrupt them: all else of it will
  /// be forgotten.
  private func noteEnded(in order: inout StoreOrder) {
    if scenario.omittedRules.contains(.endedCPUs) { return }
    let domain = Int(GraceDomain.interrupts.number)
    for cpu in order.cpus.indices where isOver(cpu) {
      let view = max(order.cpus[cpu].sectionEnds[domain], order.cpus[cpu].everything)
      order.cpus[cpu].sectionEnds[domain] = view
    }
  }

  private func flushHiddenOfEnded() {
    for cpu in 0..<layout.bufferedCPUs where isOver(cpu) { flushHidden(by: cpu) }
  }

  /// True if the model orders what the CPU does; boot code comes before everything.
  func isOrdered(_ cpu: Int) -> Bool { cpu < layout.bufferedCPUs }

  // MARK: When actions can be taken

  /// True if nothing that the model requires stands against an action.
  func orderAllows(_ action: Action, by cpu: Int) -> Bool {
    if action.isLocal { return true }
    if case .hardware(let hardware) = action.kind {
      return hardwareMayStep(hardware, action, by: cpu)
    }
    if !isOrdered(cpu) { return true }
    switch action.kind {
    case .access(.load): return !acquiresInOrder(action) || !order.cpus[cpu].hasPendingRelease
    case .access(.store), .access(.wait), .access(.drain): return true
    case .access: return !readings(of: action, by: cpu).isEmpty
    case .lock(let lock):
      switch lock {
      case .spinLock, .readLock, .writeLock: return !order.cpus[cpu].hasPendingRelease
      case .trySpinLock, .tryReadLock, .tryWriteLock:
        return !isFree(lock, action.cell) || !order.cpus[cpu].hasPendingRelease
      case .downgrade: return !order.cpus[cpu].hasPendingStore
      case .spinUnlock, .readUnlock, .writeUnlock: return true
      }
    case .fence, .grace, .callback, .page, .slab, .context:
      return !waitsForStores(action) || !order.cpus[cpu].hasPendingStore
    case .finished, .cutOff, .choose, .history, .hardware, .handOver, .claim, .threw: return true
    }
  }

  private func hardwareMayStep(
    _ hardware: Action.Hardware, _ action: Action, by cpu: Int
  ) -> Bool {
    switch hardware {
    case .dsb: !isOrdered(cpu) || !order.cpus[cpu].hasPendingStore
    case .walkRead: !walkReadings(action, by: cpu).isEmpty
    case .walkUpdate: mayUpdateEntry(action)
    case .guestAccess, .walkStart, .evict, .tlbi, .tlbInvalidate, .settle: true
    }
  }

  /// True for kinds of actions for which that may not be so.
  func orderMayForbid(_ action: Action) -> Bool {
    switch action.kind {
    case .access(.load): acquiresInOrder(action)
    case .access(.store): false
    case .lock(.spinUnlock), .lock(.readUnlock), .lock(.writeUnlock): false
    case .access, .lock: true
    case .hardware(.walkRead): features.enhancedTranslationSynchronisation
    case .hardware(.walkUpdate): true
    case .fence, .grace, .callback, .page, .slab, .context, .hardware: waitsForStores(action)
    case .finished, .cutOff, .choose, .history, .handOver, .claim, .threw: false
    }
  }

  /// The number of results among which the search chooses.
  func orderChoices(_ action: Action, by cpu: Int) -> Int {
    if action.isLocal { return 1 }
    switch action.kind {
    case .access(.drain): return flushableCount(of: cpu - firstDrainer)
    case .access(.store): return 1
    case .access: return isOrdered(cpu) ? readings(of: action, by: cpu).count : 1
    case .grace(.sectionEnter), .grace(.maskInterrupts):
      return isOrdered(cpu) ? 1 << gracePeriodCount(at: action, by: cpu) : 1
    case .hardware(.walkRead): return max(walkReadings(action, by: cpu).count, 1)
    case .finished, .cutOff, .fence, .lock, .grace, .callback, .page, .slab, .context, .choose,
      .history, .hardware, .handOver, .claim, .threw:
      return 1
    }
  }

  // MARK: What actions do

  /// Performs an action of a CPU whose actions the model orders.
  func performInOrder(_ action: Action, choosing choice: Int, by cpu: Int) -> UInt64 {
    if !action.isLocal { settleEnqueued(by: cpu) }
    switch action.kind {
    case .access(.drain):
      makeVisible(choice, of: cpu - firstDrainer)
      return 0
    case .access(let access):
      return action.isLocal && !isEnqueued(action, by: cpu)
        ? accessHidden(access, action, by: cpu)
        : accessInOrder(access, action, choosing: choice, by: cpu)
    case .fence: fence(action.ordering, by: cpu)
    case .hardware(.dsb): synchroniseInOrder(by: cpu)
    case .hardware(.tlbInvalidate):
      invalidateInOrder(action, by: cpu)
      return performNow(action, by: cpu)
    case .lock(let lock): return lockInOrder(lock, action, by: cpu)
    case .grace(let grace): return graceInOrder(grace, action, choosing: choice, by: cpu)
    case .callback(let callback): return callbackInOrder(callback, action, by: cpu)
    case .page(.free) where action.isLocal:
      flushHidden(by: cpu)
      return performNow(action, by: cpu)
    case .page(.free), .handOver:
      flushHidden(by: cpu)
      put(effect: action, by: cpu)
    case .page(.publish):
      _ = performNow(action, by: cpu)
      revealHidden(of: cpu)
    case .slab, .context, .page(.allocate):
      if !action.isLocal {
        // Modelled as an operation that is ordered against everything.
        flushHidden(by: cpu)
        changeOrder { $0.cpus[cpu].newReads = $0.now }
      }
      return performNow(action, by: cpu)
    case .finished, .cutOff, .choose, .history, .hardware, .claim, .threw:
      return performNow(action, choosing: choice, by: cpu)
    }
    return 0
  }

  private func fence(_ ordering: MemoryOrdering, by cpu: Int) {
    if ordering == .relaxed { return }
    if ordering != .acquire { flushHidden(by: cpu) }
    changeOrder { order in
      if ordering == .sequentiallyConsistent { return order.orderEverything(of: cpu) }
      if ordering.acquires { order.orderLoads(of: cpu) }
      if ordering.releases { order.orderStores(of: cpu) }
    }
  }

  private func lockInOrder(_ lock: Action.Locking, _ action: Action, by cpu: Int) -> UInt64 {
    if action.isLocal { return performNow(action, by: cpu) }
    switch lock {
    case .spinUnlock, .readUnlock, .writeUnlock:
      flushHidden(by: cpu)
      put(effect: action, by: cpu)
      return 0
    case .spinLock, .readLock, .writeLock, .trySpinLock, .tryReadLock, .tryWriteLock, .downgrade:
      let result = performNow(action, by: cpu)
      let isTry = lock == .trySpinLock || lock == .tryReadLock || lock == .tryWriteLock
      if isTry && result == 0 { return result }
      changeOrder { order in
        order.noteLoad(order.locks[action.cell], acquires: true, by: cpu)
        // The holders of a lock that only one may hold come in the order of its releases.
        if lock != .spinLock && lock != .trySpinLock && lock != .writeLock && lock != .tryWriteLock
        {
          order.locks[action.cell] = order.now
        }
        if lock == .downgrade { order.orderEverything(of: cpu) }
      }
      return result
    }
  }
}
