// A stage-2 table without RCU: walkers hold a reference to each table page they stand in.

import Gracewalk

/// A table whose pages are kept by counting who stands in them.
///
/// A page's reference count is one for its place in the tree, one for each entry in use, and one
/// for each walker that stands in it. Pages come from a pool and go back there; they are table
/// pages forever, so that a walker that comes too late may look at a count, but must not trust
/// what it finds.
struct CountedTable: Sendable {
  /// A step that a broken sibling leaves out.
  enum Omission {
    /// Raise the count without looking, believe the entry, and give pages back to the system.
    case allSafety
    /// Raise the count although it may be zero.
    case unlessZero
    /// Do not read the entry again once the reference is held.
    case recheck
    /// Give empty tables back to the system.
    case typeSafePages
    /// Test whether a table is empty in one step and give it up in another.
    case freezing
  }

  let root: TablePage
  let geometry: Geometry
  /// A word for each page of the pool: it holds the page while it is free.
  let pool: [Entry]
  private let omission: Omission?

  init(_ scenario: Scenario, omitting omission: Omission? = nil) {
    root = scenario.rootTable()
    geometry = scenario.geometry
    self.omission = omission
    // As many as two ways through the table need.
    pool = (0..<2 * geometry.lastLevel).map {
      scenario.variable("pool.\($0)", initial: Descriptor.invalid)
    }
  }

  private var keepsPages: Bool { omission != .typeSafePages && omission != .allSafety }
  private var testsCount: Bool { omission != .unlessZero && omission != .allSafety }
  private var rechecks: Bool { omission != .recheck && omission != .allSafety }

  /// Fills the pool, before the CPUs start.
  func fillPool(_ cpu: VirtualCPU) throws {
    guard keepsPages else { return }
    for _ in pool {
      guard let page = try cpu.allocateTable() else { return }
      try drop(cpu, page)
    }
  }

  // MARK: Operations

  /// Maps one page, installing the tables that are missing on the way.
  func map(_ cpu: VirtualCPU, _ address: Int) throws -> Stage2Result {
    let way = try walk(cpu, to: address, installing: true)
    var result = way.gaveUp
    if way.gaveUp == nil { result = try installPage(cpu, in: way.end, address) }
    try leave(cpu, way.tables)
    return result ?? .retry
  }

  /// Removes the mapping of one page, and the tables that are empty then.
  func unmap(_ cpu: VirtualCPU, _ address: Int) throws -> Stage2Result {
    let way = try walk(cpu, to: address, installing: false)
    guard way.gaveUp == nil else {
      try leave(cpu, way.tables)
      return way.gaveUp == .notMapped ? .already : .retry
    }
    let result = try removePage(cpu, from: way.end, address)
    var held = way.tables
    while result == .done && held.count > 1 {
      let slot = held[held.count - 2].entry(of: address, at: held.count - 2)
      guard try freeIfEmpty(cpu, held[held.count - 1], slot, in: held[held.count - 2]) else {
        break
      }
      held.removeLast()
    }
    try leave(cpu, held)
    return result
  }

  /// Looks an address up.
  func lookUp(_ cpu: VirtualCPU, _ address: Int) throws -> Stage2Result {
    let way = try walk(cpu, to: address, installing: false)
    var result = way.gaveUp ?? .notMapped
    if way.gaveUp == nil {
      let slot = way.end.entry(of: address, at: geometry.lastLevel)
      if try cpu.load(slot, .acquire).isLeaf { result = .mapped }
    }
    try leave(cpu, way.tables)
    return result
  }

  // MARK: Walking

  /// The tables a walker stands in, the root first, and why it went no further, if it did not.
  private struct Way {
    var tables: [TablePage]
    var gaveUp: Stage2Result?
    var end: TablePage { tables[tables.count - 1] }
  }

  private func walk(_ cpu: VirtualCPU, to address: Int, installing: Bool) throws -> Way {
    var way = Way(tables: [root])
    for level in 0..<geometry.lastLevel {
      let slot = way.end.entry(of: address, at: level)
      var entry = try cpu.load(slot, .acquire)
      if entry == .invalid && installing {
        switch try installTable(cpu, in: way.end, slot) {
        case .installed(let new): entry = .table(new)
        case .gaveUp(let result): way.gaveUp = result
        }
      }
      if way.gaveUp != nil { return way }
      guard let next = cpu.table(at: entry) else {
        way.gaveUp = .notMapped
        return way
      }
      guard try hold(cpu, next, slot) else {
        way.gaveUp = .retry
        return way
      }
      way.tables.append(next)
    }
    return way
  }

  /// Takes a reference to the table that was found in an entry; false if it may be gone by now.
  private func hold(_ cpu: VirtualCPU, _ table: TablePage, _ slot: Entry) throws -> Bool {
    if testsCount {
      // A page that nobody counts on is in the pool, or on its way there.
      guard try cpu.incrementUnlessZero(table.references, .acquire) else { return false }
    } else {
      try cpu.getPage(table)
    }
    guard rechecks else { return true }
    // The page is not given up while it is held: what the entry says now stays true.
    if try cpu.load(slot, .acquire) == .table(table) { return true }
    try drop(cpu, table)
    return false
  }

  /// Drops the references of the way down on the way back; the root needs none.
  private func leave(_ cpu: VirtualCPU, _ tables: [TablePage]) throws {
    for table in tables.dropFirst().reversed() { try drop(cpu, table) }
  }

  // MARK: Changing entries

  private enum Installation {
    case installed(TablePage)
    case gaveUp(Stage2Result)
  }

  private func installTable(
    _ cpu: VirtualCPU, in table: TablePage, _ slot: Entry
  ) throws -> Installation {
    guard let new = try takePage(cpu) else { return .gaveUp(.outOfMemory) }
    if try install(cpu, .table(new), in: table, slot) { return .installed(new) }
    try drop(cpu, new)
    return .gaveUp(.retry)
  }

  private func installPage(
    _ cpu: VirtualCPU, in table: TablePage, _ address: Int
  ) throws -> Stage2Result {
    let slot = table.entry(of: address, at: geometry.lastLevel)
    if try cpu.load(slot, .acquire).isLeaf { return .already }
    return try install(cpu, .page(address), in: table, slot) ? .done : .retry
  }

  /// Makes an entry that was invalid; it is counted before anybody can see it.
  private func install(
    _ cpu: VirtualCPU, _ new: Descriptor, in table: TablePage, _ slot: Entry
  ) throws -> Bool {
    try cpu.getPage(table)
    let made = try cpu.compareExchange(
      slot, expected: .invalid, desired: new, .acquireRelease)
    if !made.exchanged { try drop(cpu, table) }
    return made.exchanged
  }

  private func removePage(
    _ cpu: VirtualCPU, from table: TablePage, _ address: Int
  ) throws -> Stage2Result {
    let slot = table.entry(of: address, at: geometry.lastLevel)
    let old = try cpu.load(slot, .acquire)
    guard old.isLeaf else { return .already }
    let broken = try cpu.compareExchange(
      slot, expected: old, desired: .invalid, .acquireRelease)
    guard broken.exchanged else { return .retry }
    try drop(cpu, table)
    return .done
  }

  /// Unlinks a table and gives it back if only the tree and the caller count on it.
  private func freeIfEmpty(
    _ cpu: VirtualCPU, _ table: TablePage, _ slot: Entry, in parent: TablePage
  ) throws -> Bool {
    let onlyMine: UInt64 = 2
    if omission == .freezing {
      // Somebody may come in, and install an entry, between this test and the unlinking.
      guard try cpu.load(table.references, .acquire) == onlyMine else { return false }
    } else {
      let frozen = try cpu.compareExchange(
        table.references, expected: onlyMine, desired: 0, .acquireRelease)
      guard frozen.exchanged else { return false }
    }
    try cpu.store(slot, .invalid, .release)
    try drop(cpu, parent)
    if omission == .freezing {
      try drop(cpu, table)
      try drop(cpu, table)
    } else {
      try giveBack(cpu, table)
    }
    return true
  }

  // MARK: Pages

  /// Drops a reference; the last one gives the page back.
  private func drop(_ cpu: VirtualCPU, _ page: TablePage) throws {
    let before = try cpu.fetchAdd(page.references, -1, .release)
    if before == 1 { try giveBack(cpu, page) }
  }

  /// An empty table with one reference, for its place in the tree; nil if there is none left.
  private func takePage(_ cpu: VirtualCPU) throws -> TablePage? {
    guard keepsPages else { return try cpu.allocateTable() }
    for place in pool {
      let found = try cpu.exchange(place, .invalid, .acquireRelease)
      guard let page = cpu.table(at: found) else { continue }
      try cpu.store(page.references, 1, .release)
      return page
    }
    return nil
  }

  /// Puts a page into its place in the pool.
  private func giveBack(_ cpu: VirtualCPU, _ page: TablePage) throws {
    guard keepsPages else { return try cpu.free(page) }
    // Pages of the pool are allocated right after the root, one for each place.
    let place = pool[page.id - root.id - 1]
    try cpu.store(place, .table(page), .release)
  }
}
