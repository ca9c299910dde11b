// What invariants say of a step, and of what comes before all steps.

import Exploration
import Support

extension Machine {
  /// Judges what has happened since it was judged last, and the state.
  func judgeStep() -> StepOutcome {
    let outcome = judgeEvents()
    guard outcome == .clean else { return outcome }
    for (number, invariant) in stateInvariants {
      inspection?.open()
      let report = invariant.judgeState(of: self)
      inspection?.close(report)
      if let report {
        violation = (number, report)
        return .violation
      }
    }
    return .clean
  }

  /// Judges what has happened since it was judged last.
  func judgeEvents() -> StepOutcome {
    for index in 0..<events.count {
      let event = events[index]
      for (number, invariant) in eventInvariants where invariant.watches.contains(event.kind) {
        inspection?.open()
        let report = invariant.judge(event, in: self)
        inspection?.close(report, about: event.cell)
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
}
