// What the bits about pairs of steps keep true: two are facts, and two follow from what was seen.

import GracewalkSupport

extension StepKnowledge {
  /// Looks at all that is known of a step.
  @inline(__always)
  func checkInvariants(of step: Int) {
    #if CHECKS_INVARIANTS
      checkFacts(step)
      if count <= 256 { checkFuture(step) }
    #endif
  }
}

#if CHECKS_INVARIANTS
  extension StepKnowledge {
    private func checkFacts(_ step: Int) {
      for matrix in [conflict, race, future, ahead] {
        mustHold(matrix.count == count * stride, "a row for each step")
      }
      mustHold(!isSet(conflict, step, step), "no step conflicts with itself")
      for other in 0..<count {
        let isConflict = isSet(conflict, step, other)
        mustHold(isConflict == isSet(conflict, other, step), "conflicts have no direction")
        mustHold(isSet(race, step, other) == isSet(race, other, step), "races have no direction")
        mustHold(isConflict || !isSet(race, step, other), "steps that race conflict")
      }
    }

    /// What is ahead of a step is what is in its way or in that of anything in its future.
    private func checkFuture(_ step: Int) {
      mustHold(isSet(future, step, step), "a step is in its own future")
      for other in 0..<count {
        let meets = (0..<count).contains { isSet(future, step, $0) && isSet(obstacles, $0, other) }
        mustHold(isSet(ahead, step, other) == meets, "step \(other) is ahead of step \(step)")
      }
    }
  }
#endif
