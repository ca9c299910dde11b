// Invariants of an index by hash: every number has exactly one slot, and is found there.

import GracewalkSupport

extension HashIndex {
  /// Checks all slots; called when the index has grown.
  func checkInvariants() {
    #if CHECKS_INVARIANTS
      mustHold((mask + 1) & mask == 0, "a capacity that is a power of two")
      mustHold(count * 4 <= mask * 3, "a quarter of the slots is free, so that searches end")
      var taken = 0
      for index in 0...mask where slots[index] != 0 {
        taken += 1
        let number = Int(slots[index] & 0xFFFF_FFFF) - 1
        mustHold(number >= 0 && number < count, "number \(number) of \(count)")
        mustHold(find(slots[index]) { $0 == number } == number, "number \(number) is found")
      }
      mustHold(taken == count, "\(taken) slots are taken by \(count) numbers")
    #endif
  }
}
