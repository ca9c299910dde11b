// A stage-2 page table walked in parallel: map, unmap, look up and collapse, as KVM/arm64 does it.

import Gracewalk

/// What an operation on the table came to.
public enum Stage2Result: UInt64, OperationResult {
  /// The entry is as asked for.
  case done
  /// It was so before.
  case already
  /// Somebody else is at work on an entry: the guest faults again and the caller comes back.
  case retry
  case outOfMemory
  /// A lookup found no mapping.
  case notMapped
  /// A lookup found the page.
  case mapped
}

/// A stage-2 table of reference-counted pages (Linux 6.2, arch/arm64/kvm/hyp/pgtable.c).
///
/// Address `n` is mapped to data frame `n`, so that a block stands for just the pages it covers.
/// Each operation gives up with `.retry` where it meets a locked entry or loses a
/// compare-exchange, as the kernel's walkers return `-EAGAIN` to the guest's fault.
public struct Stage2Table: Sendable {
  /// How an unlinked subtree is taken apart and freed.
  public enum Teardown: Sendable {
    /// Walk it at once with plain reads; free each page after a grace period.
    case walkUnlocked
    /// Walk it at once with plain reads; free each page at once.
    case walkUnlockedAndFreeAtOnce
    /// Walk it at once, lock every entry on the way; free each page after a grace period.
    case lockDescendants
    /// Walk it at once, lock every entry on the way; free each page at once.
    case lockDescendantsAndFreeAtOnce
    /// Leave it alone until a grace period is over; walk and free it in the callback.
    case inCallback
    /// Wait for the grace period on the spot, inside the walker's own read-side section.
    case afterWaitingInSection
    /// Wait until every other CPU has taken an interrupt, then walk it and free each page at once.
    case afterInterrupts

    /// What walkers do where nothing else is said.
    var protection: Protection {
      switch self {
      case .lockDescendantsAndFreeAtOnce: .nothing
      case .afterInterrupts: .maskedInterrupts
      case .walkUnlocked, .walkUnlockedAndFreeAtOnce, .lockDescendants, .inCallback,
        .afterWaitingInSection:
        .rcu
      }
    }
  }

  /// What keeps the tables that a walker stands in from being freed.
  public enum Protection: Sendable {
    /// Nothing of its own; a lock around all operations, or luck.
    case nothing
    /// Walkers are in read-side sections.
    case rcu
    /// Walkers mask interrupts, as in hypervisor code that has no RCU.
    case maskedInterrupts
  }

  /// A step that a broken sibling leaves out.
  public enum Omission: Sendable {
    /// Lock an entry with a plain store after reading it.
    case compareExchange
    /// Do not count the entry that is made.
    case getPage
    /// Lock the entry first, allocate then, and leave it locked when memory has run out.
    case unlockWhenOutOfMemory
    /// Walk without masking interrupts.
    case mask
    /// Free the unlinked subtree without interrupting the others.
    case interrupt
    /// Unmask interrupts only when the others have taken theirs.
    case unmaskBeforeInterrupting
    /// Interrupt the others first, and unlink the subtree then.
    case unlinkBeforeInterrupting
    /// Make the block first and flush then.
    case flushBeforeMake
  }

  public let root: TablePage
  public let geometry: Geometry
  let teardown: Teardown
  let protection: Protection
  /// How hardware is made to forget a valid entry that was broken.
  let flush: Flush
  let omission: Omission?

  public init(
    _ scenario: Scenario, teardown: Teardown = .inCallback, protection: Protection? = nil,
    flush: Flush = .none, omitting omission: Omission? = nil
  ) {
    root = scenario.rootTable()
    geometry = scenario.geometry
    self.teardown = teardown
    self.protection = protection ?? teardown.protection
    self.flush = flush
    self.omission = omission
  }

  // MARK: Operations

  /// Maps one page, as a guest fault does: installs the tables that are missing on the way.
  public func map(_ cpu: VirtualCPU, _ address: Int) throws -> Stage2Result {
    try inSection(cpu) {
      var table = root
      for level in 0..<geometry.lastLevel {
        let slot = table.entry(of: address, at: level)
        let old = try read(cpu, slot)
        if old.isLeaf { return .already }
        if old.isLocked { return .retry }
        if let next = cpu.table(at: old) {
          table = next
          continue
        }
        switch try installTable(cpu, in: table, slot) {
        case .installed(let next): table = next
        case .gaveUp(let result): return result
        }
      }
      return try installPage(cpu, in: table, address)
    }
  }

  /// Removes the mapping of one page.
  public func unmap(_ cpu: VirtualCPU, _ address: Int) throws -> Stage2Result {
    try inSection(cpu) {
      var table = root
      for level in 0..<geometry.levels {
        let slot = table.entry(of: address, at: level)
        let old = try read(cpu, slot)
        if old.isLocked { return .retry }
        if old == .invalid { return .already }
        if level < geometry.lastLevel, let next = cpu.table(at: old) {
          table = next
          continue
        }
        // A block above the last level would have to be split first; scenarios do not unmap it.
        guard level == geometry.lastLevel else { return .retry }
        let broken = try cpu.compareExchange(
          slot, expected: old, desired: .invalid, .acquireRelease)
        guard broken.exchanged else { return .retry }
        try flush.perform(cpu, address..<(address + 1), of: root)
        try cpu.putPage(table)
        return .done
      }
      return .already
    }
  }

  /// Looks an address up in software, without any lock.
  public func lookUp(_ cpu: VirtualCPU, _ address: Int) throws -> Stage2Result {
    try inSection(cpu) {
      var table = root
      for level in 0..<geometry.levels {
        let found = try read(cpu, table.entry(of: address, at: level))
        if found.isLocked { return .retry }
        if found.isLeaf { return .mapped }
        guard let next = cpu.table(at: found) else { return .notMapped }
        table = next
      }
      return .notMapped
    }
  }

  /// Replaces the table below a root entry by a block, as a guest fault does once dirty logging
  /// is off.
  public func collapse(_ cpu: VirtualCPU, _ address: Int) throws -> Stage2Result {
    if teardown == .afterInterrupts { return try collapseByInterrupts(cpu, address) }
    return try inSection(cpu) {
      switch try unlinkTable(cpu, address) {
      case .unlinked(let table):
        try free(cpu, unlinked: table, level: 1)
        return .done
      case .gaveUp(let result): return result
      }
    }
  }

  private enum Unlinking {
    case unlinked(TablePage)
    case gaveUp(Stage2Result)
  }

  /// Puts a block in the place of the table below a root entry.
  private func unlinkTable(_ cpu: VirtualCPU, _ address: Int) throws -> Unlinking {
    let index = geometry.index(of: address, at: 0)
    let slot = root.entry(index)
    let old = try read(cpu, slot)
    if old.isLeaf { return .gaveUp(.already) }
    guard let table = cpu.table(at: old) else { return .gaveUp(.retry) }
    guard try tryBreak(cpu, slot, old, in: root) else { return .gaveUp(.retry) }
    let span = geometry.span(ofEntryAt: 0)
    let covered = (index * span)..<((index + 1) * span)
    if omission != .flushBeforeMake { try flush.perform(cpu, covered, of: root) }
    try make(cpu, slot, .block(covered.lowerBound), in: root)
    if omission == .flushBeforeMake { try flush.perform(cpu, covered, of: root) }
    return .unlinked(table)
  }

  /// The same for code without RCU: nobody who masked interrupts before the table was unlinked has
  /// them masked still when all have taken an interrupt, so nobody holds the table then.
  private func collapseByInterrupts(_ cpu: VirtualCPU, _ address: Int) throws -> Stage2Result {
    if omission == .unlinkBeforeInterrupting { try cpu.interruptOthers() }
    try enter(cpu)
    let unlinking = try unlinkTable(cpu, address)
    if omission != .unmaskBeforeInterrupting { try leave(cpu) }
    let result: Stage2Result
    switch unlinking {
    case .gaveUp(let reason): result = reason
    case .unlinked(let table):
      if omission != .interrupt && omission != .unlinkBeforeInterrupting {
        try cpu.interruptOthers()
      }
      try free(cpu, unlinked: table, level: 1)
      result = .done
    }
    if omission == .unmaskBeforeInterrupting { try leave(cpu) }
    return result
  }

  // MARK: Steps they have in common

  private func inSection(
    _ cpu: VirtualCPU, _ body: () throws -> Stage2Result
  ) throws -> Stage2Result {
    try enter(cpu)
    let result = try body()
    try leave(cpu)
    return result
  }

  private func enter(_ cpu: VirtualCPU) throws {
    switch protection {
    case .nothing: break
    case .rcu: try cpu.rcuReadLock()
    case .maskedInterrupts: if omission != .mask { try cpu.maskInterrupts() }
    }
  }

  private func leave(_ cpu: VirtualCPU) throws {
    switch protection {
    case .nothing: break
    case .rcu: try cpu.rcuReadUnlock()
    case .maskedInterrupts: if omission != .mask { try cpu.unmaskInterrupts() }
    }
  }

  private func read(_ cpu: VirtualCPU, _ slot: Entry) throws -> Descriptor {
    let isProtected = protection != .nothing
    return isProtected ? try cpu.rcuDereference(slot) : try cpu.load(slot, .acquire)
  }

  /// Takes ownership of an entry (`stage2_try_break_pte`): whoever locks it first has it.
  private func tryBreak(
    _ cpu: VirtualCPU, _ slot: Entry, _ old: Descriptor, in table: TablePage
  ) throws -> Bool {
    if omission == .compareExchange {
      // No compare-exchange: whoever else has read the entry locks it as well.
      try cpu.store(slot, .locked, .relaxed)
    } else {
      let broken = try cpu.compareExchange(
        slot, expected: old, desired: .locked, .acquireRelease)
      guard broken.exchanged else { return false }
    }
    if old.isValid { try cpu.putPage(table) }
    return true
  }

  /// Writes the new entry where one was broken (`stage2_make_pte`).
  private func make(
    _ cpu: VirtualCPU, _ slot: Entry, _ new: Descriptor, in table: TablePage
  ) throws {
    if omission != .getPage { try cpu.getPage(table) }
    try cpu.store(slot, new, .release)
  }

  private enum Installation {
    case installed(TablePage)
    case gaveUp(Stage2Result)
  }

  private func installTable(
    _ cpu: VirtualCPU, in table: TablePage, _ slot: Entry
  ) throws -> Installation {
    if omission == .unlockWhenOutOfMemory {
      guard try tryBreak(cpu, slot, .invalid, in: table) else { return .gaveUp(.retry) }
      // No way back: the entry stays locked.
      guard let new = try cpu.allocateTable() else { return .gaveUp(.outOfMemory) }
      try make(cpu, slot, .table(new), in: table)
      return .installed(new)
    }
    guard let new = try cpu.allocateTable() else { return .gaveUp(.outOfMemory) }
    guard try tryBreak(cpu, slot, .invalid, in: table) else {
      try cpu.putPage(new)
      return .gaveUp(.retry)
    }
    try make(cpu, slot, .table(new), in: table)
    return .installed(new)
  }

  private func installPage(
    _ cpu: VirtualCPU, in table: TablePage, _ address: Int
  ) throws -> Stage2Result {
    let slot = table.entry(of: address, at: geometry.lastLevel)
    let old = try read(cpu, slot)
    if old.isLeaf { return .already }
    guard !old.isLocked, try tryBreak(cpu, slot, old, in: table) else { return .retry }
    try make(cpu, slot, .page(address), in: table)
    return .done
  }

  // MARK: Freeing an unlinked subtree

  private func free(_ cpu: VirtualCPU, unlinked table: TablePage, level: Int) throws {
    switch teardown {
    case .inCallback:
      try cpu.callRCU { cpu in try tearDown(cpu, table, level) }
    case .afterWaitingInSection:
      try cpu.synchronizeRCU()
      try tearDown(cpu, table, level)
    case .walkUnlocked, .walkUnlockedAndFreeAtOnce, .lockDescendants, .lockDescendantsAndFreeAtOnce,
      .afterInterrupts:
      try cpu.scope("tear down") { try tearDown(cpu, table, level) }
    }
  }

  /// Takes a subtree apart bottom up (`kvm_pgtable_stage2_free_removed`): drops the reference each
  /// entry holds on its table, then the table's own.
  private func tearDown(_ cpu: VirtualCPU, _ table: TablePage, _ level: Int) throws {
    for index in 0..<geometry.entries {
      let entry = try takeEntry(cpu, table.entry(index))
      guard entry.isValid else { continue }
      if level < geometry.lastLevel, let below = cpu.table(at: entry) {
        try tearDown(cpu, below, level + 1)
      }
      try put(cpu, table)
    }
    try put(cpu, table)
  }

  /// Reads an entry of an unlinked table, and locks it if that is how teardown owns it.
  private func takeEntry(_ cpu: VirtualCPU, _ slot: Entry) throws -> Descriptor {
    guard teardown == .lockDescendants || teardown == .lockDescendantsAndFreeAtOnce else {
      return try cpu.load(slot, .relaxed)
    }
    while true {
      // A walker that has locked the entry makes it before it leaves, so this wait ends.
      let found = try cpu.wait(until: slot, .differs(from: .locked))
      let taken = try cpu.compareExchange(
        slot, expected: found, desired: .locked, .acquireRelease)
      if taken.exchanged { return found }
    }
  }

  /// Drops a reference to an unlinked table; the last one frees it, now or after a grace period.
  private func put(_ cpu: VirtualCPU, _ table: TablePage) throws {
    switch teardown {
    case .walkUnlocked, .lockDescendants:
      let before = try cpu.fetchAdd(table.references, -1, .release)
      if before == 1 { try cpu.callRCU { cpu in try cpu.free(table) } }
    case .walkUnlockedAndFreeAtOnce, .lockDescendantsAndFreeAtOnce, .inCallback,
      .afterWaitingInSection, .afterInterrupts:
      try cpu.putPage(table)
    }
  }
}
