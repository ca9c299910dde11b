// What an index by hash keeps true: every number has one slot, and is found there.

import GracewalkSupport

extension HashIndex {
  /// Looks at all slots: for where the index has grown.
  func checkInvariants(_ hashOf: (Int) -> UInt64) {
    #if CHECKS_INVARIANTS
      mustHold((mask + 1) & mask == 0, "a capacity that is a power of two")
      mustHold(count * 4 <= mask * 3, "a quarter of the slots is free, so that searches end")
      var taken = 0
      for slot in 0...mask where slots[slot] != HashIndex.empty { taken += 1 }
      mustHold(taken == count, "\(taken) slots are taken by \(count) numbers")
      for number in 0..<count {
        mustHold(find(hashOf(number)) { $0 == number } == number, "number \(number) is found")
      }
    #endif
  }
}
