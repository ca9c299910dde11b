// The meaning of actions: what each changes, when it can be taken, what it returns.

import GracewalkExploration
import GracewalkSupport

extension Machine {
  /// True if the action can be taken now.
  func canTake(_ action: Action, by cpu: Int) -> Bool {
    switch action.kind {
    case .finished: return false
    case .wait: return ((memory[action.cell] & action.a) == action.b) != action.flag
    case .spinLock, .readLock, .writeLock: return canLock(action, by: cpu)
    case .graceEnd: return memory[layout.graceReaders(cpu)] == 0
    case .interruptTaken: return memory[layout.interruptReceivers(cpu)] == 0
    case .callbackStart:
      let owner = cpus[cpu].callbackOwner
      let next = Int(memory[layout.callbacksStarted(owner)])
      return next < Int(memory[layout.callbacksQueued(owner)])
        && memory[layout.callbackReaders(owner, next)] == 0
    case .barrierEnd:
      return (0..<layout.cpuCount).allSatisfy {
        memory[layout.callbacksFinished($0)] >= memory[layout.barrierTarget(cpu, $0)]
      }
    default: return true
    }
  }

  /// CPUs one of which must step before a disabled action can be taken.
  func enablers(of action: Action, by cpu: Int) -> CPUSet {
    let holders = CPUSet(bits: memory[action.cell] & ~Machine.writerBit)
    switch action.kind {
    case .spinLock: return CPUSet(Int(memory[action.cell]) - 1)
    case .readLock, .writeLock: return holders
    case .graceEnd: return CPUSet(CPUSet(bits: memory[layout.graceReaders(cpu)]).lowest)
    case .interruptTaken:
      return CPUSet(CPUSet(bits: memory[layout.interruptReceivers(cpu)]).lowest)
    case .callbackStart:
      let owner = cpus[cpu].callbackOwner
      let next = Int(memory[layout.callbacksStarted(owner)])
      let isQueued = next < Int(memory[layout.callbacksQueued(owner)])
      guard isQueued else { return CPUSet(owner) }
      return CPUSet(CPUSet(bits: memory[layout.callbackReaders(owner, next)]).lowest)
    case .barrierEnd:
      for other in 0..<layout.cpuCount
      where memory[layout.callbacksFinished(other)] < memory[layout.barrierTarget(cpu, other)] {
        return CPUSet(callbackCPUs[other] ?? other)
      }
      return .first(layout.cpuCount)
    default: return .first(layout.cpuCount)
    }
  }

  /// Carries out an action that can be taken; returns what the CPU observes.
  func perform(_ action: Action, by cpu: Int) -> UInt64 {
    if action.lifetime != 0 && action.kind != .free && memory[action.lifetime] & 1 == 0
      && !isGivenUp(action, by: cpu)
    {
      report(.accessAfterFree, cpu, page: action.lifetime, cell: action.cell)
    }
    switch action.kind {
    case .load, .wait:
      if action.flag && action.kind == .load && !isInside(.sections, cpu)
        && !isInside(.interrupts, cpu)
      {
        report(.dereferencedOutside, cpu, cell: action.cell)
      }
      hear(action, by: cpu)
      return memory[action.cell]
    case .store:
      write(action.a, to: action.cell, by: cpu)
      tell(action, by: cpu)
      return 0
    case .compareExchange:
      let old = memory[action.cell]
      if old == action.a {
        write(action.b, to: action.cell, by: cpu)
        tell(action, by: cpu)
      }
      return old
    case .exchange:
      let old = memory[action.cell]
      write(action.a, to: action.cell, by: cpu)
      tell(action, by: cpu)
      return old
    case .fetchAdd, .incrementUnlessZero: return performArithmetic(action, by: cpu)
    case .spinLock, .spinUnlock, .readLock, .readUnlock, .writeLock, .writeUnlock:
      return performLocking(action, by: cpu)
    case .sectionEnter, .sectionLeave: return performGrace(action, in: .sections, by: cpu)
    case .graceStart, .graceEnd: return performGrace(action, in: graceDomain, by: cpu)
    case .maskInterrupts, .unmaskInterrupts, .interruptSend, .interruptTaken:
      return performGrace(action, in: .interrupts, by: cpu)
    case .call, .callbackStart, .callbackEnd, .barrierStart, .barrierEnd:
      return performRCU(action, by: cpu)
    case .allocate: return allocatePage(for: cpu, inOperation: action.a)
    case .publish:
      if let id = layout.pageID(at: action.cell) { publish(id, by: cpu) }
      return 0
    case .free:
      freePage(action.lifetime, by: cpu)
      return 0
    case .invoke: return historySeen(by: cpu)
    case .respond:
      memory[layout.history(cpu)] += 1
      return 0
    case .guestAccess, .walkStart, .walkRead, .walkUpdate, .evict, .tlbInvalidate, .settle,
      .handOver, .claim:
      return performHardware(action, by: cpu)
    case .slabAllocate, .slabFree, .slabShrink: return performSlab(action, by: cpu)
    case .contextUse, .contextRelease: return performContext(action, by: cpu)
    case .threw:
      report(.threw, cpu, value: action.a)
      return 0
    case .finished, .fence, .choose, .tlbi, .dsb: return 0
    }
  }

  private func performArithmetic(_ action: Action, by cpu: Int) -> UInt64 {
    let old = memory[action.cell]
    let isIncrement = action.kind == .incrementUnlessZero
    if isIncrement && old == 0 { return 0 }
    let new = old &+ (isIncrement ? 1 : action.a)
    memory[action.cell] = new
    tell(action, by: cpu)
    if usesSymmetry { noteArithmetic(from: old, to: new, in: action.cell, by: cpu) }
    return isIncrement ? 1 : old
  }

  /// Adds what an action would touch if it were taken now.
  func addFootprint(of action: Action, by cpu: Int, to footprint: Footprint) {
    if action.lifetime != 0 && action.kind != .free { footprint.read(action.lifetime) }
    switch action.kind {
    case .finished, .threw, .fence, .choose, .publish, .tlbi, .dsb: break
    case .allocate: addPagesOfOwner(cpu, to: footprint)
    case .load, .wait: footprint.read(action.cell)
    case .store, .exchange: addWrite(of: action.a, to: action.cell, footprint)
    case .compareExchange:
      if memory[action.cell] == action.a {
        addWrite(of: action.b, to: action.cell, footprint)
      } else {
        footprint.read(action.cell)  // A compare-exchange that fails is a load.
      }
    case .fetchAdd: footprint.write(action.cell)
    case .incrementUnlessZero:
      if memory[action.cell] == 0 {
        footprint.read(action.cell)
      } else {
        footprint.write(action.cell)
      }
    case .free:
      footprint.write(action.lifetime)
      addOwner(ofPageAt: action.lifetime, to: footprint)
      addReaders(ofPage: action.lifetime, footprint)
      // The word of its links stands for the readers that whoever unlinks the page notes.
      if requirements.contains(.readersAtUnlink) {
        footprint.read(action.lifetime + Layout.linksOffset)
      }
      if watched.contains(.pageFreedWhileCached) { addUnits(footprint) }
    case .guestAccess, .walkStart, .walkRead, .walkUpdate, .evict, .tlbInvalidate, .settle,
      .handOver:
      addHardware(action, by: cpu, to: footprint)
    case .spinLock, .spinUnlock, .readLock, .readUnlock, .writeLock, .writeUnlock:
      addLocking(action, by: cpu, to: footprint)
    case .sectionEnter, .sectionLeave:
      addGrace(action, in: .sections, by: cpu, to: footprint)
    case .graceStart, .graceEnd:
      addGrace(action, in: graceDomain, by: cpu, to: footprint)
    case .maskInterrupts, .unmaskInterrupts, .interruptSend, .interruptTaken:
      addGrace(action, in: .interrupts, by: cpu, to: footprint)
    case .call, .callbackStart, .callbackEnd, .barrierStart, .barrierEnd:
      addRCU(action, by: cpu, to: footprint)
    case .invoke:
      for other in 0..<layout.cpuCount where other != cpu {
        footprint.read(layout.history(other))
      }
    case .respond: footprint.write(layout.history(cpu))
    case .claim: addClaim(action, to: footprint)
    case .slabAllocate, .slabFree, .slabShrink: addSlab(action, to: footprint)
    case .contextUse, .contextRelease: addContext(action, to: footprint)
    }
  }

  /// Adds what an action could touch, whatever others do before it: a compare-exchange that would
  /// fail now may succeed in another order.
  func addPotentialFootprint(of action: Action, by cpu: Int, to footprint: Footprint) {
    addFootprint(of: action, by: cpu, to: footprint)
    switch action.kind {
    case .compareExchange: addExchange(of: action.a, for: action.b, in: action.cell, footprint)
    case .store, .exchange:
      addUnlink(from: action.cell, footprint)
      if action.cell >= Layout.namedCapacity { addPotentialRelink(of: action.a, to: footprint) }
    case .incrementUnlessZero: footprint.write(action.cell)
    case .guestAccess: addPotentialAccess(action, by: cpu, to: footprint)
    case .free: addAllReaders(footprint)
    case .claim: addPotentialClaim(action, to: footprint)
    case .handOver: addPotentialHandOver(to: footprint)
    case .slabAllocate, .slabFree, .slabShrink: addPotentialSlab(action, to: footprint)
    default: break
    }
  }

  /// True if what an action touches does not depend on what others did before it.
  func hasFixedFootprint(_ action: Action) -> Bool {
    switch action.kind {
    case .compareExchange, .incrementUnlessZero, .free, .call, .callbackStart, .guestAccess: false
    case .slabAllocate, .slabFree, .slabShrink: false
    case .claim: !watched.contains(.claimBroken)
    case .handOver: !watched.contains(.frameGivenWhileMapped)
    case .store, .exchange: action.cell < Layout.namedCapacity
    default: true
    }
  }

  /// True if nobody but the CPU can notice the action, so that it needs no scheduling point.
  ///
  /// Whether that is so depends on what the CPU itself did before, never on others: only the
  /// owner of a page can publish it. So the answer is the same wherever the node is met.
  func isLocal(_ action: Action, _ cpu: Int) -> Bool {
    switch action.kind {
    case .fence, .publish, .tlbi, .dsb, .threw: return true
    case .allocate: return !scenario.tracksPages
    case .free where scenario.tracksPages: return false
    case .settle:
      guard let id = layout.pageID(at: action.cell) else { return false }
      return memory[layout.page(id).base + Layout.publishedOffset] == 0
    default: break
    }
    guard action.lifetime != 0, let id = layout.pageID(at: action.lifetime),
      memory[action.lifetime + Layout.publishedOffset] == 0
    else { return false }
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

  /// What a CPU that begins an operation observes of the others.
  private func historySeen(by cpu: Int) -> UInt64 {
    let seen = historySeen(by: cpu) { memory[layout.history($0)] }
    if usesSymmetry { noteHistory(seen, by: cpu) }
    return seen
  }

  /// One more than any program has operations, if a digit of this base for each program but one
  /// fits into a word.
  static func historyRadix(of scenario: Scenario) -> UInt64? {
    let radix = UInt64(scenario.programs.map(\.operations.count).max() ?? 0) + 1
    var largest: UInt64 = 1
    for _ in scenario.programs.dropFirst() {
      let (product, overflows) = largest.multipliedReportingOverflow(by: radix)
      if overflows { return nil }
      largest = product
    }
    return radix
  }

  // MARK: Spins

  /// Reads without effect before the machine looks for a spin, and how often one must recur.
  private static let idleStepsMax: Int32 = 64
  private static let repetitionsMax = 24

  /// Counts actions in a row that changed nothing, and reports a spin: within one operation, the
  /// same action observed the same again and again with no effect of the CPU in between.
  func noteIdleSteps(_ index: ObservationTree.Index, _ cpu: Int) {
    let node = tree[index]
    guard node.pointee.parent >= 0 else { return }
    let parent = tree[node.pointee.parent]
    let action = parent.pointee.action
    let failed = action.kind == .compareExchange && node.pointee.observed != action.a
    guard action.onlyReads || failed, parent.pointee.operation == node.pointee.operation else {
      return
    }
    node.pointee.idleSteps = parent.pointee.idleSteps + 1
    guard node.pointee.idleSteps >= Machine.idleStepsMax else { return }
    var repetitions = 0
    var other = index
    for _ in 0..<Int(node.pointee.idleSteps) {
      let earlier = tree[other].pointee.parent
      if tree[earlier].pointee.action == action,
        tree[other].pointee.observed == node.pointee.observed
      {
        repetitions += 1
      }
      other = earlier
    }
    if repetitions >= Machine.repetitionsMax && action.cell != 0 {
      fail(.spin(cpu: cpu, location: name(ofCell: action.cell)))
    }
  }
}
