// Invariants of a map from states to numbers: each key has exactly one slot, and is found there.

import GracewalkSupport

extension SummaryMap {
  /// Checks all slots; called when the map has grown or was read.
  func checkInvariants() {
    #if CHECKS_INVARIANTS
      // Checked before counting the latest key, since adding a key checks for room first.
      mustHold((count - 1) * 5 < capacity * 4, "a fifth of the slots is free, or all but one of it")
      var taken = 0
      for slot in 0..<capacity where key(slot) != 0 {
        taken += 1
        mustHold(self.slot(of: key(slot)) == slot, "the key in slot \(slot) is not found there")
      }
      mustHold(taken == count, "\(taken) slots are taken by \(count) keys")
    #endif
  }
}
