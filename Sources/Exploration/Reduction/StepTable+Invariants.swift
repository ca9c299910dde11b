// Invariants of a table of steps: equal steps have equal numbers, and both copies of footprints
// agree.

import GracewalkSupport

extension StepTable {
  /// Checks the latest step, and all pairs whenever the number of steps has doubled.
  @inline(__always)
  func checkInvariants() {
    #if CHECKS_INVARIANTS
      checkEntry(count - 1)
      if count & (count - 1) == 0 && count <= 1_024 { checkPairs() }
    #endif
  }
}

#if CHECKS_INVARIANTS
  extension StepTable {
    private func checkEntry(_ step: Int) {
      let entry = entries[step]
      mustHold(footprints.count == count, "a footprint for each step")
      mustHold(Int(entry.firstTouch + entry.touchCount) == touches.count, "touches lie in a row")
      mustHold(Int(entry.touchCount) == footprints[step].count, "footprints are kept in full")
      for index in 0..<footprints[step].count {
        mustHold(
          touches[Int(entry.firstTouch) + index] == footprints[step][index],
          "both copies of a footprint are the same")
      }
      mustHold(
        number(cpu(of: step), choice: choice(of: step), footprints[step]) == step,
        "step \(step) is known by its number")
    }

    /// The precomputed matrix agrees with a direct comparison.
    private func checkPairs() {
      for one in 0..<count {
        for other in 0..<count {
          mustHold(
            areDependent(one, other) == compare(one, other), "steps \(one) and \(other) depend")
        }
      }
    }
  }
#endif
