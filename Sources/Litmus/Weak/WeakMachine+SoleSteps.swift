// Steps that concern nobody else: they need no alternatives.

import GracewalkMachine

extension WeakMachine {
  /// The CPU of the search that alone need step in a state, and what it may choose; nil if all must
  /// be tried.
  ///
  /// Two kinds of steps are independent of whatever other CPUs may do first, so each is a
  /// persistent set (Godefroid, Partial-Order Methods for the Verification of Concurrent Systems,
  /// 1996, chapter 4): every final state can be reached by way of it. `Docs/MemoryModels.md` has
  /// the argument.
  func soleStep(in state: WeakState) -> (cpu: Int, choices: [WeakChoice])? {
    for process in state.processes.indices {
      if let flush = soleFlush(of: process, in: state) { return (process + processCount, [flush]) }
      let loads = soleLoads(of: process, in: state)
      if !loads.isEmpty { return (process, loads) }
    }
    return nil
  }

  /// A pending store to a word that no other process will access: the earlier it is visible, the
  /// less must its own process not miss.
  private func soleFlush(of process: Int, in state: WeakState) -> WeakChoice? {
    // The end of a section tells others what was visible by then.
    if hasGracePeriods { return nil }
    for choice in flushes(of: process, in: state) {
      guard case .flush(let index) = choice else { continue }
      let buffer = state.order.cpus[process].buffer
      let word = buffer[index].number
      let isLocked = buffer.indices.contains { buffer[$0].isLocking && buffer[$0].number == word }
      if !isLocked, isLeft(word, to: process, forReading: true, in: state) { return choice }
    }
    return nil
  }

  /// All ways to take a load of a word that no other process will store to.
  private func soleLoads(of process: Int, in state: WeakState) -> [WeakChoice] {
    guard !state.processes[process].isStuck,
      case .load(_, let address, _, isExclusive: false)? = instruction(of: process, in: state),
      let word = place(of: address, by: process, in: state),
      isLeft(UInt32(word), to: process, forReading: false, in: state)
    else { return [] }
    return nextChoices(of: process, in: state)
  }

  /// True if no other process will store to a word, or where that matters, read it.
  private func isLeft(
    _ word: UInt32, to process: Int, forReading: Bool, in state: WeakState
  ) -> Bool {
    for other in state.processes.indices where other != process {
      let use = use(of: other, in: state)
      let mayStore =
        use.stored >> UInt64(word) & 1 == 1 || state.order.cpus[other].newestPending(word) != nil
      if mayStore, !omittedRules.contains(.storesOfOthers) { return false }
      if forReading, use.mayRead(word), !omittedRules.contains(.loadsOfOthers) { return false }
    }
    return true
  }
}
