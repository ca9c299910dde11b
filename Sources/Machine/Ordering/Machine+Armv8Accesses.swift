// Armv8: loads that choose among visible stores, and stores that become visible later.

import GracewalkExploration
import GracewalkSupport

extension Machine {
  /// True for a load that is an acquire.
  ///
  /// A dereference is none: what it orders are accesses through the address that it finds.
  func acquiresInOrder(_ action: Action) -> Bool {
    action.ordering.acquires && !(action.kind == .access(.load) && action.isDereference)
  }

  private func isFull(_ action: Action) -> Bool {
    action.ordering == .acquireRelease || action.ordering == .sequentiallyConsistent
  }

  /// The object that stands for all words whose address is known from the same value.
  private func source(_ action: Action) -> UInt32 { action.lifetime }

  private func viewBefore(_ action: Action, by cpu: Int) -> View {
    order.viewBeforeLoad(
      by: cpu, address: action.lifetime == 0 ? 0 : order.cpus[cpu].sources[source(action)],
      acquiresInOrder: acquiresInOrder(action))
  }

  /// What an access may do now: the newest value first.
  func readings(of action: Action, by cpu: Int) -> Readings {
    var list = Readings()
    guard case .access(let access) = action.kind else { return list }
    let pending = order.cpus[cpu].newestPending(action.cell)
    let newest = pending.map { order.cpus[cpu].buffer[$0].value } ?? memory[action.cell]
    let isUpdate = access != .load && access != .wait
    if isUpdate, written(by: access, action, over: newest) != nil,
      mayUpdate(action, by: cpu)
    {
      list.insert(.update)
    }
    if acquiresInOrder(action), order.cpus[cpu].hasPendingRelease { return list }
    func mayRead(_ value: UInt64) -> Bool {
      switch access {
      case .load: true
      case .wait: (value & action.mask == action.awaited) != action.awaitsDifference
      case .store, .compareExchange, .exchange, .fetchAdd, .incrementUnlessZero, .update, .drain:
        written(by: access, action, over: value) == nil
      }
    }
    if pending != nil {
      if mayRead(newest) { list.insert(.own) }
      return list
    }
    let view = viewBefore(action, by: cpu)
    for place in order.readable(action.cell, by: cpu, after: view)
    where mayRead(order.store(action.cell, place, otherwise: newest).value) {
      list.insert(.visible(place))
    }
    return list
  }

  private func mayUpdate(_ action: Action, by cpu: Int) -> Bool {
    guard
      order.mayUpdate(
        action.cell, acquiresInOrder: acquiresInOrder(action), isFull: isFull(action), by: cpu)
    else { return false }
    if action.ordering != .release { return true }
    var entry = PendingEntry(kind: .store, number: action.cell)
    entry.isRelease = true
    entry.isLocking = true
    return order.mayRelease(entry, by: cpu)
  }

  /// The value that a read-modify-write stores; nil if it leaves the word as it is.
  private func written(
    by access: Action.Access, _ action: Action, over old: UInt64
  ) -> UInt64? {
    switch access {
    case .compareExchange: old == action.expected ? action.desired : nil
    case .exchange: action.stored
    case .fetchAdd, .incrementUnlessZero, .update: arithmetic(access, action, on: old)
    case .load, .wait, .store, .drain: nil
    }
  }

  func accessInOrder(
    _ access: Action.Access, _ action: Action, choosing choice: Int, by cpu: Int
  ) -> UInt64 {
    if access == .store {
      if action.ordering.releases { flushHidden(by: cpu) }
      var entry = pendingStore(action.stored, action, by: cpu)
      entry.isRelease = action.ordering.releases
      entry.isRecent = action.isLocal
      put(entry, by: cpu)
      return 0
    }
    if access == .load, action.isDereference { noteDereference(action, by: cpu) }
    let reading = readings(of: action, by: cpu)[choice]
    let before = viewBefore(action, by: cpu)
    let acquires = acquiresInOrder(action)
    let value: UInt64
    let view: View
    if let pending = order.cpus[cpu].newestPending(action.cell) {
      value = order.cpus[cpu].buffer[pending].value
      view = order.readPending(pending, after: before, acquires: acquires, by: cpu).view
    } else {
      var place = 0
      if case .visible(let number) = reading {
        place = number
      } else {
        place = max(order.words.count(of: action.cell) - 1, 0)
      }
      let store = order.store(action.cell, place, otherwise: memory[action.cell])
      value = store.value
      view = changeOrder {
        $0.readVisible(action.cell, store, after: before, acquires: acquires, by: cpu).view
      }
    }
    changeOrder { $0.noteLoad(view, acquires: acquires, by: cpu) }
    if isNewest(reading, of: action.cell) { hear(action, by: cpu) }
    noteSource(of: value, action, view, by: cpu)
    if reading == .update, let new = written(by: access, action, over: value) {
      checkArithmetic(access, action, from: value, to: new, by: cpu)
      update(action, to: new, view, by: cpu)
      if access == .incrementUnlessZero { return 1 }
    }
    return value
  }

  /// True if an action, or a walk, reads an old value by a choice.
  func readsOld(_ action: Action, choosing choice: Int, by cpu: Int) -> Bool {
    if action.isLocal { return false }
    switch action.kind {
    case .access(.store), .access(.drain): return false
    case .access:
      guard isOrdered(cpu), case .visible(let place) = readings(of: action, by: cpu)[choice] else {
        return false
      }
      return place + 1 < order.words.count(of: action.cell)
    case .hardware(.walkRead):
      guard let place = walkReadings(action, by: cpu).place(choice) else { return false }
      return place + 1 < order.words.count(of: action.cell)
    case .finished, .cutOff, .fence, .lock, .grace, .callback, .page, .slab, .context, .choose,
      .history, .hardware, .handOver, .claim, .threw:
      return false
    }
  }

  private func isNewest(_ reading: Reading, of cell: UInt32) -> Bool {
    switch reading {
    case .visible(let place): place >= order.words.count(of: cell) - 1
    case .update: true
    case .own: false
    }
  }

  /// A value that is an address makes accesses there depend on the load.
  private func noteSource(of value: UInt64, _ action: Action, _ view: View, by cpu: Int) {
    guard
      let page = linkedPage(by: value) ?? layout.space.entry(atAddress: value & ~3)?.page
    else { return }
    let isPlain =
      action.kind == .access(.load)
      && (action.isPlain || action.isDereference && action.ordering == .relaxed)
    changeOrder { $0.cpus[cpu].sources[layout.page(page).base] = isPlain ? 0 : view }
  }

  private func pendingStore(_ value: UInt64, _ action: Action, by cpu: Int) -> PendingEntry {
    var entry = PendingEntry(kind: .store, number: action.cell)
    entry.value = value
    entry.lifetime = action.lifetime
    if action.lifetime != 0 { entry.view = order.cpus[cpu].sources[source(action)] }
    return entry
  }

  private func update(_ action: Action, to new: UInt64, _ view: View, by cpu: Int) {
    if isFull(action) {
      flushHidden(by: cpu)
      let old = memory[action.cell]
      changeOrder { $0.storeAtOnce(new, to: action.cell, over: old, by: cpu) }
      noteStored(action.cell, by: cpu)
      write(new, to: action.cell, by: cpu)
      tell(action, by: cpu)
      return
    }
    if action.ordering == .release { flushHidden(by: cpu) }
    var entry = pendingStore(new, action, by: cpu)
    entry.isRelease = action.ordering == .release
    entry.isLocking = true
    entry.readView = view
    if action.kind != .access(.exchange), action.kind != .access(.compareExchange) {
      entry.view = max(entry.view, view)
    }
    put(entry, by: cpu)
  }

  // MARK: Memory that nobody else can reach

  // What a CPU writes to a page before it links it is in its buffer, too, but no step makes it
  // visible: nobody could tell. It becomes visible at once where the code orders it before what
  // follows. What has not been ordered when the page is linked are stores like any others.

  func accessHidden(_ access: Action.Access, _ action: Action, by cpu: Int) -> UInt64 {
    if access == .load, action.isDereference { noteDereference(action, by: cpu) }
    let pending = order.cpus[cpu].newestPending(action.cell)
    let old = pending.map { order.cpus[cpu].buffer[$0].value } ?? memory[action.cell]
    let new = access == .store ? action.stored : written(by: access, action, over: old)
    if let new {
      checkArithmetic(access, action, from: old, to: new, by: cpu)
      if let pending {
        changeOrder { $0.cpus[cpu].buffer[pending].value = new }
      } else {
        var entry = pendingStore(new, action, by: cpu)
        entry.isHidden = true
        put(entry, by: cpu)
      }
      if access == .store { return 0 }
    }
    return access == .incrementUnlessZero ? (new == nil ? 0 : 1) : old
  }

  /// Makes visible what nobody else can reach; there is nothing to be seen of that.
  ///
  /// Whoever comes to the page later depends on the link to it, and so cannot miss what was there
  /// before. Only plain code can: for that the old values are kept.
  func flushHidden(by cpu: Int) {
    guard let orders, order.cpus[cpu].hasHidden else { return }
    changeOrder { order in
      orders.hidden.removeAll()
      for index in order.cpus[cpu].buffer.indices where order.cpus[cpu].buffer[index].isHidden {
        orders.hidden.append(order.cpus[cpu].buffer[index])
      }
      order.cpus[cpu].buffer.removeAll { $0.isHidden }
    }
    for index in orders.hidden.indices {
      let entry = orders.hidden[index]
      if scenario.readsPlainly {
        let old = memory[entry.number]
        changeOrder { order in
          let time = order.append(entry.value, to: entry.number, over: old)
          order.noteVisible(entry, at: time, by: cpu)
        }
      }
      write(entry.value, to: entry.number, by: cpu)
    }
  }

  /// From the link to a page on, what is pending for it is seen by others, and so is what is
  /// pending for the pages below it.
  func revealHidden(of cpu: Int) {
    var isChanged = true
    while isChanged {
      isChanged = false
      for index in order.cpus[cpu].buffer.indices where order.cpus[cpu].buffer[index].isHidden {
        let entry = order.cpus[cpu].buffer[index]
        if memory[entry.lifetime + Layout.publishedOffset] == 0 { continue }
        changeOrder { $0.cpus[cpu].buffer[index].isHidden = false }
        publishLinked(by: entry.value, in: entry.number, cpu)
        isChanged = true
      }
    }
  }

  // MARK: Buffers

  /// True for a store that only its CPU notices as long as it is pending, so that it needs no
  /// scheduling point.
  ///
  /// Whether a page can be reached by others is decided by the CPU's own history as long as it
  /// cannot.
  func isEnqueued(_ action: Action, by cpu: Int) -> Bool {
    guard memoryModel == .armv8, action.kind == .access(.store), isOrdered(cpu) else {
      return false
    }
    return action.lifetime == 0 || memory[action.lifetime + Layout.publishedOffset] != 0
  }

  /// From the CPU's next step on, its stores before that come before whatever reaches it from
  /// outside.
  func settleEnqueued(by cpu: Int) {
    guard isOrdered(cpu), order.cpus[cpu].hasRecent else { return }
    changeOrder { order in
      for index in order.cpus[cpu].buffer.indices { order.cpus[cpu].buffer[index].isRecent = false }
    }
  }

  /// Puts an entry in a CPU's buffer; it leaves at once if nothing has to come before it.
  private func put(_ entry: PendingEntry, by cpu: Int) {
    guard entry.isHidden || order.cpus[cpu].pendingCount < StoreOrder.entriesMax else {
      fail(
        .cap(
          "\(name(ofCPU: cpu)) has more than \(StoreOrder.entriesMax) stores that are not visible "
            + "yet; let it store less between fences"))
      return
    }
    changeOrder { $0.cpus[cpu].buffer.append(entry) }
    if entry.kind == .store, !entry.isHidden {
      publishLinked(by: entry.value, in: entry.number, cpu)
      revealHidden(of: cpu)
    }
    passLeading(of: cpu)
  }

  /// Puts something in the buffer that others notice when all stores before it are visible.
  func put(effect action: Action, by cpu: Int) {
    guard let number = Machine.effects.firstIndex(of: action.kind) else { return }
    var entry = PendingEntry(kind: .effect, number: action.cell)
    entry.effect = UInt8(number)
    entry.isRelease = true
    entry.lifetime = action.lifetime
    entry.value = action.operands.first
    entry.operand = action.operands.second
    put(entry, by: cpu)
  }

  func putSectionEnd(_ entry: PendingEntry, by cpu: Int) { put(entry, by: cpu) }

  /// What others notice when all stores before it are visible, by the numbers of effects.
  private static let effects: [Action.Kind] = [
    .lock(.spinUnlock), .lock(.readUnlock), .lock(.writeUnlock), .page(.free), .handOver,
  ]

  func deferredAction(_ entry: PendingEntry) -> Action {
    var action = Action(Machine.effects[Int(entry.effect)])
    action.cell = entry.number
    action.lifetime = entry.lifetime
    action.operands = (entry.value, entry.operand, false)
    return action
  }

  /// Lets marks and effects leave the buffer that no store has to come before.
  private func passLeading(of cpu: Int) {
    while let index = order.cpus[cpu].firstPending {
      let entry = order.cpus[cpu].buffer[index]
      if entry.kind == .store { return }
      changeOrder { $0.cpus[cpu].buffer.remove(at: index) }
      switch entry.kind {
      case .store, .barrier: break
      case .sectionEnd:
        passMark(
          GraceDomain(number: UInt64(entry.number)), entry.waiters, entry.callbacks, cpu)
      case .effect:
        let action = deferredAction(entry)
        changeOrder { order in
          order.cpus[cpu].releases = order.now
          if case .lock = action.kind { order.locks[entry.number] = order.now }
        }
        _ = performNow(action, by: cpu)
      }
    }
  }

  /// Makes one of the stores visible that may become so next.
  func makeVisible(_ choice: Int, of cpu: Int) {
    let index = flushable(choice, of: cpu)
    let cell = order.cpus[cpu].buffer[index].number
    let old = memory[cell]
    let entry = changeOrder { order in
      // Its CPU has come as far: what reaches it from outside comes behind the stores before it.
      for place in 0..<index where !scenario.omittedRules.contains(.earlierStores) {
        order.cpus[cpu].buffer[place].isRecent = false
      }
      return order.flush(index, of: cpu, over: old)
    }
    noteStored(cell, by: cpu)
    if entry.lifetime != 0 {
      var store = Action(.access(.store))
      (store.cell, store.lifetime) = (entry.number, entry.lifetime)
      noteUse(of: store, by: cpu)
    }
    write(entry.value, to: entry.number, by: cpu)
    if followsWords {
      var store = Action(.access(.store))
      (store.cell, store.ordering) = (entry.number, entry.isRelease ? .release : .relaxed)
      tell(store, by: cpu)
    }
    passLeading(of: cpu)
  }
}
