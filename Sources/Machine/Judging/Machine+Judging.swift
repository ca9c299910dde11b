// What invariants say of a step, and of what comes before all steps.

import GracewalkExploration
import GracewalkFibers
import GracewalkSupport

extension Machine {
  /// Judges what has happened since it was judged last, and the state.
  func judgeStep() -> StepOutcome {
    let outcome = judgeEvents()
    return outcome == .clean ? sink.whileCurrent { judgeState() } : outcome
  }

  /// Judges what has happened since it was judged last.
  func judgeEvents() -> StepOutcome { sink.whileCurrent { judgeEachEvent() } }

  private func judgeEachEvent() -> StepOutcome {
    for index in 0..<events.count {
      let event = events[index]
      for (number, invariant) in eventInvariants where invariant.watches.contains(event.kind) {
        inspection?.open()
        let report = invariantRecord.run(number) { invariant.judge(event, in: self) }
        inspection?.close(report, about: event.cell)
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
      inspection?.open()
      let report = invariantRecord.run(number) { invariant.judgeState(of: self) }
      inspection?.close(report)
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
