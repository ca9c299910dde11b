// What a table of summaries keeps true: each set has one number, and a row of bits for known steps.

import GracewalkSupport

extension SummaryTable {
  /// Looks at the set that was entered last.
  @inline(__always)
  func checkInvariants() {
    #if CHECKS_INVARIANTS
      checkSet(setCount - 1)
    #endif
  }
}

#if CHECKS_INVARIANTS
  extension SummaryTable {
    private func checkSet(_ set: Int) {
      mustHold(rows.count == setCount * stride, "a row for each set")
      mustHold(sleeps.count == setCount, "each set knows who was asleep")
      eachStep(of: row(set), words: stride) {
        // The table that threads share has sets alone; their steps are kept beside it.
        mustHold(stepCount == 0 || $0 < stepCount, "step \($0) of set \(set) has a number")
      }
      let number = intern(row(set), sleep: sleep(set), reading: reads(set))
      mustHold(number == set, "set \(set) is known by its number")
    }
  }
#endif
