// Detecting loops that wait for another CPU by reading the same values again and again.

import GracewalkSupport

extension Machine {
  /// The number of reads without effect before the machine looks for a spin, and how often one must
  /// recur.
  private static let idleStepsMax: Int32 = 64
  private static let repetitionsMax = 24

  /// Counts consecutive actions without effect, and reports a spin.
  ///
  /// A spin is the same action with the same result again and again within one operation, with no
  /// effect of the CPU in between.
  func noteIdleSteps(_ index: LocalStates.Index, _ cpu: Int) {
    let node = localStates[index]
    let source = localStates.parent(of: index)
    guard source >= 0 else { return }
    let parent = localStates[source]
    let observed = localStates.observed(before: index)
    let action = parent.pointee.action
    let failed = action.kind == .access(.compareExchange) && observed != action.expected
    guard action.onlyReads || failed, parent.pointee.operation == node.pointee.operation else {
      return
    }
    node.pointee.idleSteps = parent.pointee.idleSteps + 1
    guard node.pointee.idleSteps >= Machine.idleStepsMax else { return }
    var repetitions = 0
    var other = index
    for _ in 0..<Int(node.pointee.idleSteps) {
      let earlier = localStates.parent(of: other)
      if localStates[earlier].pointee.action == action,
        localStates.observed(before: other) == observed
      {
        repetitions += 1
      }
      other = earlier
    }
    if repetitions >= Machine.repetitionsMax && action.cell != 0 {
      fail(.spin(cpu: cpu, location: name(ofCell: action.cell)))
    }
  }
}
