// What a CPU has written to tables, and hardware may not know yet.

import GracewalkSupport

/// Entries that a CPU has written, and which of them no barrier has published yet.
struct WrittenEntries: Hashable {
  struct Change: Hashable {
    var cell: UInt32
    /// What it was changed to.
    var new: Descriptor
  }

  /// Since the latest invalidation that has completed.
  var changed: [Change] = []
  /// Since the latest barrier.
  var unpublished: [UInt32] = []
  /// Those among them that were made valid.
  var made: [UInt32] = []

  /// - Parameter old: nil if it is not known.
  mutating func note(_ cell: UInt32, _ new: Descriptor, after old: Descriptor?) {
    if !new.isValid {
      made.removeAll { $0 == cell }
    } else if old?.isValid != true && !made.contains(cell) {
      made.append(cell)
    }
    changed.removeAll { $0.cell == cell }
    changed.append(Change(cell: cell, new: new))
    if !unpublished.contains(cell) { unpublished.append(cell) }
  }

  /// Adds it to a hash, in which nothing stands for nothing.
  func extend(_ state: inout UInt64) {
    for change in changed {
      state = StableHash.extend(state, with: UInt64(change.cell))
      state = StableHash.extend(state, with: change.new.bits)
    }
    for cell in unpublished { state = StableHash.extend(state, with: ~UInt64(cell)) }
    for cell in made { state = StableHash.extend(state, with: UInt64(cell) << 32) }
  }
}
