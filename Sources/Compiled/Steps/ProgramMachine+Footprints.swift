// Which steps are local, which can be taken, and what they touch.

import GracewalkExploration
import GracewalkSupport

extension ProgramMachine {
  // MARK: Local steps

  /// Whether the thread's next action touches only what no other thread can be accessing.
  @inline(__always)
  func isLocal(_ cpu: Int) -> Bool { isLocal(node(of: cpu), cpu) }

  @inline(__always)
  func isLocal(_ node: Int, _ cpu: Int) -> Bool {
    let point = graph.points.pointer(to: node)
    // What is pending decides that anew each time.
    if let weak, let isLocal = isLocalWeakly(point.pointee.request, cpu, weak) { return isLocal }
    if let known = point.pointee.isLocal { return known }
    let (isLocal, isFinal) = localness(of: point.pointee.request, cpu)
    if isFinal { graph.points.pointer(to: node).pointee.isLocal = isLocal }
    if isFinal, !isLocal { makeFast(node) }
    return isLocal
  }

  /// Whether a request is local, and whether that holds throughout this attempt.
  private func localness(of request: Request, _ cpu: Int) -> (isLocal: Bool, isFinal: Bool) {
    switch request.kind {
    case .start, .create, .join, .choose, .blocked, .cut, .ended, .initBarrier, .arrive,
      .passBarrier, .destroyBarrier:
      return (false, true)
    case .lockShared, .tryLockShared, .lockExclusive, .tryLockExclusive, .unlockShared,
      .initShared, .destroyShared, .sleep, .wake, .signal, .broadcast, .initCondition,
      .destroyCondition, .takeSemaphore, .tryTakeSemaphore, .postSemaphore, .initSemaphore,
      .beginOnce, .endOnce, .startGrace, .callLater, .startDrain, .hardware:
      return (false, true)
    case .openSection, .closeSection: return (!image.waitsForGrace, true)
    case .passGrace, .passDrain: return (request.address == 0, true)
    case .failed, .fence, .allocate, .print, .finish: return (true, true)
    case .lock:
      // A lock that is held now is a matter of several threads.
      if let (record, offset) = try? locate(request, 4), isInitialised(record, offset, 4),
        read(record, offset, 4) != 0
      {
        layout.eachCell(record, offset, 4) { layout.share($0) }
        return (false, true)
      }
      return isPrivate(request.address, 4)
    case .awaitLoad, .awaitExchange:
      if let (record, offset) = try? locate(request, request.size) {
        layout.eachCell(record, offset, request.size) { layout.share($0) }
      }
      return (false, true)
    case .load, .store, .compareExchange, .update: return isPrivate(request.address, request.size)
    case .tryLock, .unlock, .initMutex, .destroyMutex: return isPrivate(request.address, 4)
    case .setMemory, .wide: return isPrivate(request.address, request.size)
    case .sizeOf: return isPrivate(request.address, 1)
    case .copyMemory:
      let (to, from) = (
        isPrivate(request.address, request.size), isPrivate(request.a, request.size)
      )
      return (to.isLocal && from.isLocal, to.isFinal && from.isFinal)
    case .free:
      guard let region = Region.number(of: request.address) else { return (true, true) }
      let record = layout.record(ofRegion: region)
      guard record >= 0 else { return (true, false) }
      return isPrivate(
        Region.address(ofRegion: region), layout.records[record].capacity)
    case .allocateStack, .releaseStack:
      let objects =
        request.kind == .allocateStack ? [] : (request.a..<request.b).map { Int($0) }
      var isFinal = true
      for object in objects {
        let address = Region.address(ofStackObject: object, thread: cpu)
        guard let region = Region.number(of: address) else { continue }
        let record = layout.record(ofRegion: region)
        if record < 0 {
          isFinal = false
        } else if layout.isShared(layout.records[record].lifetime) {
          return (false, true)
        }
      }
      return (true, isFinal)
    }
  }

  private func isPrivate(_ address: UInt64, _ size: Int) -> (isLocal: Bool, isFinal: Bool) {
    guard let region = Region.number(of: address) else { return (true, true) }
    let record = layout.record(ofRegion: region)
    guard record >= 0 else { return (true, false) }
    if layout.records[record].isConstant || layout.records[record].isHardware {
      return (true, true)
    }
    let offset = Region.offset(of: address)
    if layout.records[record].kind != .global,
      layout.isShared(layout.records[record].lifetime)
    {
      return (false, true)
    }
    guard offset + size <= layout.records[record].capacity, size > 0 else { return (true, false) }
    var isShared = false
    layout.eachCell(record, offset, size) { if layout.isShared($0) { isShared = true } }
    return (!isShared, true)
  }

  // MARK: Enabled steps

  func canStep(_ cpu: Int) -> Bool {
    let request = point(of: cpu).pointee.request
    switch request.kind {
    case .lock:
      guard let (record, offset) = try? locate(request, 4), isInitialised(record, offset, 4)
      else { return true }
      return read(record, offset, 4) == 0 || isHeldAgain(request, record, offset, by: cpu)
    case .lockShared, .lockExclusive, .wake, .takeSemaphore, .beginOnce:
      return isFree(request, for: cpu)
    case .start: return request.b == 0 || pendingSections(of: cpu) == 0
    case .passGrace: return pendingSections(of: cpu) == 0
    case .passDrain: return haveAllFinished(request.address)
    case .awaitLoad, .awaitExchange:
      guard let (record, offset) = try? locate(request, request.size) else { return true }
      return request.isMet(by: read(record, offset, request.size))
    case .join:
      let other = Int(truncatingIfNeeded: request.address & 0xFFFF_FFFF)
      guard other < threadCount, other != cpu, status(of: other) != Status.absent else {
        return true
      }
      return hasFinished(other)
    case .passBarrier:
      guard let (record, offset) = try? locate(request, 4) else { return true }
      return read(record, offset, 4) >> 16 != request.a
    default: return !mayWait(request) || deadEnd(cpu) == nil
    }
  }

  func touchesTheSameAlways(_ cpu: Int) -> Bool {
    guard status(of: cpu) == Status.present else { return true }
    let request = point(of: cpu).pointee.request
    switch request.kind {
    case .hardware: return request.hardwareAccess?.kind != .compareExchange
    case .wide: return request.wide != .compare
    case .compareExchange, .tryLock, .tryLockShared, .tryLockExclusive, .wake, .signal, .broadcast,
      .tryTakeSemaphore, .beginOnce:
      return false
    default: return true
    }
  }

  // MARK: Footprints

  func created(_ cpu: Int) -> UInt32 { UInt32(cpu) }
  func finished(_ cpu: Int) -> UInt32 { UInt32(64 + cpu) }
  func object(_ cell: Int) -> UInt32 { UInt32(Layout.firstCell + cell) }

  /// Adds what a thread's next step touches, or could touch after steps of others.
  func add(_ cpu: Int, to footprint: Footprint, isPotential: Bool) {
    guard status(of: cpu) == Status.present else { return footprint.read(created(cpu), .blocks) }
    let point = point(of: cpu)
    let request = point.pointee.request
    // Any step may turn out to be a thread's last one, which ends together with it.
    if layout.isJoined(cpu) { footprint.write(finished(cpu), .releases) }
    if point.pointee.isFast { return addFast(point, to: footprint, isPotential: isPotential) }
    switch request.kind {
    case .start:
      footprint.read(created(cpu), .blocks)
      if request.b != 0 { addSections(request.b, to: footprint, .blocks) }
    case .create:
      let index = Int(graph.nodes[node(of: cpu)].state.childCount)
      if let child = layout.thread(parent: cpu, index: index) {
        footprint.write(created(child), .releases)
      }
    case .join:
      let other = Int(truncatingIfNeeded: request.address & 0xFFFF_FFFF)
      if other < threadCount { footprint.read(finished(other), .blocks) }
    case .load, .store, .compareExchange, .update, .awaitLoad, .awaitExchange, .lock, .tryLock,
      .unlock, .initMutex, .destroyMutex:
      addAccess(request, cpu, to: footprint, isPotential: isPotential)
    case .wide: addWide(request, to: footprint, isPotential: isPotential)
    case .setMemory: addCells(request.address, request.size, writes: true, .plain, to: footprint)
    case .copyMemory:
      addCells(request.a, request.size, writes: false, .plain, to: footprint)
      addCells(request.address, request.size, writes: true, .plain, to: footprint)
    case .free, .releaseStack: addLifetimes(request, cpu, to: footprint)
    case .initBarrier, .arrive, .passBarrier, .destroyBarrier:
      addBarrier(request, cpu, to: footprint)
    case .lockShared, .tryLockShared, .lockExclusive, .tryLockExclusive, .unlockShared,
      .initShared, .destroyShared:
      addShared(request, cpu, to: footprint, isPotential: isPotential)
    case .sleep, .wake, .signal, .broadcast, .initCondition, .destroyCondition, .takeSemaphore,
      .tryTakeSemaphore, .postSemaphore, .initSemaphore, .beginOnce, .endOnce:
      addWaiting(request, cpu, to: footprint, isPotential: isPotential)
    case .openSection, .closeSection, .startGrace, .passGrace, .callLater, .startDrain, .passDrain:
      addGrace(request, cpu, to: footprint)
    case .hardware: addHardware(request, cpu, to: footprint, isPotential: isPotential)
    case .sizeOf: addCells(request.address, 0, writes: false, .plain, to: footprint)
    case .choose, .fence, .allocate, .allocateStack, .blocked, .cut, .ended, .failed, .print,
      .finish:
      break
    }
  }

  func addAccess(
    _ request: Request, _ cpu: Int, to footprint: Footprint, isPotential: Bool
  ) {
    var writes = true
    var role = TouchRole.plain
    var size = request.size
    switch request.kind {
    case .load: writes = false
    case .awaitLoad: (writes, role) = (false, .blocks)
    case .awaitExchange: role = .blocks
    case .compareExchange where !isPotential:
      if let (record, offset) = try? locate(request, size) {
        writes = read(record, offset, size) == request.a
      }
    case .tryLock:
      size = 4
      if !isPotential, !options.failedTriesWrite, let (record, offset) = try? locate(request, 4) {
        writes = read(record, offset, 4) == 0
      }
    case .lock: (size, role) = (4, .blocks)
    case .unlock:
      size = 4
      if let (record, offset) = try? locate(request, size),
        read(record, offset, 4) == UInt64(cpu + 1)
      {
        role = .releases
      }
    case .initMutex, .destroyMutex: size = 4
    default: break
    }
    // A read that may wait for another value keeps its plain role: it may be enabled together with
    // the write that it would wait for, such as a try to lock with the unlocking.
    addCells(request.address, size, writes: writes, role, to: footprint)
  }

  /// Adds the cells of some bytes, and their object's lifetime.
  func addCells(
    _ address: UInt64, _ size: Int, writes: Bool, _ role: TouchRole, to footprint: Footprint
  ) {
    guard let region = Region.number(of: address) else { return }
    let record = layout.record(ofRegion: region)
    guard record >= 0, !layout.records[record].isConstant else { return }
    if layout.records[record].kind != .global,
      layout.isShared(layout.records[record].lifetime)
    {
      footprint.read(object(layout.records[record].lifetime))
    }
    let offset = Region.offset(of: address)
    guard size > 0, offset + size <= layout.records[record].capacity else { return }
    layout.eachCell(record, offset, size) { cell in
      guard layout.isShared(cell) else { return }
      if writes { footprint.write(object(cell), role) } else { footprint.read(object(cell), role) }
    }
  }

  private func addLifetimes(_ request: Request, _ cpu: Int, to footprint: Footprint) {
    eachEndedRecord(request, cpu) { record in
      let lifetime = layout.records[record].lifetime
      if layout.isShared(lifetime) { footprint.write(object(lifetime)) }
      guard request.kind == .free else { return }
      addCells(
        Region.address(ofRegion: layout.records[record].region), layout.records[record].capacity,
        writes: true, .plain, to: footprint)
    }
  }

  /// Calls `body` for each known object that a request ends: one that is freed, or those of a
  /// function's stack.
  func eachEndedRecord<Failure: Error>(
    _ request: Request, _ cpu: Int, _ body: (Int) throws(Failure) -> Void
  ) throws(Failure) {
    let addresses =
      request.kind == .free
      ? [request.address]
      : (request.a..<request.b).map { Region.address(ofStackObject: Int($0), thread: cpu) }
    for address in addresses {
      guard let region = Region.number(of: address) else { continue }
      let record = layout.record(ofRegion: region)
      if record >= 0 { try body(record) }
    }
  }

  /// Arrivals commute: each touches a cell of its own, and passing touches those of all.
  private func addBarrier(_ request: Request, _ cpu: Int, to footprint: Footprint) {
    guard let (record, offset) = try? locate(request, 4) else { return }
    var cell = -1
    layout.eachCell(record, offset, 4) { if cell < 0 { cell = $0 } }
    switch request.kind {
    case .arrive:
      footprint.read(object(cell))
      let round = Int(read(record, offset, 4) >> 16)
      footprint.write(object(layout.barrierCell(cell, thread: cpu, round: round)), .releases)
    case .passBarrier:
      footprint.read(object(cell))
      for thread in 0..<threadCount {
        footprint.read(
          object(layout.barrierCell(cell, thread: thread, round: Int(request.a))), .blocks)
      }
    default: footprint.write(object(cell))
    }
  }
}
