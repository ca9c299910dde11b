// Judging steps and the initial state.

import GracewalkExploration
import GracewalkFibers
import GracewalkSupport

extension Machine {
  /// Judges the events since the last judgement, and the state.
  func judgeStep() -> StepOutcome {
    let outcome = judgeEvents()
    return outcome == .clean ? sink.whileCurrent { judgeState() } : outcome
  }

  /// Judges the events since the last judgement.
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

  /// A word that the judging invariant has looked at although it is not among those that judgements
  /// depend on.
  private var wordOutsideScope: UInt32? {
    guard let judged, let inspection else { return nil }
    let isOutside = { [layout] in !judged.contains($0, in: layout) }
    return inspection.words.first(where: isOutside) ?? inspection.around.first(where: isOutside)
  }

  private func judgeState() -> StepOutcome {
    for (number, invariant) in stateInvariants {
      inspection?.open()
      let report = invariantRecord.run(number) { invariant.judgeState(of: self) }
      if let odd = wordOutsideScope {
        fail(.misuse("\(invariant.id) looks at \(name(ofCell: odd)), which its scope leaves out"))
      }
      inspection?.close(report)
      if failure != nil { return .halted }
      if let report {
        violation = (number, report)
        return .violation
      }
    }
    return .clean
  }

  /// The name of the CPU that runs the callbacks of a named CPU.
  static func callbackName(_ name: String) -> String { "\(name)/rcu" }
  static func walkerName(_ name: String) -> String { "\(name)/mmu" }
  static func drainerName(_ name: String) -> String { "\(name)/stores" }
}
