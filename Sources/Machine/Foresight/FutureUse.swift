// What a CPU may still do, as far as it decides which of its views matter.

/// What matters of a CPU's views: the rest is forgotten.
package struct FutureUse: Equatable, Sendable {
  /// Whether nothing is known, so that everything matters.
  package var isUnknown = false
  /// Words that loads may read, as a set; a read-modify-write that may fail is one.
  package var loaded: UInt64 = 0
  /// Words that read-modify-writes may read.
  package var updated: UInt64 = 0
  /// Words that it may store to, where the whole code is known.
  package var stored: UInt64 = 0
  /// The first two for more words than 64; nil if those sets are meant.
  package var cells: FutureCells?
  package var loads = false
  /// Whether something orders loads that came before it.
  package var ordersReads = false
  /// Whether something orders visible stores that came before it.
  package var ordersWrites = false
  package var acquires = false
  package var hasISB = false
  /// Whether it enters or leaves a section, or waits for a grace period.
  package var hasSections = false
  package var hasExclusiveStore = false
  /// Registers that are read, and those whose view matters.
  package var registers: UInt64 = 0
  package var views: UInt64 = 0

  package init() {}

  /// That of a CPU whose code cannot be seen.
  package static let unknown: FutureUse = {
    var use = FutureUse()
    use.isUnknown = true
    use.loads = true
    use.ordersReads = true
    use.ordersWrites = true
    use.acquires = true
    use.hasSections = true
    return use
  }()

  func mayLoad(_ word: UInt32) -> Bool {
    isUnknown || (cells.map { $0.loaded.contains(word) } ?? (loaded >> UInt64(word) & 1 == 1))
  }

  package func mayRead(_ word: UInt32) -> Bool {
    if isUnknown { return true }
    if let cells { return cells.loaded.contains(word) || cells.updated.contains(word) }
    return (loaded | updated) >> UInt64(word) & 1 == 1
  }

  /// True if it may access something through the address of an object.
  func mayReach(_ object: UInt32) -> Bool {
    isUnknown || (cells.map { $0.reached.contains(object) } ?? true)
  }

  /// Others come to know of what it has read and written.
  mutating func showsViews() {
    hasSections = true
    ordersReads = true
    ordersWrites = true
  }

  package mutating func join(_ other: FutureUse) {
    isUnknown = isUnknown || other.isUnknown
    loaded |= other.loaded
    updated |= other.updated
    stored |= other.stored
    if let theirs = other.cells { cells = cells?.joined(with: theirs) ?? theirs }
    loads = loads || other.loads
    ordersReads = ordersReads || other.ordersReads
    ordersWrites = ordersWrites || other.ordersWrites
    acquires = acquires || other.acquires
    hasISB = hasISB || other.hasISB
    hasSections = hasSections || other.hasSections
    hasExclusiveStore = hasExclusiveStore || other.hasExclusiveStore
    registers |= other.registers
    views |= other.views
  }

  /// True if joining the other one would change nothing.
  func covers(_ other: FutureUse) -> Bool {
    if isUnknown { return true }
    var joined = self
    joined.join(other)
    return joined == self
  }
}

/// The words that a CPU may still access, where there may be many; shared by copies.
package final class FutureCells: Equatable, Sendable {
  /// Those that loads may read, and read-modify-writes.
  let loaded: CellSet
  let updated: CellSet
  /// The objects through whose addresses it may access something.
  let reached: CellSet

  init(
    loaded: CellSet = CellSet(), updated: CellSet = CellSet(), reached: CellSet = CellSet()
  ) {
    self.loaded = loaded
    self.updated = updated
    self.reached = reached
  }

  package static func == (a: FutureCells, b: FutureCells) -> Bool {
    a.loaded == b.loaded && a.updated == b.updated && a.reached == b.reached
  }

  func joined(with other: FutureCells) -> FutureCells {
    FutureCells(
      loaded: loaded.union(other.loaded), updated: updated.union(other.updated),
      reached: reached.union(other.reached))
  }
}

/// A set of words of the machine's memory.
struct CellSet: Equatable, Sendable {
  /// Without zeros at the end.
  private var bits: [UInt64] = []

  func contains(_ cell: UInt32) -> Bool {
    let word = Int(cell >> 6)
    return word < bits.count && bits[word] >> UInt64(cell & 63) & 1 == 1
  }

  mutating func insert(_ cell: UInt32) {
    let word = Int(cell >> 6)
    while bits.count <= word { bits.append(0) }
    bits[word] |= 1 << UInt64(cell & 63)
  }

  func union(_ other: CellSet) -> CellSet {
    var joined = self
    while joined.bits.count < other.bits.count { joined.bits.append(0) }
    for word in other.bits.indices { joined.bits[word] |= other.bits[word] }
    return joined
  }
}
