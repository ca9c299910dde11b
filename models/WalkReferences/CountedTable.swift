// A stage-2 table without RCU: walkers hold a reference to each table page they are in.

import Gracewalk

/// A table whose pages are kept by counting the walkers that stand in them.
///
/// Invariant: a page's reference count is one for its place in the tree, plus one for each entry in
/// use, plus one for each walker in it. Pages come from a pool and return to it; they stay table
/// pages forever, so a walker that is too late may read a count, but must not trust the page's
/// contents.
struct CountedTable: Sendable {
  let root: TablePage
  let geometry: Geometry
  /// A word for each page of the pool: it holds the page while it is free.
  let pool: [Entry]
  /// Whether freed pages stay table pages; else they go back to the system.
  private let keepsPages: Bool
  /// Whether a count is raised only if it is not zero.
  private let testsCount: Bool
  /// Whether an entry is read again once the reference is held.
  private let rechecks: Bool

  init(_ scenario: Scenario) {
    root = scenario.rootTable()
    geometry = scenario.geometry
    // As many as two paths through the table need.
    pool = (0..<2 * geometry.lastLevel).map {
      scenario.variable("pool.\($0)", initial: Descriptor.invalid)
    }
    let isNaive = scenario.omits("all that makes the reference safe")
    keepsPages = !isNaive && !scenario.omits("keeping the memory of freed tables")
    testsCount = !isNaive && !scenario.omits("testing that the count is not zero")
    rechecks = !isNaive && !scenario.omits("reading the entry again")
  }

  /// Fills the pool, before the CPUs start.
  func fillPool(_ cpu: VirtualCPU) throws {
    for _ in pool where keepsPages {
      guard let page = try cpu.allocateTable() else { return }
      try drop(cpu, page)
    }
  }

  func operation(_ call: MapCall, _ address: Int) -> CPUOperation {
    CPUOperation(call, address) { cpu in
      switch call {
      case .map: try map(cpu, address)
      case .unmap: try unmap(cpu, address)
      default: try lookUp(cpu, address)
      }
    }
  }

  /// Maps one page, installing the tables that are missing on the way.
  func map(_ cpu: VirtualCPU, _ address: Int) throws -> Stage2Result {
    try walking(cpu, to: address, .map) { table, slot in
      if try cpu.load(slot, .acquire).isLeaf { return .already }
      return try install(cpu, .page(address), in: table, slot) ? .done : .retry
    }
  }

  /// Removes the mapping of one page, and the tables that become empty.
  private func unmap(_ cpu: VirtualCPU, _ address: Int) throws -> Stage2Result {
    let result = try walking(cpu, to: address, .unmap) { table, slot in
      let old = try cpu.load(slot, .acquire)
      guard old.isLeaf else { return .already }
      guard try cpu.tryCompareExchange(slot, old, .invalid, .acquireRelease) else { return .retry }
      try drop(cpu, table)
      return .done
    }
    return result == .notMapped ? .already : result
  }

  private func lookUp(_ cpu: VirtualCPU, _ address: Int) throws -> Stage2Result {
    try walking(cpu, to: address, .lookUp) { _, slot in
      try cpu.load(slot, .acquire).isLeaf ? .mapped : .notMapped
    }
  }

  /// Takes a reference to each table on the way to an address, runs code on the page's entry, and
  /// drops the references on the way back; the root needs none.
  private func walking(
    _ cpu: VirtualCPU, to address: Int, _ call: MapCall,
    _ body: (TablePage, Entry) throws -> Stage2Result
  ) throws -> Stage2Result {
    var held = [root]
    var result: Stage2Result
    do {
      for level in 0..<geometry.lastLevel {
        let slot = held[level].entry(of: address, at: level)
        var entry = try cpu.load(slot, .acquire)
        if entry == .invalid && call == .map {
          entry = .table(try installTable(cpu, in: held[level], slot))
        }
        guard let next = cpu.table(at: entry) else { throw Stage2Result.notMapped }
        guard try hold(cpu, next, slot) else { throw Stage2Result.retry }
        held.append(next)
      }
      let last = held[geometry.lastLevel]
      result = try body(last, last.entry(of: address, at: geometry.lastLevel))
    } catch let reason as Stage2Result { result = reason }
    if call == .unmap && result == .done {
      while held.count > 1, try freeIfEmpty(cpu, held, address) { held.removeLast() }
    }
    for table in held.dropFirst().reversed() { try drop(cpu, table) }
    return result
  }

  /// Takes a reference to the table found in an entry; false if it may have been unlinked since.
  private func hold(_ cpu: VirtualCPU, _ table: TablePage, _ slot: Entry) throws -> Bool {
    if !testsCount {
      try cpu.getPage(table)
    } else if try !cpu.incrementUnlessZero(table.references, .acquire) {
      // A page without references is in the pool, or about to return there.
      return false
    }
    // The page is not released while it is held, so the entry stays valid.
    if try !rechecks || cpu.load(slot, .acquire) == .table(table) { return true }
    try drop(cpu, table)
    return false
  }

  private func installTable(
    _ cpu: VirtualCPU, in table: TablePage, _ slot: Entry
  ) throws -> TablePage {
    guard let new = try takePage(cpu) else { throw Stage2Result.outOfMemory }
    if try install(cpu, .table(new), in: table, slot) { return new }
    try drop(cpu, new)
    throw Stage2Result.retry
  }

  /// Makes an entry valid; it is counted before any other CPU can see it.
  private func install(
    _ cpu: VirtualCPU, _ new: Descriptor, in table: TablePage, _ slot: Entry
  ) throws -> Bool {
    try cpu.getPage(table)
    if try cpu.tryCompareExchange(slot, .invalid, new, .acquireRelease) { return true }
    try drop(cpu, table)
    return false
  }

  /// Unlinks the last table on a way, and gives it back, if only the tree and the caller count on
  /// it.
  private func freeIfEmpty(_ cpu: VirtualCPU, _ way: [TablePage], _ address: Int) throws -> Bool {
    let (parent, table) = (way[way.count - 2], way[way.count - 1])
    let onlyTests = cpu.omits("giving up the count in the step that tests it")
    let isEmpty =
      try onlyTests
      // Another CPU may enter, and install an entry, between this test and the unlinking.
      ? cpu.load(table.references, .acquire) == 2
      : cpu.tryCompareExchange(table.references, 2, 0, .acquireRelease)
    guard isEmpty else { return false }
    try cpu.store(parent.entry(of: address, at: way.count - 2), .invalid, .release)
    try drop(cpu, parent)
    if onlyTests { for _ in 0..<2 { try drop(cpu, table) } } else { try giveBack(cpu, table) }
    return true
  }

  /// Drops a reference; the last one returns the page.
  private func drop(_ cpu: VirtualCPU, _ page: TablePage) throws {
    if try cpu.fetchAdd(page.references, -1, .release) == 1 { try giveBack(cpu, page) }
  }

  /// An empty table with one reference, for its place in the tree; nil if there is none left.
  private func takePage(_ cpu: VirtualCPU) throws -> TablePage? {
    guard keepsPages else { return try cpu.allocateTable() }
    for place in pool {
      guard let page = cpu.table(at: try cpu.exchange(place, .invalid, .acquireRelease)) else {
        continue
      }
      try cpu.store(page.references, 1, .release)
      return page
    }
    return nil
  }

  private func giveBack(_ cpu: VirtualCPU, _ page: TablePage) throws {
    guard keepsPages else { return try cpu.free(page) }
    // Pages of the pool are allocated right after the root, one for each place.
    try cpu.store(pool[page.id - root.id - 1], .table(page), .release)
  }
}
