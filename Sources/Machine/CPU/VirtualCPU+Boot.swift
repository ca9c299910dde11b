// Actions of boot code, which take effect at once because no CPU runs yet.

extension VirtualCPU {
  /// Takes an action of boot code.
  ///
  /// Limits on actions ensure that boot code ends.
  func takeAtBoot(_ action: Action) throws(Abandoned) -> UInt64 {
    guard actionCount <= Machine.bootActionsMax else {
      throw stop("takes more than \(Machine.bootActionsMax) actions before the CPUs start")
    }
    guard bootCalls < Machine.bootCallsMax else {
      throw stop("queues callbacks from callbacks without end before the CPUs start")
    }
    if let text = machine.waitText(atBoot: action) { throw misuse(text, site ?? .none) }
    if action.kind == .callback(.call) { bootCalls += 1 }
    let result = machine.performAtBoot(action, by: self)
    if action.kind == .callback(.call) { bootCalls -= 1 }
    // A callback has thrown an error of its own, which ends boot code.
    if errorOnTheSpot != nil || isAbandoned { throw Abandoned() }
    return result
  }

  private func stop(_ text: String) -> Abandoned {
    machine.fail(.badLoop(cpu: index, text))
    isAbandoned = true
    return Abandoned()
  }
}
