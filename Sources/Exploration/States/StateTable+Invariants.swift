// Invariants of a table of visited states: each state has exactly one slot, and is found there.

import GracewalkSupport

extension StateTable {
  /// Checks all slots; called when the table has grown or was read.
  func checkInvariants() {
    #if CHECKS_INVARIANTS
      mustHold((mask + 1) & mask == 0, "a capacity that is a power of two")
      mustHold(count * 3 <= mask * 2, "a third of the slots is free, so that searches end")
      var taken = 0
      for slot in 0...mask where slots[slot].key != 0 {
        taken += 1
        mustHold(find(slots[slot].key) == slot, "the state in slot \(slot) is not found there")
      }
      mustHold(taken == count, "\(taken) slots are taken by \(count) states")
    #endif
  }
}
