// The effects of steps on plain values, when they can be taken, and what they violate.

import GracewalkInvariants
import GracewalkMachine
import GracewalkSupport

extension PlainState {
  /// The place of a page among those that were ever allocated, which are in the order of numbers.
  func index(ofPage number: Int) -> Int {
    let index = pages.firstIndex { $0.number == number }
    demand(index != nil, "the interpreter meets page \(number), which nobody allocated")
    return index ?? 0
  }

  /// The CPUs that a grace period waits for.
  fileprivate func readers(_ kind: ReadCopyUpdate) -> Members {
    var readers = Members()
    for (number, cpu) in cpus.enumerated()
    where cpu.isInSection || kind == .consolidated && cpu.isMasked {
      readers.insert(number)
    }
    return readers
  }

  fileprivate func members(where isMember: (CPU) -> Bool) -> Members {
    var members = Members()
    for (number, cpu) in cpus.enumerated() where isMember(cpu) { members.insert(number) }
    return members
  }

  fileprivate func value(_ place: PlainStep.Place) -> UInt64 {
    switch place {
    case .word(let word): words[word]
    case .entry(let page, let entry): pages[index(ofPage: page)].entries[entry]
    case .privateWord(let page): pages[index(ofPage: page)].privateWord
    }
  }

  fileprivate func holder(_ lock: PlainStep.Lock) -> Int? {
    switch lock {
    case .spin(let number): spinLocks[number]
    case .page(let page): pages[index(ofPage: page)].lock
    }
  }

  fileprivate mutating func set(_ lock: PlainStep.Lock, _ holder: Int?) {
    switch lock {
    case .spin(let number): spinLocks[number] = holder
    case .page(let page): pages[index(ofPage: page)].lock = holder
    }
  }
}

extension PlainInterpreter {
  // MARK: Waiting

  /// True if a CPU can take its step now.
  mutating func isEnabled(_ step: PlainStep, of cpu: Int, in state: PlainState) -> Bool {
    let readWrite = state.readWriteLock
    switch step {
    case .wait(let place, let mask, let value):
      return state.value(place) & mask == value || mistake == .waitsForNothing
    case .lock(let lock):
      guard let holder = state.holder(lock) else { return true }
      if holder == cpu { violate(LocksHeldByReleaser.id) }
      return mistake == .takesHeldLocks
    case .readLock:
      if readWrite.cpus.contains(cpu) { violate(LocksHeldByReleaser.id) }
      return !readWrite.isWritten || mistake == .readersEnterAtOnce
    case .writeLock:
      if readWrite.cpus.contains(cpu) { violate(LocksHeldByReleaser.id) }
      return readWrite.isFree
    case .endGracePeriod:
      return state.cpus[cpu].awaited.isEmpty || mistake == .gracePeriodsEndAtOnce
    case .interruptTaken:
      return state.cpus[cpu].awaitedInterrupts.isEmpty || mistake == .interruptsEndAtOnce
    case .startCallback:
      guard let queue = state.cpus[cpu].queue, let next = state.queues[queue].waiting.first else {
        return false
      }
      return next.readers.isEmpty || mistake == .callbacksRunAtOnce
    case .endBarrier:
      let targets = state.cpus[cpu].targets
      return mistake == .barriersWaitForNone
        || state.queues.indices.allSatisfy { state.queues[$0].finished >= targets[$0] }
    default: return true
    }
  }

  // MARK: Effects

  /// Takes a step; returns its result.
  mutating func perform(
    _ step: PlainStep, choosing choice: UInt64, by cpu: Int, in state: inout PlainState
  ) -> UInt64 {
    if let page = step.page, !state.pages[state.index(ofPage: page)].isAllocated,
      mistake != .freedPagesAreForgotten
    {
      violate(NoUseAfterFree.id)
    }
    switch step {
    case .dereference(let place):
      if !state.cpus[cpu].isInSection, !state.cpus[cpu].isMasked { violate(GracePeriodSafety.id) }
      return state.value(place)
    case .load(let place), .wait(let place, _, _): return state.value(place)
    case .store(let place, let value):
      write(value, to: place, in: &state)
      return 0
    case .compareExchange(let place, let expected, let desired):
      let found = state.value(place)
      if found == expected || mistake == .exchangesAlways { write(desired, to: place, in: &state) }
      return mistake == .exchangesAlways ? expected : found
    case .exchange(let place, let new): return update(place, in: &state) { _ in new }
    case .add(let place, let summand): return update(place, in: &state) { $0 &+ summand }
    case .and(let place, let bits): return update(place, in: &state) { $0 & bits }
    case .or(let place, let bits): return update(place, in: &state) { $0 | bits }
    case .xor(let place, let bits): return update(place, in: &state) { $0 ^ bits }
    case .incrementUnlessZero(let place):
      return update(place, in: &state) { $0 == 0 ? 0 : $0 &+ 1 } == 0 ? 0 : 1
    case .choose: return choice
    case .lock, .tryLock, .unlock, .readLock, .tryReadLock, .readUnlock, .writeLock, .tryWriteLock,
      .writeUnlock, .downgrade:
      return performLock(step, by: cpu, in: &state)
    case .enterSection, .leaveSection, .mask, .unmask, .beginGracePeriod, .endGracePeriod,
      .sendInterrupt, .interruptTaken:
      performGrace(step, by: cpu, in: &state)
    case .queue, .startCallback, .endCallback, .beginBarrier, .endBarrier:
      performCallback(step, by: cpu, in: &state)
    case .allocate, .free, .allocateFromSlab, .freeToSlab, .shrink, .use, .release:
      return performPage(step, by: cpu, in: &state)
    case .cutOff: break
    }
    return 0
  }

  /// Changes a word; returns its value before.
  private mutating func update(
    _ place: PlainStep.Place, in state: inout PlainState, _ change: (UInt64) -> UInt64
  ) -> UInt64 {
    let old = state.value(place)
    write(change(old), to: place, in: &state)
    return old
  }

  /// Writes a word; writing an entry may link one table and unlink another.
  private mutating func write(
    _ value: UInt64, to place: PlainStep.Place, in state: inout PlainState
  ) {
    switch place {
    case .word(let word): state.words[word] = value
    case .privateWord(let page): state.pages[state.index(ofPage: page)].privateWord = value
    case .entry(let page, let entry): write(value, to: entry, of: page, in: &state)
    }
  }

  private mutating func write(
    _ value: UInt64, to entry: Int, of page: Int, in state: inout PlainState
  ) {
    let index = state.index(ofPage: page)
    let unlinked = PlainAddress.table(state.pages[index].entries[entry])
    let linked = PlainAddress.table(value)
    state.pages[index].entries[entry] = value
    guard unlinked != linked else { return }
    if let unlinked {
      let index = state.index(ofPage: unlinked)
      if mistake != .linksAreNotCounted { state.pages[index].links -= 1 }
      noteReaders(below: unlinked, in: &state)
    }
    if let linked {
      let index = state.index(ofPage: linked)
      state.pages[index].links += 1
      if state.pages[index].links > 1 { violate(NoTableLinkedTwice.id) }
    }
  }

  /// Every CPU in a section now may hold a table, and those below it.
  private func noteReaders(below page: Int, in state: inout PlainState) {
    var open = [page]
    var seen: Set<Int> = []
    while let next = open.popLast() {
      guard seen.insert(next).inserted else { continue }
      noteReaders(of: next, in: &state)
      let entries = state.pages[state.index(ofPage: next)].entries
      open += entries.compactMap { PlainAddress.table($0) }
    }
  }

  func noteReaders(of page: Int, in state: inout PlainState) {
    let index = state.index(ofPage: page)
    state.pages[index].inSections = state.members(where: \.isInSection)
    state.pages[index].masked = state.members(where: \.isMasked)
  }

  // MARK: Locks

  private mutating func performLock(
    _ step: PlainStep, by cpu: Int, in state: inout PlainState
  ) -> UInt64 {
    let held = state.readWriteLock
    switch step {
    case .lock(let lock): state.set(lock, cpu)
    case .tryLock(let lock):
      guard state.holder(lock) == nil, mistake != .triesFail else { return 0 }
      state.set(lock, cpu)
    case .unlock(let lock):
      if state.holder(lock) == cpu {
        state.set(lock, nil)
      } else {
        violate(LocksHeldByReleaser.id)
      }
    case .readLock, .tryReadLock:
      if held.isWritten || mistake == .triesFail && step == .tryReadLock {
        return step == .readLock ? 1 : 0
      }
      if held.cpus.contains(cpu) { violate(LocksHeldByReleaser.id) }
      state.readWriteLock.cpus.insert(cpu)
    case .writeLock, .tryWriteLock:
      if !held.isFree || mistake == .triesFail && step == .tryWriteLock { return 0 }
      state.readWriteLock.cpus.insert(cpu)
      state.readWriteLock.isWritten = true
    case .readUnlock:
      if !held.cpus.contains(cpu) || held.isWritten { violate(LocksHeldByReleaser.id) }
      state.readWriteLock.cpus.remove(cpu)
    case .writeUnlock, .downgrade:
      guard held.isWritten, held.cpus.contains(cpu) else {
        violate(LocksHeldByReleaser.id)
        return 0
      }
      state.readWriteLock.isWritten = false
      if step == .writeUnlock { state.readWriteLock.cpus.remove(cpu) }
    default: break
    }
    return 1
  }

  // MARK: Grace periods

  private mutating func performGrace(
    _ step: PlainStep, by cpu: Int, in state: inout PlainState
  ) {
    switch step {
    case .enterSection: state.cpus[cpu].isInSection = true
    case .mask: state.cpus[cpu].isMasked = true
    case .leaveSection:
      if !state.cpus[cpu].isInSection { violate(GracePeriodSafety.id) }
      state.cpus[cpu].isInSection = false
      for page in state.pages.indices { state.pages[page].inSections.remove(cpu) }
      endReading(cpu, in: &state)
    case .unmask:
      if !state.cpus[cpu].isMasked { violate(GracePeriodSafety.id) }
      state.cpus[cpu].isMasked = false
      for page in state.pages.indices { state.pages[page].masked.remove(cpu) }
      for other in state.cpus.indices { state.cpus[other].awaitedInterrupts.remove(cpu) }
      endReading(cpu, in: &state)
    case .beginGracePeriod:
      noteSleep(cpu, state)
      state.cpus[cpu].awaited = state.readers(readersThatDelay)
    case .endGracePeriod: state.cpus[cpu].awaited = Members()
    case .sendInterrupt:
      if state.cpus[cpu].isMasked { violate(GracePeriodSafety.id) }
      state.cpus[cpu].awaitedInterrupts = state.members(where: \.isMasked).without(cpu)
    case .interruptTaken: state.cpus[cpu].awaitedInterrupts = Members()
    default: break
    }
  }

  private var readersThatDelay: ReadCopyUpdate {
    mistake == .masksDelayNoGracePeriod ? .separate : program.readCopyUpdate
  }

  /// Ends what grace periods wait for, unless the CPU is still a reader in another way.
  private func endReading(_ cpu: Int, in state: inout PlainState) {
    if state.readers(readersThatDelay).contains(cpu) { return }
    for other in state.cpus.indices { state.cpus[other].awaited.remove(cpu) }
    for queue in state.queues.indices {
      for item in state.queues[queue].waiting.indices {
        state.queues[queue].waiting[item].readers.remove(cpu)
      }
    }
  }

  /// Waiting for a grace period or for callbacks is sleeping, which not everything may do.
  private mutating func noteSleep(_ cpu: Int, _ state: PlainState) {
    let asker = state.cpus[cpu]
    if asker.isInSection || asker.isMasked || asker.queue != nil
      || state.spinLocks.contains(cpu)
    {
      violate(GracePeriodSafety.id)
    }
  }

  // MARK: Callbacks

  private mutating func performCallback(
    _ step: PlainStep, by cpu: Int, in state: inout PlainState
  ) {
    let own = state.cpus[cpu].queue
    switch step {
    case .queue(let callback):
      guard let queue = own ?? state.queues.firstIndex(where: { $0.owner == cpu }) else { return }
      let readers = state.readers(readersThatDelay)
      state.queues[queue].waiting.append(
        PlainState.Queue.Item(callback: callback, readers: readers))
      state.queues[queue].queued += 1
    case .startCallback:
      guard let own else { return }
      state.cpus[cpu].code.callback = state.queues[own].waiting.removeFirst().callback
    case .endCallback:
      guard let own else { return }
      state.cpus[cpu].code = PlainCode()
      state.queues[own].finished += 1
    case .beginBarrier:
      noteSleep(cpu, state)
      state.cpus[cpu].targets = state.queues.map(\.queued)
    case .endBarrier: state.cpus[cpu].targets = state.queues.map { _ in 0 }
    default: break
    }
  }
}
