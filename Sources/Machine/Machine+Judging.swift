// Judging: what events say, and states; and the names of CPUs that serve others.

import Exploration
import Support

extension Machine {
  /// Judges what boot code has just done; true if nothing is wrong with it.
  func judgeBoot() -> Bool {
    if violationAtBoot == nil, sink.whileCurrent({ judgeEvents() }) == .violation {
      violationAtBoot = violation
    }
    return violationAtBoot == nil && failure == nil
  }

  /// Judges what the latest step did.
  func judgeStep() -> StepOutcome {
    sink.whileCurrent {
      let outcome = judgeEvents()
      return outcome == .clean ? judgeState() : outcome
    }
  }

  private func judgeEvents() -> StepOutcome {
    for index in 0..<events.count {
      let event = events[index]
      for (number, invariant) in eventInvariants where invariant.watches.contains(event.kind) {
        let report = invariant.judge(event, in: self)
        if failure != nil { return .halted }
        if let report {
          violation = (number, report)
          events.removeAll()
          return .violation
        }
      }
    }
    events.removeAll()
    return .clean
  }

  private func judgeState() -> StepOutcome {
    for (number, invariant) in stateInvariants {
      let report = invariant.judgeState(of: self)
      if failure != nil { return .halted }
      if let report {
        violation = (number, report)
        return .violation
      }
    }
    return .clean
  }

  /// What the CPU is called that runs callbacks, or walks, for one with a name.
  static func callbackName(_ name: String) -> String { "\(name)/rcu" }
  static func walkerName(_ name: String) -> String { "\(name)/mmu" }
}
