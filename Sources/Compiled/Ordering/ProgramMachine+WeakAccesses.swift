// Weaker memory: loads that choose among stores, and stores that become visible later.

import GracewalkLLVM
import GracewalkMachine
import GracewalkSupport

/// The cell that an access of a request is to, if the memory model orders it.
private struct OrderedCell {
  var record: Int
  var offset: Int
  var cell: UInt32
}

extension Request {
  fileprivate var isStore: Bool { kind == .store }
  fileprivate var isUpdate: Bool {
    kind == .compareExchange || kind == .update || kind == .awaitExchange
  }

  fileprivate var isAtomicAccess: Bool { isAtomic || isUpdate || kind == .awaitLoad }

  /// One instruction that is a barrier both ways.
  fileprivate var isFull: Bool { ordering == .acquireRelease || isSequential }

  fileprivate var isSequential: Bool { ordering == .sequentiallyConsistent }
}

extension ProgramMachine {
  // MARK: Which accesses are ordered

  /// Nil for memory that only one thread can be accessing, if the access orders nothing else
  /// either, and where races are looked for, for plain accesses: what they see is decided by
  /// happens-before.
  private func orderedCell(
    _ request: Request, by cpu: Int, _ weak: WeakMemory
  ) -> OrderedCell? {
    guard let (record, offset) = try? locate(request, request.size),
      !layout.records[record].isConstant, !layout.records[record].isHardware,
      offset + request.size <= layout.records[record].capacity
    else { return nil }
    if request.isAtomicAccess { layout.eachCell(record, offset, request.size) { _ in } }
    let cell = layout.cell(record, offset, request.size)
    guard cell >= 0 else { return nil }
    let isOrdered =
      layout.isShared(cell)
      ? request.isAtomicAccess || !options.findsRaces : ordersOthers(request, weak)
    guard isOrdered || weak.order.cpus[cpu].newestPending(UInt32(cell)) != nil else { return nil }
    return OrderedCell(record: record, offset: offset, cell: UInt32(cell))
  }

  /// Whether an access orders accesses to other memory.
  private func ordersOthers(_ request: Request, _ weak: WeakMemory) -> Bool {
    guard request.isAtomicAccess else { return false }
    return weak.isArm
      ? request.ordering != .relaxed || request.kind == .compareExchange && request.failure.acquires
      : request.isUpdate || request.isStore && request.isSequential
  }

  /// What a thread's next access may do: the newest value first.
  func readings(of cpu: Int) -> [WeakReading] {
    guard let weak else { return [] }
    if let known = weak.readings[cpu] { return known }
    // Recordings take executions that searches have found, so there nothing is left out.
    let found = findReadings(of: cpu, isFiltered: !options.stepsSingly, weak)
    weak.readings[cpu] = found
    return found
  }

  /// - Parameter isFiltered: whether those are left out that lead straight back in a loop.
  func findReadings(of cpu: Int, isFiltered: Bool, _ weak: WeakMemory) -> [WeakReading] {
    let request = point(of: cpu).pointee.request
    guard let place = orderedCell(request, by: cpu, weak) else {
      if request.kind == .awaitLoad || request.kind == .awaitExchange {
        return canStep(cpu) ? [.direct] : []
      }
      return [.direct]
    }
    if request.isStore { return storeReadings(request, by: cpu, weak) }
    let isFiltered = isFiltered && mayWait(request)
    return allReadings(request, place, by: cpu, weak).filter { reading in
      guard isFiltered else { return true }
      let value = self.value(reading, place, by: cpu, weak).value
      if reading == .update, changes(request, value) { return true }
      return deadEnd(cpu, reading: value & mask(request.bits)) == nil
    }
  }

  private func storeReadings(
    _ request: Request, by cpu: Int, _ weak: WeakMemory
  ) -> [WeakReading] {
    // On x86 such a store is an exchange.
    if !weak.isArm, request.isSequential {
      return weak.order.cpus[cpu].hasPendingStore ? [] : [.update]
    }
    return [.store]
  }

  private func allReadings(
    _ request: Request, _ place: OrderedCell, by cpu: Int, _ weak: WeakMemory
  ) -> [WeakReading] {
    var list: [WeakReading] = []
    let known = weak.order.cpus[cpu]
    let pending = known.newestPending(place.cell)
    if request.isUpdate {
      let newest = value(.update, place, by: cpu, weak).value
      if writes(request, over: newest), mayUpdate(request, place, by: cpu, weak) {
        list.append(.update)
      }
      if !weak.isArm, known.hasPendingStore { return list }
    }
    if weak.isArm, loadOrdering(request).acquires, known.hasPendingRelease { return list }
    func mayRead(_ reading: WeakReading) -> Bool {
      let value = self.value(reading, place, by: cpu, weak).value
      if request.kind == .awaitLoad { return request.isMet(by: value) }
      return !request.isUpdate || !writes(request, over: value)
    }
    if pending != nil { return mayRead(.own) ? list + [.own] : list }
    guard weak.isArm else { return mayRead(.visible(0)) ? list + [.visible(0)] : list }
    let before = viewBefore(request, by: cpu, weak)
    for index in weak.order.readable(place.cell, by: cpu, after: before).reversed()
    where mayRead(.visible(index)) {
      list.append(.visible(index))
    }
    return list
  }

  /// The ordering of a load, or of a compare-exchange that fails.
  private func loadOrdering(_ request: Request) -> IROrdering {
    request.kind == .compareExchange ? request.failure : request.ordering
  }

  /// Whether a read-modify-write stores something where it finds a value.
  private func writes(_ request: Request, over old: UInt64) -> Bool {
    switch request.kind {
    case .compareExchange: old == request.a
    case .awaitExchange: request.isMet(by: old)
    default: true
    }
  }

  /// Whether what a read-modify-write stores is another value.
  private func changes(_ request: Request, _ old: UInt64) -> Bool {
    written(request, over: old) & mask(request.size * 8) != old
  }

  private func written(_ request: Request, over old: UInt64) -> UInt64 {
    request.kind == .compareExchange
      ? request.b : Arithmetic.updated(request.update, bits: request.bits, old, request.a)
  }

  private func mayUpdate(
    _ request: Request, _ place: OrderedCell, by cpu: Int, _ weak: WeakMemory
  ) -> Bool {
    guard weak.isArm else { return !weak.order.cpus[cpu].hasPendingStore }
    guard
      weak.order.mayUpdate(
        place.cell, acquiresInOrder: request.ordering.acquires, isFull: request.isFull, by: cpu)
    else { return false }
    guard request.ordering == .release else { return true }
    var entry = PendingEntry(kind: .store, number: place.cell)
    (entry.isRelease, entry.isLocking) = (true, true)
    return weak.order.mayRelease(entry, by: cpu)
  }

  /// Whether a request is part of the step before it; nil if that is as under sequential
  /// consistency.
  func isLocalWeakly(_ request: Request, _ cpu: Int, _ weak: WeakMemory) -> Bool? {
    switch request.kind {
    case .store:
      guard orderedCell(request, by: cpu, weak) != nil else { return nil }
      // What is pending concerns nobody else.
      return storeReadings(request, by: cpu, weak) == [.store]
    case .load, .compareExchange, .update, .awaitLoad, .awaitExchange:
      return orderedCell(request, by: cpu, weak) != nil ? false : nil
    case .fence:
      return !isFullFence(request, weak) || !weak.order.cpus[cpu].hasPendingStore
    // Sections that begin now may be waited for, too.
    case .passGrace: return image.waitsForGrace ? false : nil
    default: return nil
    }
  }

  // MARK: Values and views

  /// What a reading finds, with the number of what was released with it.
  private func value(
    _ reading: WeakReading, _ place: OrderedCell, by cpu: Int, _ weak: WeakMemory
  ) -> (value: UInt64, message: UInt32, isNewest: Bool) {
    let known = weak.order.cpus[cpu]
    let isUpdate = reading == .update
    if isUpdate || reading == .own, let index = known.newestPending(place.cell) {
      return (known.buffer[index].value, known.buffer[index].message, false)
    }
    let stores = weak.order.words[place.cell]
    if case .visible(let index) = reading, index < stores.count - 1 {
      return (stores[index].value, stores[index].message, false)
    }
    let size = layout.cells[Int(place.cell)].size
    return (
      read(place.record, place.offset, size), message(under: Int(place.cell), weak), true
    )
  }

  private func viewBefore(_ request: Request, by cpu: Int, _ weak: WeakMemory) -> View {
    weak.order.viewBeforeLoad(
      by: cpu, address: view(of: dependencies(of: cpu).address, cpu, weak),
      acquiresInOrder: loadOrdering(request).acquires)
  }

  func dependencies(of cpu: Int) -> Dependencies { graph.nodes[node(of: cpu)].state.dependencies }

  /// The join of the views of some registers.
  func view(of tokens: UInt64, _ cpu: Int, _ weak: WeakMemory) -> View {
    var (left, view) = (tokens, View(0))
    while left != 0 {
      let token = left.trailingZeroBitCount
      left &= left - 1
      view = max(view, weak.order.cpus[cpu].sources[UInt32(token)])
    }
    return view
  }

  /// The result of a request depends on what was read.
  private func setResultView(_ view: View, _ cpu: Int, _ weak: WeakMemory) {
    let token = dependencies(of: cpu).result
    guard weak.isArm, token < Dependencies.tokensMax else { return }
    weak.order.cpus[cpu].sources[UInt32(token)] = view
  }

  // MARK: Accesses

  /// Performs an access.
  func accessWeakly(
    _ request: Request, by cpu: Int, choice: Int, _ weak: WeakMemory
  ) throws(Finding) -> Effect {
    guard let place = orderedCell(request, by: cpu, weak) else {
      return try accessDirectly(request, by: cpu, weak)
    }
    if request.isAtomicAccess, place.offset % request.size != 0 {
      throw Finding(
        .misaligned, "an atomic access of \(request.size) bytes at \(name(of: request.address))")
    }
    let readings = readings(of: cpu)
    guard choice < readings.count else {
      // Its memory has turned out to be shared since the thread came here.
      isBroken = true
      return Effect()
    }
    let reading = readings[choice]
    if reading == .store { return try putStore(request, place, by: cpu, weak) }
    if request.isStore {
      try touch(place.record, place.offset, request.size, by: cpu, request, writes: true)
      let message = release(request, continuing: nil, by: cpu, weak)
      change(place, to: request.a, message, weak)
      return Effect(isVisible: true)
    }
    return try read(reading, request, place, by: cpu, weak)
  }

  private func putStore(
    _ request: Request, _ place: OrderedCell, by cpu: Int, _ weak: WeakMemory
  ) throws(Finding) -> Effect {
    _ = try locate(request.address, request.size, writes: true)
    try touch(place.record, place.offset, request.size, by: cpu, request, writes: true)
    var entry = PendingEntry(kind: .store, number: place.cell)
    entry.value = request.a & mask(request.size * 8)
    entry.isRelease = weak.isArm && request.ordering.releases
    entry.message = release(request, continuing: nil, by: cpu, weak)
    if weak.isArm {
      let known = dependencies(of: cpu)
      entry.view = view(of: known.address | known.value, cpu, weak)
    }
    try put(entry, request, by: cpu, weak)
    return Effect(isVisible: true)
  }

  private func put(
    _ entry: PendingEntry, _ request: Request, by cpu: Int, _ weak: WeakMemory
  ) throws(Finding) {
    guard weak.order.cpus[cpu].buffer.count < StoreOrder.entriesMax else {
      throw Finding(
        .unsupported,
        "not supported under \(weak.model.text): more than \(StoreOrder.entriesMax) stores of a "
          + "thread that are not visible yet")
    }
    var entry = entry
    if options.stepsSingly {
      // Names the store in recordings, whatever the buffer has besides it.
      entry.operand = UInt64(weak.storeCounts[cpu] + 1)
      entry.lifetime = UInt32(truncatingIfNeeded: Int(request.place) + 1)
    }
    weak.note = StoreNote(kind: .pending, cell: entry.number, value: entry.value, cpu: cpu)
    weak.order.cpus[cpu].buffer.append(entry)
  }

  private func read(
    _ reading: WeakReading, _ request: Request, _ place: OrderedCell, by cpu: Int,
    _ weak: WeakMemory
  ) throws(Finding) -> Effect {
    let isUpdate = reading == .update
    let ordering = isUpdate ? request.ordering : loadOrdering(request)
    let found = value(reading, place, by: cpu, weak)
    if found.message == MessageTable.uninitialised, !request.isZeroed {
      throw Finding(.uninitialised, "\(name(of: request.address)) is read before it is written")
    }
    if isUpdate { _ = try locate(request.address, request.size, writes: true) }
    acquire(found.message, ordering, by: cpu, weak)
    try touch(place.record, place.offset, request.size, by: cpu, request, writes: isUpdate)
    let view = noteReading(reading, request, place, ordering, by: cpu, weak)
    noteOldValue(reading, found, place, by: cpu, weak)
    var effect = Effect(
      result: found.value & mask(request.bits), address: request.address, size: request.size)
    guard isUpdate else { return effect }
    let new = written(request, over: found.value) & mask(request.size * 8)
    effect.isVisible = new != found.value
    let message = release(request, continuing: found.message, by: cpu, weak)
    try update(request, place, to: new, message, view, by: cpu, weak)
    return effect
  }

  private func noteOldValue(
    _ reading: WeakReading, _ found: (value: UInt64, message: UInt32, isNewest: Bool),
    _ place: OrderedCell, by cpu: Int, _ weak: WeakMemory
  ) {
    guard !found.isNewest else { return }
    let isOwn = weak.order.cpus[cpu].newestPending(place.cell) != nil
    weak.note = StoreNote(
      kind: isOwn ? .own : .old, cell: place.cell, value: found.value, cpu: cpu)
  }

  /// Notes what was read, and returns the view of the result.
  private func noteReading(
    _ reading: WeakReading, _ request: Request, _ place: OrderedCell, _ ordering: IROrdering,
    by cpu: Int, _ weak: WeakMemory
  ) -> View {
    guard weak.isArm else { return 0 }
    let acquires = ordering.acquires
    let before = viewBefore(request, by: cpu, weak)
    let view: View
    if let index = weak.order.cpus[cpu].newestPending(place.cell) {
      view = weak.order.readPending(index, after: before, acquires: acquires, by: cpu).view
    } else {
      var index = max(weak.order.words[place.cell].count - 1, 0)
      if case .visible(let number) = reading { index = number }
      let store = weak.order.store(place.cell, index, otherwise: 0)
      view =
        weak.order.readVisible(place.cell, store, after: before, acquires: acquires, by: cpu).view
    }
    // Without a result to be used such an instruction is no load to fences.
    let isUnused = request.kind == .update && !acquires && dependencies(of: cpu).isUnused
    weak.order.noteLoad(view, acquires: acquires, isUnused: isUnused, by: cpu)
    let known = dependencies(of: cpu)
    var result = view
    if reading == .update, request.kind == .compareExchange {
      // The value found is the one expected, so the processor may take either.
      result = min(self.view(of: known.expected, cpu, weak), view)
    }
    setResultView(result, cpu, weak)
    return view
  }

  /// The second half of a read-modify-write.
  private func update(
    _ request: Request, _ place: OrderedCell, to new: UInt64, _ message: UInt32, _ view: View,
    by cpu: Int, _ weak: WeakMemory
  ) throws(Finding) {
    guard weak.isArm else { return change(place, to: new, message, weak) }
    if request.isFull {
      let size = layout.cells[Int(place.cell)].size
      let old = read(place.record, place.offset, size)
      weak.order.storeAtOnce(
        new, to: place.cell, over: old, saying: message,
        above: self.message(under: Int(place.cell), weak), by: cpu)
      return change(place, to: new, message, weak)
    }
    var entry = PendingEntry(kind: .store, number: place.cell)
    entry.value = new
    (entry.isRelease, entry.isLocking) = (request.ordering == .release, true)
    entry.message = message
    let known = dependencies(of: cpu)
    entry.view = self.view(of: known.address | known.value, cpu, weak)
    if request.kind == .update, request.update != .xchg { entry.view = max(entry.view, view) }
    entry.readView = view
    try put(entry, request, by: cpu, weak)
  }

  /// A store that is visible at once.
  private func change(
    _ place: OrderedCell, to new: UInt64, _ message: UInt32, _ weak: WeakMemory
  ) {
    write(place.record, place.offset, layout.cells[Int(place.cell)].size, new)
    setMessage(of: Int(place.cell), message, weak)
    weak.note = nil
  }
}
