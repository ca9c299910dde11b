// What a map from states to numbers keeps true: each key has one slot, and is found there.

import GracewalkSupport

extension SummaryMap {
  /// Looks at all slots: for where the map has grown or was read.
  func checkInvariants() {
    #if CHECKS_INVARIANTS
      // Before the latest key: adding one looks whether there is room.
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
