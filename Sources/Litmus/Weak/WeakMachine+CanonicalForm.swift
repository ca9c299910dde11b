// The canonical form of states: those with the same futures should be equal.

import GracewalkMachine

extension WeakMachine {
  /// Forgets what makes no difference any more.
  func makeCanonical(_ state: inout WeakState) {
    if hasEntries {
      // What walks may still find is not known from the code; there is little of it.
      guard let rank = state.order.rankTimes() else { return }
      for process in state.processes.indices { state.mapRegisters(of: process, rank) }
      return
    }
    let uses = state.processes.indices.map { use(of: $0, in: state) }
    forgetDeadRegisters(&state, uses)
    guard model == .armv8 else { return forgetAllViews(&state) }
    if !hasGracePeriods { forgetGrace(&state) }
    var isChanged = true
    // What is sorted may make more views say the same, and these more stores unreadable.
    while isChanged {
      for process in uses.indices {
        cutRegisters(of: process, in: &state, uses[process])
        state.order.cutViews(of: process, uses[process], hasGracePeriods: hasGracePeriods)
      }
      state.order.dropUnreadableStores(uses)
      if let rank = state.order.rankTimes() {
        for process in uses.indices { state.mapRegisters(of: process, rank) }
      }
      isChanged = sortStores(&state, uses)
    }
  }

  /// Sorts stores of which no process can tell which came first; false if nothing changes.
  private func sortStores(_ state: inout WeakState, _ uses: [FutureUse]) -> Bool {
    guard let sorter, sorter.sort(&state.order, uses) else { return false }
    for process in uses.indices {
      state.mapRegisters(of: process) { sorter.view($0, of: process) }
    }
    return true
  }

  func use(of process: Int, in state: WeakState) -> FutureUse {
    let uses = uses[process]
    return uses[min(state.processes[process].counter, uses.count - 1)]
  }

  private func forgetDeadRegisters(_ state: inout WeakState, _ uses: [FutureUse]) {
    for (process, use) in uses.enumerated() {
      for register in state.processes[process].registers.indices {
        let bit: UInt64 = 1 << UInt64(register)
        if use.registers & bit == 0 {
          state.processes[process].registers[register] = RegisterState()
        } else if use.views & bit == 0 {
          state.processes[process].registers[register].view = 0
          state.processes[process].registers[register].pick = 0
        }
      }
      if !use.hasExclusiveStore { state.processes[process].monitor = nil }
    }
  }

  private func forgetGrace(_ state: inout WeakState) {
    for domain in state.order.finished.indices {
      state.order.finished[domain] = 0
      for process in state.processes.indices {
        state.order.cpus[process].sectionEnds[domain] = 0
      }
    }
  }

  /// Where loads read the newest store there are no views.
  private func forgetAllViews(_ state: inout WeakState) {
    state.order.words.forgetOrder()
    state.order.now = 0
    for process in state.processes.indices { state.mapViews(of: process) { _ in 0 } }
    for domain in state.order.finished.indices { state.order.finished[domain] = 0 }
  }

  /// Cuts the views of registers within what loads must not miss anyway.
  private func cutRegisters(of process: Int, in state: inout WeakState, _ use: FutureUse) {
    if !use.loads && !(use.hasSections && hasGracePeriods) {
      state.mapRegisters(of: process) { _ in 0 }
      return
    }
    let floor = state.order.cpus[process].newReads
    for word in state.processes[process].valueViews.indices {
      if !use.mayRead(UInt32(word)) || state.processes[process].valueViews[word] <= floor {
        state.processes[process].valueViews[word] = 0
      }
    }
    for register in state.processes[process].registers.indices {
      let known = state.processes[process].registers[register]
      let view = max(known.view, floor)
      state.processes[process].registers[register].view = view
      state.processes[process].registers[register].pick = use.hasISB ? max(known.pick, view) : 0
    }
  }
}

extension WeakState {
  /// Replaces each view of a process.
  fileprivate mutating func mapViews(of process: Int, _ map: (View) -> View) {
    order.cpus[process].mapViews(map)
    mapRegisters(of: process, map)
  }

  fileprivate mutating func mapRegisters(of process: Int, _ map: (View) -> View) {
    for register in processes[process].registers.indices {
      processes[process].registers[register].view = map(processes[process].registers[register].view)
      processes[process].registers[register].pick = map(processes[process].registers[register].pick)
    }
    for word in processes[process].valueViews.indices {
      processes[process].valueViews[word] = map(processes[process].valueViews[word])
    }
    if let view = processes[process].monitor?.view { processes[process].monitor?.view = map(view) }
    processes[process].translation?.found.mapViews(map)
  }
}
