// What a CPU may still do, as far as it decides which of its views matter.

/// What matters of a CPU's views: the rest is forgotten.
package struct FutureUse: Equatable, Sendable {
  /// Whether nothing is known, so that everything matters.
  package var isUnknown = false
  /// Words that loads may read, as a set; a read-modify-write that may fail is one.
  package var loaded: UInt64 = 0
  /// Words that read-modify-writes may read.
  package var updated: UInt64 = 0
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

  func mayLoad(_ word: UInt32) -> Bool { isUnknown || loaded >> UInt64(word) & 1 == 1 }

  func mayRead(_ word: UInt32) -> Bool {
    isUnknown || (loaded | updated) >> UInt64(word) & 1 == 1
  }
}
