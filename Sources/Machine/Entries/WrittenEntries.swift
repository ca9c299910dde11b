// Entries that a CPU has written and hardware may not have seen yet.

import GracewalkSupport

/// Entries that a CPU has written, with those that no barrier has published yet.
struct WrittenEntries: Hashable {
  struct Change: Hashable {
    var cell: UInt32
    /// Its new value.
    var new: Descriptor
  }

  /// Entries changed since the latest completed invalidation.
  var changed: [Change] = []
  /// Entries written since the latest barrier.
  var unpublished: [UInt32] = []
  /// Entries among them that became valid.
  var madeValid: [UInt32] = []

  /// - Parameter old: the old value, or nil if unknown.
  mutating func note(_ cell: UInt32, _ new: Descriptor, after old: Descriptor?) {
    if !new.isValid {
      madeValid.removeAll { $0 == cell }
    } else if old?.isValid != true && !madeValid.contains(cell) {
      madeValid.append(cell)
    }
    changed.removeAll { $0.cell == cell }
    changed.append(Change(cell: cell, new: new))
    if !unpublished.contains(cell) { unpublished.append(cell) }
  }

  /// Extends a hash; an empty value leaves it unchanged.
  func extend(_ state: inout UInt64) {
    for change in changed {
      state = StableHash.extend(state, with: UInt64(change.cell))
      state = StableHash.extend(state, with: change.new.bits)
    }
    for cell in unpublished { state = StableHash.extend(state, with: ~UInt64(cell)) }
    for cell in madeValid { state = StableHash.extend(state, with: UInt64(cell) << 32) }
  }
}
