// The canonical form of states: those with the same futures should be equal.

import GracewalkMachine

extension WeakMachine {
  /// Forgets what makes no difference any more.
  func makeCanonical(_ state: inout WeakState) {
    forgetDeadRegisters(&state)
    guard model == .armv8 else { return forgetAllViews(&state) }
    for process in state.processes.indices { cutViews(of: process, in: &state) }
    if !hasGracePeriods { forgetGrace(&state) }
    for process in state.processes.indices where state.processes[process].gracePeriod == 0 {
      state.processes[process].graceStart = 0
      state.processes[process].graceView = 0
    }
    dropUnreadableStores(&state)
    rankTimes(&state)
  }

  private func use(of process: Int, in state: WeakState) -> FutureUse {
    let uses = uses[process]
    return uses[min(state.processes[process].counter, uses.count - 1)]
  }

  private func forgetDeadRegisters(_ state: inout WeakState) {
    for process in state.processes.indices {
      let use = use(of: process, in: state)
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
    for domain in state.finished.indices { state.finished[domain] = 0 }
    for process in state.processes.indices {
      for domain in state.finished.indices {
        state.processes[process].sectionEnds[domain] = 0
      }
    }
  }

  /// Where loads read the newest store there are no views.
  private func forgetAllViews(_ state: inout WeakState) {
    for word in state.words.indices {
      let newest = state.words[word][state.words[word].count - 1]
      state.words[word] = [VisibleStore(value: newest.value, time: 0)]
    }
    state.now = 0
    for process in state.processes.indices { state.processes[process].mapViews { _ in 0 } }
    for domain in state.finished.indices { state.finished[domain] = 0 }
  }

  // MARK: Views

  /// Cuts views within what loads must not miss anyway, which say nothing more, and those that
  /// nothing asks for later.
  private func cutViews(of process: Int, in state: inout WeakState) {
    let use = use(of: process, in: state)
    var known = state.processes[process]
    defer { state.processes[process] = known }
    if !use.loads && !(use.hasSections && hasGracePeriods) {
      known.forgetViews()
      return
    }
    let floor = known.newReads
    func cut(_ view: inout View, keeping isKept: Bool = true) {
      if !isKept || view < floor { view = floor }
    }
    cut(&known.oldReads, keeping: use.ordersReads)
    cut(&known.oldWrites, keeping: use.ordersWrites)
    cut(&known.releases, keeping: use.acquires)
    cut(&known.control, keeping: use.hasISB)
    for register in known.registers.indices {
      cut(&known.registers[register].view)
      let view = known.registers[register].view
      let pick = max(known.registers[register].pick, view)
      known.registers[register].pick = use.hasISB ? pick : 0
    }
    for word in known.own.indices {
      let bit: UInt64 = 1 << UInt64(word)
      let isPending = known.newestPending(word) != nil
      cut(&known.coherence[word], keeping: use.loaded & bit != 0 && !isPending)
      let mayBeRead = (use.loaded | use.updated) & bit != 0 && !isPending
      if known.own[word].time == 0 { continue }
      if !mayBeRead || known.own[word].time <= floor {
        known.own[word] = OwnStore()
      } else {
        cut(&known.own[word].view)
        cut(&known.own[word].readView)
        if use.hasISB { cut(&known.own[word].pick) } else { known.own[word].pick = 0 }
      }
    }
    for index in known.buffer.indices where known.buffer[index].kind == .store {
      let bit: UInt64 = 1 << UInt64(known.buffer[index].number)
      let mayBeRead = (use.loaded | use.updated) & bit != 0
      cut(&known.buffer[index].view, keeping: mayBeRead)
      cut(&known.buffer[index].readView, keeping: mayBeRead && known.buffer[index].isLocking)
      if use.hasISB { cut(&known.buffer[index].pick) } else { known.buffer[index].pick = 0 }
    }
  }

  // MARK: Stores

  /// Forgets visible stores that no process can read any more.
  private func dropUnreadableStores(_ state: inout WeakState) {
    for word in state.words.indices where state.words[word].count > 1 {
      let bit: UInt64 = 1 << UInt64(word)
      var first = state.words[word].count - 1
      for process in state.processes.indices
      where use(of: process, in: state).loaded & bit != 0
        && state.processes[process].newestPending(word) == nil
      {
        let known = state.processes[process]
        let floor = max(known.newReads, known.coherence[word])
        first = min(first, state.words[word].lastIndex { $0.time <= floor } ?? 0)
      }
      state.words[word].removeFirst(first)
    }
    for process in state.processes.indices {
      for word in state.words.indices {
        let time = state.processes[process].own[word].time
        if time == 0 { continue }
        let isThere = state.words[word].contains { $0.time == time }
        if !isThere || state.processes[process].coherence[word] > time {
          state.processes[process].own[word] = OwnStore()
        }
      }
    }
  }

  /// Replaces each time by the number of stores at or before it that may still be told apart.
  private func rankTimes(_ state: inout WeakState) {
    var times: [View] = []
    for stores in state.words { times += stores.dropFirst().map(\.time) }
    times.sort()
    if times.last.map(Int.init) ?? 0 == times.count, Int(state.now) == times.count { return }
    func rank(_ time: View) -> View { View(times.count { $0 <= time }) }
    for word in state.words.indices {
      for index in state.words[word].indices {
        state.words[word][index].time = rank(state.words[word][index].time)
      }
    }
    for process in state.processes.indices { state.processes[process].mapViews(rank) }
    for domain in state.finished.indices { state.finished[domain] = rank(state.finished[domain]) }
    state.now = View(times.count)
  }
}

extension WeakProcess {
  /// Forgets the views of a process that loads nothing more; grace periods may still ask for those
  /// at the ends of its sections.
  fileprivate mutating func forgetViews() {
    let ends = sectionEnds
    mapViews { _ in 0 }
    sectionEnds = ends
  }

  /// Replaces each view.
  fileprivate mutating func mapViews(_ map: (View) -> View) {
    for register in registers.indices {
      registers[register].view = map(registers[register].view)
      registers[register].pick = map(registers[register].pick)
    }
    for word in coherence.indices {
      coherence[word] = map(coherence[word])
      if own[word].time == 0 { continue }
      let time = map(own[word].time)
      own[word] =
        time == 0
        ? OwnStore()
        : OwnStore(
          time: time, view: map(own[word].view), readView: map(own[word].readView),
          pick: map(own[word].pick))
    }
    oldReads = map(oldReads)
    newReads = map(newReads)
    oldWrites = map(oldWrites)
    releases = map(releases)
    control = map(control)
    for domain in sectionEnds.indices { sectionEnds[domain] = map(sectionEnds[domain]) }
    for index in buffer.indices {
      buffer[index].view = map(buffer[index].view)
      buffer[index].readView = map(buffer[index].readView)
      buffer[index].pick = map(buffer[index].pick)
    }
    if let view = monitor?.view { monitor?.view = map(view) }
    graceStart = map(graceStart)
    graceView = map(graceView)
  }
}
