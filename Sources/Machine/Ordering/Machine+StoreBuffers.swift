// x86-TSO: effects of a CPU wait in its buffer, in order, and become visible one at a time.

import GracewalkExploration
import GracewalkSupport

/// The kinds of entries of a store buffer.
private enum PendingKind: UInt64 {
  case store = 1
  case spinUnlock, writeUnlock, free, handOver
  /// The end of a read-side section, or an interrupt: some wait until the stores before it are
  /// visible.
  case mark
}

extension Machine {
  // MARK: What waits

  /// True if the effects of an action are put in the CPU's buffer.
  ///
  /// Pages that only the CPU itself can reach need no buffer: others reach them only through a
  /// store behind all that was written to them before.
  func isPutInBuffer(_ action: Action, by cpu: Int) -> Bool {
    if cpu >= layout.bufferedCPUs || action.isLocal { return false }
    return pendingKind(of: action) != nil
  }

  func mayBePutInBuffer(_ action: Action) -> Bool {
    !action.isLocal && pendingKind(of: action) != nil
  }

  /// True if a CPU that may repeat has room for what its next step has pending; else it waits, as a
  /// processor does whose buffer is full.
  func hasRoom(_ cpu: Int) -> Bool {
    guard cpu < layout.bufferedCPUs, !scenario.omittedRules.contains(.fullBuffers) else {
      return true
    }
    let isFull =
      memoryModel == .armv8
      ? order.cpus[cpu].buffer.count { !$0.isHidden } >= StoreOrder.repeatedEntriesMax
      : pendingCount(cpu) >= Layout.pendingMax - 1
    if isFull { hasMetCap = true }
    return !isFull
  }

  private func pendingKind(of action: Action) -> PendingKind? {
    switch action.kind {
    case .access(.store): action.ordering == .sequentiallyConsistent ? nil : .store
    case .lock(.spinUnlock): .spinUnlock
    case .lock(.writeUnlock): .writeUnlock
    case .page(.free): .free
    case .handOver: .handOver
    case .access, .lock, .page, .finished, .cutOff, .fence, .grace, .callback, .slab, .context,
      .choose, .history, .hardware, .claim, .threw:
      nil
    }
  }

  /// True for what waits until all stores of its CPU are visible: fences, locked operations, and
  /// what the kernel does with them.
  func waitsForStores(_ action: Action) -> Bool {
    if action.isLocal { return false }
    switch action.kind {
    case .access(let access):
      switch access {
      case .store: return action.ordering == .sequentiallyConsistent
      case .compareExchange, .exchange, .fetchAdd, .incrementUnlessZero, .update: return true
      case .load, .wait, .drain: return false
      }
    case .fence: return action.ordering == .sequentiallyConsistent
    case .lock: return pendingKind(of: action) == nil
    case .grace(.graceStart), .grace(.interruptSend): return true
    case .callback(.call), .callback(.callbackEnd), .callback(.barrierStart): return true
    case .page(.allocate), .slab, .context(.release), .hardware(.dsb): return true
    case .grace, .callback, .page, .context, .hardware, .finished, .cutOff, .choose, .history,
      .handOver,
      .claim, .threw:
      return false
    }
  }

  func hasNoPending(_ cpu: Int) -> Bool {
    cpu >= layout.bufferedCPUs || memory[layout.pending(cpu, 0)] == 0
  }

  private func pendingCount(_ cpu: Int) -> Int {
    var count = 0
    while count < Layout.pendingMax, memory[layout.pending(cpu, count)] != 0 { count += 1 }
    return count
  }

  /// The value of a CPU's newest pending store to a word, which its loads read.
  func forwarded(_ cell: UInt32, to cpu: Int) -> UInt64? {
    guard cpu < layout.bufferedCPUs else { return nil }
    var value: UInt64?
    for index in 0..<Layout.pendingMax {
      let head = memory[layout.pending(cpu, index)]
      if head == 0 { break }
      if head & 0xFF == PendingKind.store.rawValue, head >> 32 == UInt64(cell) {
        value = memory[layout.pending(cpu, index) + 2]
      }
    }
    return value
  }

  /// The CPUs of a set, and those that make their stores visible.
  func withDrainers(_ cpus: CPUSet) -> CPUSet {
    let owners = cpus.intersection(.first(layout.bufferedCPUs))
    return cpus.union(CPUSet(bits: owners.bits << UInt64(firstDrainer)))
  }

  // MARK: Entering and leaving the buffer

  func enqueue(_ action: Action, by cpu: Int) {
    guard let kind = pendingKind(of: action) else { return }
    let operands = action.operands
    let head =
      kind.rawValue | UInt64(action.ordering.rawValue) << 8 | (operands.isFlagged ? 1 << 16 : 0)
      | UInt64(action.cell) << 32
    if let entry = append(head, to: cpu) {
      memory[entry + 1] = UInt64(action.lifetime)
      memory[entry + 2] = operands.first
      memory[entry + 3] = operands.second
    }
    if kind == .store { publishLinked(by: action.stored, in: action.cell, cpu) }
  }

  /// Adds an entry with nothing but its first word; returns where, or nil if there is no room.
  private func append(_ head: UInt64, to cpu: Int) -> UInt32? {
    let count = pendingCount(cpu)
    guard count < Layout.pendingMax else {
      fail(
        .cap(
          "\(name(ofCPU: cpu)) has more than \(Layout.pendingMax) stores that are not visible yet; "
            + "let it store less between fences and locked operations"))
      return nil
    }
    memory[layout.pending(cpu, count)] = head
    return layout.pending(cpu, count)
  }

  /// The word of an entry with the CPUs that wait for the end of a section, and the one with the
  /// callbacks.
  private func waiters(_ cpu: Int, _ index: Int) -> UInt32 { layout.pending(cpu, index) + 4 }
  private func callbacks(_ cpu: Int, _ index: Int) -> UInt32 { layout.pending(cpu, index) + 5 }

  /// From the store of its address on, accesses to a table are not the CPU's own affair any more.
  func publishLinked(by value: UInt64, in cell: UInt32, _ cpu: Int) {
    guard !layout.isNamed(cell), let entry = layout.entry(at: cell),
      let linked = linkedPage(by: value)
    else { return }
    let published = memory[layout.page(entry.page).base + Layout.publishedOffset]
    if published != 0 { publish(linked, as: publication(below: published), by: cpu) }
  }

  /// The action of the oldest entry; nil if there is none.
  func oldestPending(of cpu: Int) -> Action? {
    let entry = layout.pending(cpu, 0)
    let head = memory[entry]
    guard let kind = PendingKind(rawValue: head & 0xFF) else { return nil }
    var action: Action
    switch kind {
    case .store: action = Action(.access(.store))
    case .spinUnlock: action = Action(.lock(.spinUnlock))
    case .writeUnlock: action = Action(.lock(.writeUnlock))
    case .free: action = Action(.page(.free))
    case .handOver: action = Action(.handOver)
    case .mark: return nil
    }
    action.ordering = MemoryOrdering(rawValue: UInt8(head >> 8 & 0xFF)) ?? .relaxed
    action.cell = UInt32(head >> 32)
    action.lifetime = UInt32(memory[entry + 1])
    action.operands = (memory[entry + 2], memory[entry + 3], head >> 16 & 1 == 1)
    return action
  }

  /// Makes the oldest entry of a CPU's buffer visible, and the ends of sections behind it.
  func drain(_ cpu: Int) {
    guard let action = oldestPending(of: cpu) else { return }
    removeOldest(of: cpu)
    if action.lifetime != 0 { noteUse(of: action, by: cpu) }
    _ = performNow(action, by: cpu)
    while memory[layout.pending(cpu, 0)] & 0xFF == PendingKind.mark.rawValue {
      passMark(
        GraceDomain(number: memory[layout.pending(cpu, 0)] >> 8), memory[waiters(cpu, 0)],
        memory[callbacks(cpu, 0)], cpu)
      removeOldest(of: cpu)
    }
  }

  private func removeOldest(of cpu: Int) {
    let count = pendingCount(cpu)
    let first = layout.pending(cpu, 0)
    let last = layout.pending(cpu, count - 1)
    for word in first..<last { memory[word] = memory[word + Layout.pendingStride] }
    for word in 0..<Layout.pendingStride { memory[last + word] = 0 }
  }

  /// True if a store of the CPU can become visible now.
  func hasStoreToShow(_ cpu: Int) -> Bool {
    memoryModel == .armv8 ? flushableCount(of: cpu) > 0 : !hasNoPending(cpu)
  }

  // MARK: Grace periods

  // Who waits for a CPU's section waits until the stores before its end are visible. So the end is
  // an entry of the buffer: it has the CPUs that wait, and the callbacks. A wait that begins later
  // adds itself to the last such entry. Interrupts are taken when earlier stores are visible.

  /// Puts the end of a section in the CPU's buffer, with all that wait for that section.
  func putEndInBuffer(of domain: GraceDomain, by cpu: Int) {
    let bit = CPUSet(cpu).bits
    var waiters: UInt64 = 0
    for other in 0..<layout.cpuCount where memory[layout.awaited(domain, other)] & bit != 0 {
      waiters |= CPUSet(other).bits
    }
    var callbacks: UInt64 = 0
    if domain == graceDomain {
      eachWaitingCallback { owner, index in
        if memory[layout.callbackReaders(owner, index)] & bit != 0 {
          callbacks |= callbackBit(owner, index)
        }
      }
    }
    // Those that wait for an earlier section of the CPU are in an earlier entry.
    for index in 0..<pendingCount(cpu) where isMark(of: domain, cpu, index) {
      waiters &= ~memory[self.waiters(cpu, index)]
      callbacks &= ~memory[self.callbacks(cpu, index)]
    }
    var last = pendingCount(cpu) - 1
    // A section between two stores ends with the one before it, however often that happens.
    if last < 0 || !isMark(of: domain, cpu, last) {
      guard append(markHead(domain), to: cpu) != nil else { return }
      last += 1
    }
    memory[self.waiters(cpu, last)] |= waiters
    memory[self.callbacks(cpu, last)] |= callbacks
  }

  /// Lets a CPU wait for the ends of sections that are in buffers; returns whose they are.
  func markPending(in domain: GraceDomain, waiter: Int) -> CPUSet {
    markPending(in: domain, CPUSet(waiter).bits, 0, by: waiter)
  }

  /// The same for a callback.
  func markPending(
    in domain: GraceDomain, callback index: Int, of owner: Int, by cpu: Int
  ) -> CPUSet {
    guard owner * layout.callbacksPerCPU + index < 64 else {
      fail(.capacity("too many callbacks for a check under \(memoryModel.text)"))
      return CPUSet()
    }
    return markPending(in: domain, 0, callbackBit(owner, index), by: cpu)
  }

  private func markPending(
    in domain: GraceDomain, _ waiters: UInt64, _ callbacks: UInt64, by cpu: Int
  ) -> CPUSet {
    if memoryModel == .armv8 { return awaitPending(in: domain, waiters, callbacks, by: cpu) }
    var found = CPUSet()
    for other in 0..<layout.bufferedCPUs
    where other != cpu && !hasNoPending(other) && !isInside(domain, other) {
      let count = pendingCount(other)
      var last = (0..<count).last { isMark(of: domain, other, $0) }
      if domain == .interrupts, last != count - 1 {
        guard append(markHead(domain), to: other) != nil else { return found }
        last = count
      }
      guard let last else { continue }
      memory[self.waiters(other, last)] |= waiters
      memory[self.callbacks(other, last)] |= callbacks
      found.insert(other)
    }
    return found
  }

  func passMark(
    _ domain: GraceDomain, _ waiters: UInt64, _ callbacks: UInt64, _ cpu: Int
  ) {
    let others = ~CPUSet(cpu).bits
    var left = CPUSet(bits: waiters)
    while let waiter = left.popLowest() { memory[layout.awaited(domain, waiter)] &= others }
    if callbacks == 0 { return }
    eachWaitingCallback { owner, index in
      if callbacks & callbackBit(owner, index) != 0 {
        memory[layout.callbackReaders(owner, index)] &= others
      }
    }
  }

  func eachWaitingCallback(_ body: (Int, Int) -> Void) {
    for owner in 0..<layout.cpuCount {
      let queued = Int(memory[layout.callbacksQueued(owner)])
      for index in Int(memory[layout.callbacksStarted(owner)])..<queued { body(owner, index) }
    }
  }

  func callbackBit(_ owner: Int, _ index: Int) -> UInt64 {
    1 << UInt64(owner * layout.callbacksPerCPU + index)
  }

  private func markHead(_ domain: GraceDomain) -> UInt64 {
    PendingKind.mark.rawValue | domain.number << 8
  }

  private func isMark(of domain: GraceDomain, _ cpu: Int, _ index: Int) -> Bool {
    memory[layout.pending(cpu, index)] == markHead(domain)
  }
}

extension GraceDomain {
  static let count = 3

  var number: UInt64 {
    switch self {
    case .sections: 0
    case .interrupts: 1
    case .readers: 2
    }
  }

  init(number: UInt64) {
    self = number == 0 ? .sections : number == 1 ? .interrupts : .readers
  }
}
