// What each action does.

import GracewalkLLVM
import GracewalkSupport

extension ProgramMachine {
  /// What a failed `trylock` returns.
  static let busy: UInt64 = 16

  /// Performs an action, and returns its result.
  func perform(_ request: Request, by cpu: Int, choice: Int) throws(Finding) -> Effect {
    switch request.kind {
    case .load, .store, .compareExchange, .update, .awaitLoad, .awaitExchange:
      return try access(request, by: cpu)
    case .copyMemory: return try copy(request, by: cpu)
    case .wide: return try performWide(request, by: cpu)
    case .setMemory: return try fill(request, by: cpu)
    case .start:
      if request.b != 0 { acquireSections(request.b, by: cpu) }
      return Effect()
    case .blocked, .cut, .ended, .failed, .print: return Effect()
    case .hardware: return try performOnHardware(request, by: cpu)
    case .sizeOf:
      let (record, _) = try locate(request.address, 0, writes: false)
      touchLifetime(request.address, by: cpu, writes: false)
      return Effect(result: lifeWord(record) >> 2)
    case .fence:
      passFence(request.ordering, by: cpu)
      return Effect()
    case .choose: return Effect(result: UInt64(choice), isVisible: true)
    case .allocate:
      bringIntoBeing(request.address, size: request.size, isZeroed: request.isZeroed)
      touchLifetime(request.address, by: cpu, writes: true)
      noteAllocation(request.address, by: cpu)
      return Effect(result: request.address, isVisible: true)
    case .allocateStack:
      bringIntoBeing(request.address, size: request.size, isZeroed: false)
      touchLifetime(request.address, by: cpu, writes: true)
      noteAllocation(request.address, by: cpu)
      return Effect()
    case .releaseStack:
      for index in request.a..<request.b {
        let address = Region.address(ofStackObject: Int(index), thread: cpu)
        guard let region = Region.number(of: address) else { continue }
        touchLifetime(address, by: cpu, writes: true)
        end(layout.record(ofRegion: region), Life.returned)
      }
      return Effect()
    case .free: return try free(request, by: cpu)
    case .create, .join, .finish: return try performOnThreads(request, by: cpu)
    case .lock, .tryLock, .unlock, .initMutex, .destroyMutex:
      return try performOnMutex(request, by: cpu)
    case .initBarrier, .arrive, .passBarrier, .destroyBarrier:
      return try performOnBarrier(request, by: cpu)
    case .lockShared, .tryLockShared, .lockExclusive, .tryLockExclusive, .unlockShared,
      .initShared, .destroyShared:
      return try performOnShared(request, by: cpu)
    case .sleep, .wake, .signal, .broadcast, .initCondition, .destroyCondition:
      return try performOnCondition(request, by: cpu, choice: choice)
    case .takeSemaphore, .tryTakeSemaphore, .postSemaphore, .initSemaphore, .beginOnce, .endOnce:
      return try performOnSemaphore(request, by: cpu)
    case .openSection, .closeSection, .startGrace, .passGrace, .callLater, .startDrain, .passDrain:
      return try performOnGrace(request, by: cpu)
    }
  }

  // MARK: Accesses

  func access(_ request: Request, by cpu: Int) throws(Finding) -> Effect {
    let writesAlways =
      request.kind == .store || request.kind == .update || request.kind == .awaitExchange
    let (record, offset) = try locate(request.address, request.size, writes: writesAlways)
    let isAtomic = request.isAtomic || request.kind == .update || request.kind == .compareExchange
    if isAtomic, offset % request.size != 0 {
      throw Finding(
        .misaligned, "an atomic access of \(request.size) bytes at \(name(of: request.address))")
    }
    let bits = mask(request.bits)
    guard request.kind != .store else {
      try touch(record, offset, request.size, by: cpu, request, writes: true)
      if isAtomic { release(record, offset, request.ordering, by: cpu, continues: false) }
      write(record, offset, request.size, request.a)
      return Effect(isVisible: true)
    }
    if !request.isZeroed, !isInitialised(record, offset, request.size) {
      throw Finding(.uninitialised, "\(name(of: request.address)) is read before it is written")
    }
    let old = read(record, offset, request.size)
    var effect = Effect(result: old & bits, address: request.address, size: request.size)
    switch request.kind {
    case .compareExchange where old == request.a:
      if layout.records[record].isConstant {
        throw Finding(.constantWrite, "\(name(of: request.address)) is written, which is constant")
      }
      // What it takes over happens before it.
      acquire(record, offset, request.ordering, by: cpu)
      try touch(record, offset, request.size, by: cpu, request, writes: true)
      release(record, offset, request.ordering, by: cpu, continues: true)
      write(record, offset, request.size, request.b)
      effect.isVisible = request.b != old
    case .update, .awaitExchange:
      acquire(record, offset, request.ordering, by: cpu)
      try touch(record, offset, request.size, by: cpu, request, writes: true)
      release(record, offset, request.ordering, by: cpu, continues: true)
      let new = Arithmetic.updated(request.update, bits: request.bits, old, request.a)
      write(record, offset, request.size, new)
      effect.isVisible = new & mask(request.size * 8) != old
    default:
      let ordering = request.kind == .compareExchange ? request.failure : request.ordering
      if isAtomic { acquire(record, offset, ordering, by: cpu) }
      try touch(record, offset, request.size, by: cpu, request, writes: false)
    }
    return effect
  }

  private func copy(_ request: Request, by cpu: Int) throws(Finding) -> Effect {
    guard request.size > 0 else { return Effect(result: request.address) }
    let (from, start) = try locate(request.a, request.size, writes: false)
    let (to, target) = try locate(request.address, request.size, writes: true)
    try touch(from, start, request.size, by: cpu, request, writes: false)
    try touch(to, target, request.size, by: cpu, request, writes: true)
    var bytes: [UInt8] = []
    var isKnown: [Bool] = []
    for index in 0..<request.size {
      bytes.append(UInt8(truncatingIfNeeded: read(from, start + index, 1)))
      isKnown.append(isInitialised(from, start + index, 1))
    }
    for index in 0..<request.size where isKnown[index] {
      write(to, target + index, 1, UInt64(bytes[index]))
    }
    return Effect(result: request.address, isVisible: true)
  }

  private func fill(_ request: Request, by cpu: Int) throws(Finding) -> Effect {
    guard request.size > 0 else { return Effect(result: request.address) }
    let (record, offset) = try locate(request.address, request.size, writes: true)
    try touch(record, offset, request.size, by: cpu, request, writes: true)
    for index in 0..<request.size { write(record, offset + index, 1, request.a & 0xFF) }
    return Effect(result: request.address, isVisible: true)
  }

  private func free(_ request: Request, by cpu: Int) throws(Finding) -> Effect {
    guard request.address != 0 else { return Effect() }
    guard let region = Region.number(of: request.address),
      Region.kind(of: region) == .heap, layout.record(ofRegion: region) >= 0
    else {
      throw Finding(.badFree, "\(name(of: request.address)) is freed, which was not allocated")
    }
    let record = layout.record(ofRegion: region)
    switch lifeWord(record) & 3 {
    case Life.alive: break
    case Life.freed:
      throw Finding(.doubleFree, "\(name(of: request.address)) is freed a second time")
    default: throw Finding(.badFree, "\(name(of: request.address)) is freed, and does not exist")
    }
    guard Region.offset(of: request.address) == 0 else {
      throw Finding(.badFree, "\(name(of: request.address)) is freed, which is inside an object")
    }
    touchLifetime(request.address, by: cpu, writes: true)
    let size = Int(lifeWord(record) >> 2)
    if size > 0 { try touch(record, 0, size, by: cpu, Request(.store), writes: true) }
    end(record, Life.freed)
    return Effect(isVisible: true)
  }

  // MARK: Threads

  /// The words of a thread that has finished: its result, and what is ordered before its end.
  enum ResultWord {
    static let count = 2
  }

  /// The index of the first of these words.
  @inline(__always)
  func result(of cpu: Int) -> Int { cpu &* ResultWord.count }

  func noteResult(of cpu: Int) {
    reads.noteRead(result(of: cpu) &* 8, ResultWord.count &* 8)
  }

  private func performOnThreads(_ request: Request, by cpu: Int) throws(Finding) -> Effect {
    switch request.kind {
    case .create:
      let index = Int(graph.nodes[node(of: cpu)].state.childCount)
      guard let child = newChild(of: cpu, index) else { return Effect() }
      begin(child, request.address, request.a)
      inherit(from: cpu, to: child)
      return Effect(result: UInt64(child), isVisible: true)
    case .join:
      let other = Int(truncatingIfNeeded: request.address & 0xFFFF_FFFF)
      guard other < threadCount, other != cpu, status(of: other) != Status.absent else {
        throw Finding(.misuse, "thread \(other) is joined, which was not created")
      }
      layout.noteJoined(other)
      joinClocks(of: other, by: cpu)
      return Effect(result: data[result(of: other)], isVisible: true)
    default:
      let result = result(of: cpu)
      data[result] = request.a
      data[result + 1] = accesses.hash(ofClock: creationClock(of: cpu))
      reads.noteWrite(result * 8, (result + ResultWord.count) * 8)
      if request.isTyped {
        let flags = word(cpu, ThreadWord.flags)
        threads[flags] = threads[flags] | Flag.exited
      }
      return Effect(isVisible: true)
    }
  }

  /// The number of a thread that is created now; nil if this attempt has none for it.
  func newChild(of cpu: Int, _ index: Int) -> Int? {
    guard let child = layout.thread(parent: cpu, index: index), child < threadCount else {
      isBroken = true
      return nil
    }
    threads[word(child, ThreadWord.history)] = StableHash.extend(
      threads[word(cpu, ThreadWord.history)], with: UInt64(index))
    return child
  }

  // MARK: Barriers

  /// A barrier's first word: those that have arrived, those that are needed, and the round.
  private func performOnBarrier(_ request: Request, by cpu: Int) throws(Finding) -> Effect {
    let (record, offset) = try locate(request.address, 4, writes: true)
    let word = isInitialised(record, offset, 4) ? read(record, offset, 4) : 0
    let needed = word >> 8 & 0xFF
    switch request.kind {
    case .initBarrier:
      guard request.b > 0, request.b < 64 else {
        throw Finding(.misuse, "a barrier for \(request.b) threads")
      }
      try touch(record, offset, 4, by: cpu, request, writes: true)
      write(record, offset, 4, request.b << 8)
      return Effect(isVisible: true)
    case .destroyBarrier:
      try touch(record, offset, 4, by: cpu, request, writes: true)
      write(record, offset, 4, 0)
      return Effect(isVisible: true)
    default: break
    }
    guard needed > 0 else {
      throw Finding(
        .misuse, "\(name(of: request.address)) is waited at, and is no barrier at this time")
    }
    layout.eachCell(record, offset, 4) { layout.share($0) }
    if request.kind == .passBarrier {
      acquire(record, offset, .acquire, by: cpu)
      guard request.b == 1, let first = firstArrival(record, offset, Int(request.a)) else {
        return Effect(isVisible: true)
      }
      let isFirst = read(record, first, 1) == UInt64(cpu + 1)
      return Effect(result: isFirst ? 0xFFFF_FFFF : 0, isVisible: true)
    }
    release(record, offset, .release, by: cpu, continues: true)
    let (arrived, round) = ((word & 0xFF) + 1, word >> 16)
    if request.a == 1, let first = firstArrival(record, offset, Int(round)) {
      let known = arrived == 1 ? UInt64(UInt8.max) : read(record, first, 1)
      write(record, first, 1, min(known, UInt64(cpu + 1)))
    }
    write(
      record, offset, 4,
      arrived == needed ? ((round + 1) & 0xFFFF) << 16 | needed << 8 : (word & ~0xFF) | arrived)
    return Effect(result: round, isVisible: true)
  }
  /// Where a barrier keeps the first of those that arrive in a round: the one that is told.
  private func firstArrival(_ record: Int, _ offset: Int, _ round: Int) -> Int? {
    let byte = offset + 4 + (round & 1)
    return byte < Int(lifeWord(record) >> 2) ? byte : nil
  }
}
