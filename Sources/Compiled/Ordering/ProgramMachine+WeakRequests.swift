// Weaker memory: fences, threads and locks.
//
// A mutex is an acquire and a release. What is rarer is ordered against everything on both sides,
// which is more than some implementations promise: `Docs/MemoryModels.md` lists it.

import GracewalkLLVM
import GracewalkMachine
import GracewalkSupport

extension ProgramMachine {
  /// Performs a request under weaker memory.
  func performWeakly(
    _ request: Request, by cpu: Int, choice: Int, _ weak: WeakMemory
  ) throws(Finding) -> Effect {
    if options.stepsSingly { weak.storeCounts[cpu] += 1 }
    defer { weak.forgetReadings() }
    switch request.kind {
    case .load, .store, .compareExchange, .update, .awaitLoad, .awaitExchange:
      return try accessWeakly(request, by: cpu, choice: choice, weak)
    case .copyMemory, .setMemory: return try copyWeakly(request, by: cpu, weak)
    case .free, .releaseStack: return try endWeakly(request, by: cpu, weak)
    case .fence:
      passFence(request.ordering, by: cpu)
      guard weak.isArm else { return Effect() }
      if isFullFence(request, weak) {
        weak.order.orderEverything(of: cpu)
      } else if request.ordering.acquires {
        weak.order.orderLoads(of: cpu)
      }
      return Effect()
    case .lock, .tryLock: return try lockWeakly(request, by: cpu, weak)
    case .unlock: return try unlockWeakly(request, by: cpu, weak)
    case .create, .join: return try performOnThreadsWeakly(request, by: cpu, weak)
    case .finish:
      if weak.isArm, layout.isJoined(cpu) { weak.order.orderEverything(of: cpu) }
      return try perform(request, by: cpu, choice: choice)
    case .allocate, .allocateStack, .sizeOf, .print, .choose, .blocked, .cut, .ended, .failed,
      .initMutex, .destroyMutex:
      return try perform(request, by: cpu, choice: choice)
    case .initBarrier, .arrive, .passBarrier, .destroyBarrier, .lockShared, .tryLockShared,
      .lockExclusive, .tryLockExclusive, .unlockShared, .initShared, .destroyShared, .sleep, .wake,
      .signal, .broadcast, .initCondition, .destroyCondition, .takeSemaphore, .tryTakeSemaphore,
      .postSemaphore, .initSemaphore, .beginOnce, .endOnce:
      return try performInFull(request, by: cpu, choice: choice, weak)
    case .openSection, .closeSection, .startGrace, .passGrace, .callLater, .startDrain, .passDrain:
      return try performOnGraceWeakly(request, by: cpu, choice: choice, weak)
    case .start:
      let effect = try perform(request, by: cpu, choice: choice)
      if threads[word(cpu, ThreadWord.flags)] & Flag.callback != 0 { endPeriod(of: cpu, weak) }
      return effect
    case .hardware: throw refusal("the memory management units of gracewalk.h", weak)
    case .wide: throw refusal("atomic accesses of 16 bytes", weak)
    }
  }

  private func refusal(_ what: String, _ weak: WeakMemory) -> Finding {
    Finding(.unsupported, "not supported under \(weak.model.text): \(what)")
  }

  /// Whether a fence waits for the stores before it.
  ///
  /// On Arm only one for loads does not; on x86 only one with sequential consistency does.
  func isFullFence(_ request: Request, _ weak: WeakMemory) -> Bool {
    weak.isArm
      ? request.ordering.releases : request.ordering == .sequentiallyConsistent
  }

  // MARK: Threads

  /// Creating a thread is a full barrier, joining one an acquire of all it has done.
  private func performOnThreadsWeakly(
    _ request: Request, by cpu: Int, _ weak: WeakMemory
  ) throws(Finding) -> Effect {
    let effect = try perform(request, by: cpu, choice: 0)
    guard weak.isArm, !isBroken else { return effect }
    if request.kind == .create {
      weak.order.orderEverything(of: cpu)
      let child = Int(effect.result)
      guard child < threadCount else { return effect }
      weak.order.cpus[child].newReads = weak.order.cpus[cpu].newReads
    } else {
      let other = Int(truncatingIfNeeded: request.address & 0xFFFF_FFFF)
      guard other < threadCount else { return effect }
      takeOver(from: other, by: cpu, weak)
      // It is joined once; what its sections have seen may be asked for later.
      weak.order.cpus[other].forgetAllButSections()
    }
    return effect
  }

  // MARK: Locks

  /// The cell of a lock's first word; nil for one that only the thread itself can be using.
  private func lockCell(_ address: UInt64) -> UInt32? {
    guard let (record, offset) = try? locate(address, 4, writes: false) else { return nil }
    let cell = layout.cell(record, at: offset)
    return cell >= 0 && layout.isShared(cell) ? UInt32(cell) : nil
  }

  private func lockWeakly(
    _ request: Request, by cpu: Int, _ weak: WeakMemory
  ) throws(Finding) -> Effect {
    let effect = try perform(request, by: cpu, choice: 0)
    if weak.isArm, effect.result == 0, let cell = lockCell(request.address) {
      weak.order.noteLoad(weak.order.locks[cell], acquires: true, by: cpu)
    }
    return effect
  }

  /// The lock is free when the stores before that are visible; the thread goes on before.
  private func unlockWeakly(
    _ request: Request, by cpu: Int, _ weak: WeakMemory
  ) throws(Finding) -> Effect {
    guard let cell = lockCell(request.address), let (record, offset) = try? locate(request, 4)
    else { return try perform(request, by: cpu, choice: 0) }
    let held = read(record, offset, 4)
    let effect = try perform(request, by: cpu, choice: 0)
    guard held != 0, read(record, offset, 4) == 0 else { return effect }
    guard weak.order.cpus[cpu].hasPendingStore else {
      noteUnlocked(cell, by: cpu, weak)
      return effect
    }
    write(record, offset, 4, held)
    var entry = PendingEntry(kind: .effect, number: cell)
    entry.isRelease = true
    weak.order.cpus[cpu].buffer.append(entry)
    return effect
  }

  /// Ordered against everything before and behind it; nothing is pending.
  private func performInFull(
    _ request: Request, by cpu: Int, choice: Int, _ weak: WeakMemory
  ) throws(Finding) -> Effect {
    let effect = try perform(request, by: cpu, choice: choice)
    guard weak.isArm else { return effect }
    weak.order.orderEverything(of: cpu)
    var addresses = [request.address]
    if request.kind == .sleep { addresses.append(request.a) }
    for address in addresses {
      guard let (record, offset) = try? locate(address, 4, writes: false) else { continue }
      let cell = layout.cell(record, at: offset)
      guard cell >= 0 else { continue }
      let view = max(weak.order.cpus[cpu].newReads, weak.order.locks[UInt32(cell)])
      weak.order.cpus[cpu].newReads = view
      weak.order.locks[UInt32(cell)] = view
    }
    return effect
  }
}
