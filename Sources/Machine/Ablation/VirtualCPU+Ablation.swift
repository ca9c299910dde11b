// Recording or weakening the steps that order CPUs, as they pass through the virtual CPU.

import GracewalkSupport

/// The state that a CPU keeps about steps that were left out.
struct WeakenedState {
  enum Hold: UInt64 {
    /// Never taken.
    case none = 1
    /// Taken for reading instead of writing.
    case read
  }

  /// Locks that the CPU believes it holds.
  var locks: [(cell: UInt32, hold: Hold)] = []
  /// For each open read-side section and mask, whether it was left out.
  var sections: [Bool] = []
  var masks: [Bool] = []
  /// The values of words that the operation has seen.
  var known: [UInt32: UInt64] = [:]
  /// How often it has not read again since its latest action, and how often is too often.
  var unread = 0
  static let unreadMax = 1_000
  /// Where the operation has made entries invalid, and by which calls it got there.
  var broken: [UInt32: (site: SourceSite, path: UInt64)] = [:]

  mutating func endOperation() {
    known = [:]
    broken = [:]
  }

  /// Extends a hash by the state that outlives an operation, if any.
  func extend(_ hash: inout UInt64) {
    for lock in locks {
      hash = StableHash.extend(hash, with: UInt64(lock.cell) << 2 | lock.hold.rawValue)
    }
    for isOut in sections where isOut { hash = StableHash.extend(hash, with: 1 << 40) }
    for isOut in masks where isOut { hash = StableHash.extend(hash, with: 1 << 41) }
  }
}

extension VirtualCPU {
  /// Records a step; true if it is the one to weaken.
  ///
  /// - Parameter earlier: the call path, if the step was taken before its kind was known.
  @inline(never)
  func isWeakened(
    _ weakening: Weakening, _ site: SourceSite, through earlier: UInt64? = nil
  ) -> Bool {
    guard ablation != .none else { return false }
    let path = earlier ?? callPath
    guard case .weakens(let step) = ablation else {
      noteStep(weakening, site, path)
      return false
    }
    guard step.weakening == weakening, machine.scenario.weakenedPlaces.contain(site, path),
      step.unnumbered == self.step(weakening, site)
    else { return false }
    noteStep(weakening, site, path)
    return true
  }

  private func noteStep(_ weakening: Weakening, _ site: SourceSite, _ path: UInt64) {
    // Code that unwinds may outlive its machine.
    guard !isAbandoned, let step = step(weakening, site) else { return }
    machine.callPaths.add(
      CallPaths.Note(step: step, site: site, path: path, cpu: index, operation: operation))
  }

  /// A step of the operation the CPU is in; nil for what is not the code's.
  private func step(_ weakening: Weakening, _ site: SourceSite) -> WeakenedStep? {
    switch role {
    case .program(let program):
      guard operation < program.operations.count else { return nil }
      let item = program.operations[operation]
      let isOwn = site.label == item.function || site.label.isEmpty
      return WeakenedStep(
        weakening, in: WeakenedStep.family(of: item.name), label: isOwn ? nil : site.label)
    case .callbacks: return WeakenedStep(weakening, in: "callback", at: site)
    case .boot, .walker, .drainer: return nil
    }
  }

  // MARK: What is opened and closed

  /// Called when a section or mask is entered; true if it is left out.
  func leavesOutBeginning(
    _ weakening: Weakening, _ stack: WritableKeyPath<WeakenedState, [Bool]>, _ site: SourceSite
  ) -> Bool {
    guard ablation != .none else { return false }
    let isOut = isWeakened(weakening, site)
    weakened[keyPath: stack].append(isOut)
    return isOut
  }

  /// Called when it is left; true if its entry was left out.
  func leavesOutEnd(_ stack: WritableKeyPath<WeakenedState, [Bool]>) -> Bool {
    guard ablation != .none else { return false }
    return weakened[keyPath: stack].popLast() ?? false
  }

  /// True if taking a lock is left out.
  func leavesOutLock(
    _ weakening: Weakening, _ cell: UInt32, _ site: SourceSite
  ) -> Bool {
    guard isWeakened(weakening, site) else { return false }
    weakened.locks.append((cell, .none))
    return true
  }

  /// How a lock being released was taken, if not as the code requested.
  func releaseWeakened(_ cell: UInt32) -> WeakenedState.Hold? {
    guard let index = weakened.locks.lastIndex(where: { $0.cell == cell }) else { return nil }
    return weakened.locks.remove(at: index).hold
  }

  /// True if the CPU believes to hold a lock that it does not hold as the code asked for.
  func holdsWeakened(_ cell: UInt32) -> Bool { weakened.locks.contains { $0.cell == cell } }

  /// True if a lock is taken for reading instead of writing.
  func takesForReadingOnly(_ cell: UInt32, _ site: SourceSite) -> Bool {
    guard isWeakened(.readLockOnly, site) else { return false }
    weakened.locks.append((cell, .read))
    return true
  }

  // MARK: Grace periods and hardware

  /// Runs a callback at once instead of after a grace period.
  func runNow(_ body: (VirtualCPU) throws -> Void) throws(Abandoned) {
    do {
      try body(self)
    } catch {
      if isAbandoned { throw refused() }
      if errorOnTheSpot == nil { errorOnTheSpot = makeError(error) }
      throw Abandoned()
    }
  }

  /// The weakened invalidation; nil if it is left out.
  func weakened(_ invalidation: TLBInvalidation, _ site: SourceSite) -> TLBInvalidation? {
    if isWeakened(.noTLBI, site) { return nil }
    if !invalidation.isLocal, isWeakened(.localTLBI, site) { return invalidation.local }
    if !invalidation.isLastLevelOnly, isWeakened(.leavesOnlyTLBI, site) {
      return invalidation.lastLevelOnly
    }
    return invalidation
  }

  // MARK: Words

  /// The count that code sees if taking or dropping a reference is left out: as if there were
  /// others.
  func leavesOutReference(_ amount: Int64, _ cell: UInt32, _ site: SourceSite) -> UInt64? {
    guard ablation != .none, machine.isReferenceCount(cell) else { return nil }
    return isWeakened(amount > 0 ? .noGet : .noPut, site) ? 2 : nil
  }

  /// True if a write that makes an entry invalid is left out: locking the entry, or breaking it
  /// before a new one is made.
  @inline(never)
  func leavesOutTaking(_ cell: UInt32, _ desired: UInt64, _ site: SourceSite) -> Bool {
    guard ablation != .none, machine.isEntry(cell) else { return false }
    let path = callPath
    let new = Descriptor(bits: desired)
    if machine.format.isLocked(new) { return isWeakened(.noEntryLock, site, through: path) }
    if new.isValid {
      // Only now is it known that the entry was made invalid in order to be made valid again.
      if let broken = weakened.broken[cell] {
        _ = isWeakened(.noBreak, broken.site, through: broken.path)
      }
      return false
    }
    weakened.broken[cell] = (site, path)
    guard case .weakens = ablation else { return false }
    return isWeakened(.noBreak, site, through: path)
  }

  /// Changes a word in two steps, between which other CPUs may run; returns its old value.
  func update(
    _ location: Location, _ ordering: MemoryOrdering, _ site: SourceSite,
    _ change: (UInt64) -> UInt64
  ) throws(Abandoned) -> UInt64 {
    let before = try issue(Action(.access(.load), location, ordering), site)
    var store = Action(.access(.store), location, ordering)
    store.stored = change(before)
    _ = try issue(store, site)
    return before
  }

  /// The value of a word when the operation last saw it, if reading it again is left out.
  func knownValue(of cell: UInt32, _ site: SourceSite) -> UInt64? {
    guard ablation != .none, let value = weakened.known[cell] else { return nil }
    guard isWeakened(.noReread, site) else { return nil }
    // A loop in which nothing is read any more would run forever without asking for an action.
    weakened.unread += 1
    if weakened.unread < WeakenedState.unreadMax { return value }
    if !isAbandoned { machine.fail(.spin(cpu: index, location: machine.name(ofCell: cell))) }
    isAbandoned = true
    return nil
  }

  /// Records the value of a word that an action reveals.
  func noteKnown(_ action: Action, _ result: UInt64) {
    weakened.unread = 0
    guard case .access(let access) = action.kind else { return }
    switch access {
    case .load, .wait: weakened.known[action.cell] = result
    case .store, .exchange: weakened.known[action.cell] = action.stored
    case .compareExchange:
      weakened.known[action.cell] = result == action.expected ? action.desired : result
    case .fetchAdd, .incrementUnlessZero, .update, .drain: break
    }
  }

  /// The action, with no ordering if that is what is weakened.
  ///
  /// A dereference without its ordering is a plain load: accesses through what it finds do not wait
  /// for it, since the compiler may know another way to come to the same address.
  @inline(never)
  func withOrderingAsked(_ action: Action, _ site: SourceSite) -> Action {
    guard action.ordering != .relaxed, hasOrderingOfItsOwn(action) else { return action }
    if machine.memoryModel.whyOrderingsAreNotAsked != nil {
      if ablation == .census { noteStep(.relaxed, site, callPath) }
      return action
    }
    var action = action
    if isWeakened(.relaxed, site) { action.ordering = .relaxed }
    return action
  }

  private func hasOrderingOfItsOwn(_ action: Action) -> Bool {
    switch action.kind {
    case .access(.wait): machine.memoryModel.whyOrderingsAreNotAsked == nil
    case .access, .fence: true
    // The ordering of a lock belongs to the lock.
    case .finished, .cutOff, .lock, .grace, .callback, .page, .slab, .context, .choose, .history,
      .hardware,
      .handOver, .claim, .threw:
      false
    }
  }
}

extension Machine {
  func isEntry(_ cell: UInt32) -> Bool { layout.entry(at: cell) != nil }

  func isReferenceCount(_ cell: UInt32) -> Bool {
    layout.pageID(at: cell) != nil && layout.offsetInPage(cell) == Layout.referencesOffset
  }
}
