// Weaker memory: which steps can be taken, and when stores become visible.

import GracewalkExploration
import GracewalkLLVM
import GracewalkMachine
import GracewalkSupport

extension ProgramMachine {
  /// The thread whose step a CPU takes: the thread itself, or what makes its stores visible.
  @inline(__always)
  func thread(of cpu: Int) -> Int {
    cpu < threadCount || weak == nil ? cpu : cpu - WeakMemory.firstDrainer
  }

  // MARK: Enabled steps

  /// Whether a thread that has not come to its end can take its next step.
  func canStepWeakly(_ cpu: Int, _ weak: WeakMemory) -> Bool {
    let request = point(of: cpu).pointee.request
    let known = weak.order.cpus[cpu]
    if isLocal(cpu) { return true }
    switch request.kind {
    case .load, .store, .compareExchange, .update, .awaitLoad, .awaitExchange:
      return !readings(of: cpu).isEmpty
    case .start:
      let isCallback = threads[word(cpu, ThreadWord.flags)] & Flag.callback != 0
      return !isCallback || hasPassed(cpu)
    case .passDrain:
      return canStep(cpu)
        && weak.order.cpus.indices.allSatisfy {
          request.address >> UInt64($0) & 1 == 0 || weak.order.cpus[$0].buffer.isEmpty
        }
    case .lock, .tryLock:
      return !(weak.isArm ? known.hasPendingRelease : known.hasPendingStore) && canStep(cpu)
    case .join:
      let other = Int(truncatingIfNeeded: request.address & 0xFFFF_FFFF)
      guard canStep(cpu) else { return false }
      return other >= threadCount || weak.order.cpus[other].buffer.isEmpty
    case .openSection, .closeSection, .passGrace, .startDrain, .unlock, .copyMemory, .setMemory,
      .free, .sizeOf, .allocate, .allocateStack,
      .releaseStack, .finish, .choose, .print, .initMutex, .destroyMutex:
      return canStep(cpu)
    default: return !known.hasPendingStore && canStep(cpu)
    }
  }

  /// The CPUs that can take a step: threads among those that are given, and their buffers.
  func enabledWeakly(among threads: CPUSet, _ weak: WeakMemory) -> CPUSet {
    var enabled = CPUSet()
    var open = threads
    while let cpu = open.popLowest() { if canStepWeakly(cpu, weak) { enabled.insert(cpu) } }
    for thread in 0..<threadCount where !flushable(of: thread, weak).isEmpty {
      enabled.insert(WeakMemory.firstDrainer + thread)
    }
    return enabled
  }

  func choiceCountWeakly(_ cpu: Int, _ weak: WeakMemory) -> Int? {
    if cpu >= WeakMemory.firstDrainer {
      let thread = self.thread(of: cpu)
      return thread < threadCount ? flushable(of: thread, weak).count : 0
    }
    switch point(of: cpu).pointee.request.kind {
    case .load, .store, .compareExchange, .update, .awaitLoad, .awaitExchange:
      return isLocal(cpu) ? 1 : readings(of: cpu).count
    case .openSection: return image.waitsForGrace ? choiceCountOfSection(cpu, weak) : nil
    default: return nil
    }
  }

  // MARK: Visibility

  func flushable(of thread: Int, _ weak: WeakMemory) -> [Int] {
    weak.order.cpus[thread].buffer.isEmpty
      ? [] : weak.order.flushable(of: thread, inOrder: !weak.isArm)
  }

  /// Makes a pending store visible, as a step of its own.
  func makeVisible(_ choice: Int, of thread: Int, _ weak: WeakMemory) {
    let index = flushable(of: thread, weak)[choice]
    let entry = weak.order.cpus[thread].buffer[index]
    let cell = layout.cells[Int(entry.number)]
    weak.note = StoreNote(
      kind: .visible, cell: entry.number, value: entry.value, cpu: thread)
    var shown = Request(.store)
    (shown.address, shown.size, shown.a) = (address(of: cell), cell.size, entry.value)
    shown.ordering = .relaxed
    shown.place = Int32(truncatingIfNeeded: Int(entry.lifetime) - 1)
    defer { observer?(WeakMemory.firstDrainer + thread, shown, entry.value, false) }
    guard lifeWord(cell.record) & 3 == Life.alive else {
      let name = name(of: address(of: cell))
      return fail(
        Finding(
          layout.records[cell.record].kind == .stack ? .useAfterReturn : .useAfterFree,
          "a store to \(name) becomes visible after \(name) has come to its end"),
        thread, Int32(truncatingIfNeeded: Int(entry.lifetime) - 1))
    }
    if weak.isArm {
      let old = read(cell.record, cell.start, cell.size)
      _ = weak.order.flush(
        index, of: thread, over: old, above: message(under: Int(entry.number), weak))
    } else {
      weak.order.cpus[thread].buffer.remove(at: index)
    }
    write(cell.record, cell.start, cell.size, entry.value)
    setMessage(of: Int(entry.number), entry.message, weak)
    passLeading(of: thread, weak)
  }

  func address(of cell: Cell) -> UInt64 {
    Region.address(ofRegion: layout.records[cell.record].region) + UInt64(cell.start)
  }

  /// What the visible store to a cell says that has no list yet.
  func message(under cell: Int, _ weak: WeakMemory) -> UInt32 {
    let known = layout.cells[cell]
    return isInitialised(known.record, known.start, known.size)
      ? messageNow(of: cell, weak) : MessageTable.uninitialised
  }

  /// Lets marks, and what has been unlocked, leave the buffer where no store has to come before.
  func passLeading(of thread: Int, _ weak: WeakMemory) {
    while let entry = weak.order.cpus[thread].buffer.first, entry.kind != .store {
      weak.order.cpus[thread].buffer.removeFirst()
      if entry.kind == .sectionEnd { noteSectionEnd(of: thread, entry.waiters) }
      guard entry.kind == .effect else { continue }
      let cell = layout.cells[Int(entry.number)]
      write(cell.record, cell.start, 4, 0)
      noteUnlocked(entry.number, by: thread, weak)
    }
  }

  /// Who takes the lock from now on sees what was visible.
  func noteUnlocked(_ cell: UInt32, by thread: Int, _ weak: WeakMemory) {
    guard weak.isArm else { return }
    weak.order.cpus[thread].releases = weak.order.now
    weak.order.locks[cell] = weak.order.now
  }

  // MARK: The canonical form

  /// Forgets what makes no difference any more, after a step of a thread.
  func closeOrder(after thread: Int, _ weak: WeakMemory) {
    weak.forgetReadings()
    guard weak.isArm, finding == nil, !isBroken else { return }
    forgetSources(of: thread, weak)
    let uses = (0..<threadCount).map { use(of: $0, weak) }
    var isChanged = true
    // What is dropped may make more views say the same, and these more stores unreadable.
    while isChanged {
      let count = weak.order.words.entries.count
      for cpu in weak.order.cpus.indices {
        weak.order.cutViews(of: cpu, uses[cpu], hasGracePeriods: image.waitsForGrace)
      }
      weak.order.dropUnreadableStores(uses)
      isChanged = weak.order.rankTimes() != nil
      weak.order.forgetSettledWords(uses.map { $0.isUnknown ? $0 : FutureUse() })
      isChanged = isChanged || weak.order.words.entries.count != count
    }
    if weak.order.hasMetCap {
      fail(
        Finding(
          .unsupported,
          "not supported under \(weak.model.text): a word with more than \(StoreOrder.entriesMax) "
            + "values that some thread may still read"), thread, -1)
    }
  }

  private func use(of cpu: Int, _ weak: WeakMemory) -> FutureUse {
    guard status(of: cpu) == Status.present else { return FutureUse() }
    switch point(of: cpu).pointee.request.kind {
    case .blocked, .cut: return FutureUse()
    case .ended:
      // Who joins it sees all that it has seen and done.
      guard layout.isJoined(cpu) else { return FutureUse() }
      var use = FutureUse()
      (use.loads, use.ordersWrites) = (true, true)
      weak.order.cpus[cpu].see(weak.order.cpus[cpu].oldReads)
      return use
    default: return .unknown
    }
  }

  /// Forgets the views of registers that are not used any more.
  private func forgetSources(of cpu: Int, _ weak: WeakMemory) {
    guard !weak.order.cpus[cpu].sources.entries.isEmpty,
      status(of: cpu) != Status.absent
    else { return }
    let live = dependencies(of: cpu).needed
    weak.order.cpus[cpu].sources.mapValues { number, view in
      number < Dependencies.tokensMax && live >> UInt64(number) & 1 == 0 ? 0 : view
    }
  }
}
