// A stage-2 page table walked in parallel, as in KVM/arm64: map, unmap, look up and collapse.

import Gracewalk

/// What an operation on the table came to; thrown where it gives up half-way.
enum Stage2Result: UInt64, OperationResult, Error {
  case done
  /// The entry already was as requested.
  case already
  /// Another CPU is changing an entry: the guest faults again, and the caller retries.
  case retry
  case outOfMemory
  case notMapped, mapped
}

/// A stage-2 table of reference-counted pages (Linux 6.2, arch/arm64/kvm/hyp/pgtable.c).
///
/// Address `n` is mapped to data frame `n`, so a block maps the same frames as the pages it
/// replaces. Each operation gives up with `.retry` if it finds a locked entry or loses a
/// compare-exchange, as the kernel's walkers return `-EAGAIN` to the guest's fault.
struct Stage2Table: Sendable {
  /// How an unlinked subtree is taken apart, with walkers still in it.
  struct Teardown: Sendable {
    enum Walkers { case unprotected, inSections, maskInterrupts }
    enum Order {
      case freeAtOnce
      /// The subtree is walked at once, and each page is freed after a grace period.
      case freeByCallbacks
      /// Nothing is touched until the grace period is over.
      case walkInCallback
      /// The grace period is waited for on the spot, inside the walker's own read-side section.
      case waitInSection
      /// Every other CPU takes an interrupt first.
      case interruptOthers
    }

    var order: Order
    /// Whether each entry of the subtree is locked before it is believed.
    var locksEntries = false
    var walkers = Walkers.inSections

    static let standard = Teardown(order: .walkInCallback)
    /// Where a lock around all operations is the protection.
    static let unprotected = Teardown(order: .freeAtOnce, walkers: .unprotected)
  }

  let root: TablePage
  let geometry: Geometry
  let teardown: Teardown
  /// How hardware is made to forget a valid entry that was broken; nil if none walks the table.
  let flush: Flush?

  init(_ scenario: Scenario, _ teardown: Teardown = .standard, flush: Flush? = nil) {
    root = scenario.rootTable()
    geometry = scenario.geometry
    self.teardown = teardown
    self.flush = flush
  }

  func operation(_ call: MapCall, _ address: Int) -> CPUOperation {
    CPUOperation(call, address) { cpu in
      switch call {
      case .map: try map(cpu, address)
      case .unmap: try unmap(cpu, address)
      case .lookUp: try lookUp(cpu, address)
      case .collapse: try collapse(cpu, address)
      }
    }
  }

  /// Maps one page, as a guest fault does: installs the tables that are missing on the way.
  func map(_ cpu: VirtualCPU, _ address: Int) throws -> Stage2Result {
    try walking(cpu) {
      var table = root
      for level in 0..<geometry.levels {
        let slot = table.entry(of: address, at: level)
        let old = try read(cpu, slot)
        if old.isLeaf { return .already }
        if old.isLocked { return .retry }
        if let next = cpu.table(at: old) {
          table = next
        } else if level < geometry.lastLevel {
          table = try installTable(cpu, slot)
        } else {
          guard try tryBreak(cpu, slot, old) else { return .retry }
          try make(cpu, slot, .page(address))
        }
      }
      return .done
    }
  }

  /// Removes the mapping of one page.
  func unmap(_ cpu: VirtualCPU, _ address: Int) throws -> Stage2Result {
    try walking(cpu) {
      let (slot, level, found) = try walk(cpu, to: address)
      if found == .invalid { return .already }
      // A block above the last level would have to be split first; scenarios do not unmap it.
      guard !found.isLocked, level == geometry.lastLevel,
        try cpu.tryCompareExchange(slot, found, .invalid, .acquireRelease)
      else { return .retry }
      try flush?.perform(cpu, address..<(address + 1), of: root)
      try cpu.putPage(of: slot)
      return .done
    }
  }

  /// Looks an address up in software, without any lock.
  func lookUp(_ cpu: VirtualCPU, _ address: Int) throws -> Stage2Result {
    try walking(cpu) {
      let found = try walk(cpu, to: address).found
      return found.isLocked ? .retry : found.isLeaf ? .mapped : .notMapped
    }
  }

  /// Replaces the table below a root entry by a block, as a guest fault does once dirty logging
  /// is off.
  func collapse(_ cpu: VirtualCPU, _ address: Int) throws -> Stage2Result {
    if teardown.order == .interruptOthers { return try collapseByInterrupts(cpu, address) }
    return try walking(cpu) {
      let unlinked = try unlinkTable(cpu, address)
      switch teardown.order {
      case .walkInCallback: try cpu.callRCU { cpu in try tearDown(cpu, unlinked, 1) }
      case .waitInSection:
        try cpu.synchronizeRCU()
        try tearDown(cpu, unlinked, 1)
      default: try cpu.scope("tear down") { try tearDown(cpu, unlinked, 1) }
      }
      return .done
    }
  }

  /// The same for code without RCU: holders of the table have interrupts masked, so none is left
  /// when all CPUs have taken an interrupt.
  private func collapseByInterrupts(_ cpu: VirtualCPU, _ address: Int) throws -> Stage2Result {
    var unlinked: TablePage?
    func free() throws {
      guard let table = unlinked else { return }
      unlinked = nil
      if !cpu.omits("unlinking before interrupting the others"),
        !cpu.omits("interrupting the others before freeing")
      {
        try cpu.interruptOthers()
      }
      try cpu.scope("tear down") { try tearDown(cpu, table, 1) }
    }
    if cpu.omits("unlinking before interrupting the others") { try cpu.interruptOthers() }
    let result = try walking(cpu) {
      unlinked = try unlinkTable(cpu, address)
      if cpu.omits("unmasking interrupts before waiting for the others") { try free() }
      return .done
    }
    try free()
    return result
  }

  /// Runs a walker's code with what keeps tables from being freed below it.
  private func walking(
    _ cpu: VirtualCPU, _ body: () throws -> Stage2Result
  ) throws -> Stage2Result {
    let masks =
      teardown.walkers == .maskInterrupts
      && !cpu.omits("masking interrupts on the way through the table")
    if teardown.walkers == .inSections { try cpu.rcuReadLock() }
    if masks { try cpu.maskInterrupts() }
    let result: Stage2Result
    do { result = try body() } catch let reason as Stage2Result { result = reason }
    if teardown.walkers == .inSections { try cpu.rcuReadUnlock() }
    if masks { try cpu.unmaskInterrupts() }
    return result
  }

  private func read(_ cpu: VirtualCPU, _ slot: Entry) throws -> Descriptor {
    try teardown.walkers == .unprotected ? cpu.load(slot, .acquire) : cpu.rcuDereference(slot)
  }

  /// Goes down to the entry for an address that leads to no table.
  private func walk(
    _ cpu: VirtualCPU, to address: Int
  ) throws -> (slot: Entry, level: Int, found: Descriptor) {
    var (slot, level) = (root.entry(of: address, at: 0), 0)
    while true {
      let found = try read(cpu, slot)
      guard level < geometry.lastLevel, let next = cpu.table(at: found) else {
        return (slot, level, found)
      }
      level += 1
      slot = next.entry(of: address, at: level)
    }
  }

  /// Takes ownership of an entry (`stage2_try_break_pte`): the CPU that locks it first has it.
  private func tryBreak(_ cpu: VirtualCPU, _ slot: Entry, _ old: Descriptor) throws -> Bool {
    if cpu.omits("the compare-exchange that locks an entry") {
      // Whoever else has read the entry locks it as well.
      try cpu.store(slot, .locked, .relaxed)
    } else if try !cpu.tryCompareExchange(slot, old, .locked, .acquireRelease) {
      return false
    }
    if old.isValid { try cpu.putPage(of: slot) }
    return true
  }

  /// Writes the new entry over a broken one (`stage2_make_pte`).
  private func make(_ cpu: VirtualCPU, _ slot: Entry, _ new: Descriptor) throws {
    if !cpu.omits("the reference an entry holds on its table") { try cpu.getPage(of: slot) }
    try cpu.store(slot, new, .release)
  }

  private func installTable(_ cpu: VirtualCPU, _ slot: Entry) throws -> TablePage {
    // If memory runs out after that, the entry stays locked.
    let locksFirst = cpu.omits("unlocking the entry when memory has run out")
    if locksFirst, try !tryBreak(cpu, slot, .invalid) { throw Stage2Result.retry }
    guard let new = try cpu.allocateTable() else { throw Stage2Result.outOfMemory }
    if !locksFirst, try !tryBreak(cpu, slot, .invalid) {
      try cpu.putPage(new)
      throw Stage2Result.retry
    }
    try make(cpu, slot, .table(new))
    return new
  }

  /// Replaces the table below a root entry by a block.
  private func unlinkTable(_ cpu: VirtualCPU, _ address: Int) throws -> TablePage {
    let slot = root.entry(of: address, at: 0)
    let old = try read(cpu, slot)
    if old.isLeaf { throw Stage2Result.already }
    guard let table = cpu.table(at: old), try tryBreak(cpu, slot, old) else {
      throw Stage2Result.retry
    }
    let covered = geometry.addresses(sharingEntryWith: address, at: 0)
    let makesFirst = cpu.omits("the flush before the make")
    if !makesFirst { try flush?.perform(cpu, covered, of: root) }
    try make(cpu, slot, .block(covered.lowerBound))
    if makesFirst { try flush?.perform(cpu, covered, of: root) }
    return table
  }

  /// Takes a subtree apart bottom up (`kvm_pgtable_stage2_free_removed`): drops the reference each
  /// entry holds on its table, then the table's own.
  private func tearDown(_ cpu: VirtualCPU, _ table: TablePage, _ level: Int) throws {
    for index in 0..<geometry.entries {
      let entry = try takeEntry(cpu, table.entry(index))
      guard entry.isValid else { continue }
      if level < geometry.lastLevel, let next = cpu.table(at: entry) {
        try tearDown(cpu, next, level + 1)
      }
      try put(cpu, table)
    }
    try put(cpu, table)
  }

  /// Reads an entry of an unlinked table, and locks it if the teardown does so.
  private func takeEntry(_ cpu: VirtualCPU, _ slot: Entry) throws -> Descriptor {
    guard teardown.locksEntries else { return try cpu.load(slot, .relaxed) }
    while true {
      // A walker that has locked the entry makes it before it leaves, so this wait ends.
      let found = try cpu.wait(until: slot, .differs(from: .locked))
      if try cpu.tryCompareExchange(slot, found, .locked, .acquireRelease) { return found }
    }
  }

  /// Drops a reference to an unlinked table; the last one frees it, now or after a grace period.
  private func put(_ cpu: VirtualCPU, _ table: TablePage) throws {
    if teardown.order != .freeByCallbacks {
      try cpu.putPage(table)
    } else if try cpu.fetchAdd(table.references, -1, .release) == 1 {
      try cpu.callRCU { cpu in try cpu.free(table) }
    }
  }
}
