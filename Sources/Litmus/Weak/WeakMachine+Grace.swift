// Read-copy-update: a grace period sees the end of a section, or the section what was before it.

import GracewalkMachine

extension WeakMachine {
  // MARK: Sections

  /// The section that an instruction enters.
  private func section(of instruction: Instruction, by process: Int) -> Int {
    if case .enterSleepable(let section, _) = instruction {
      processCount + section
    } else {
      process
    }
  }

  /// Enters or leaves a section where that is no step; false if it is one.
  func settleSection(
    _ instruction: Instruction, of process: Int, in state: inout WeakState
  ) -> Bool {
    switch instruction {
    case .enterSection:
      if state.processes[process].depth == 0, hasGracePeriods { return false }
      state.processes[process].depth += 1
      state.sections[process].isOpen = true
    case .enterSleepable: return settleEntry(instruction, of: process, in: &state)
    case .leaveSection:
      if state.processes[process].depth == 0 {
        flag(process, "leaves a read-side section that it is not in", in: state)
      } else {
        state.processes[process].depth -= 1
        if state.processes[process].depth == 0 { end(process, by: process, in: &state) }
      }
    case .leaveSleepable(let domain, let token):
      leaveSleepable(domain, state.processes[process].value(of: token), by: process, in: &state)
    default: return false
    }
    state.processes[process].counter += 1
    return true
  }

  private func settleEntry(
    _ instruction: Instruction, of process: Int, in state: inout WeakState
  ) -> Bool {
    if state.sections[section(of: instruction, by: process)].isOpen {
      stop(process, "enters a section that is open", in: &state)
      return true
    }
    if hasGracePeriods { return false }
    enter(instruction, 0, by: process, in: &state)
    state.processes[process].counter += 1
    return true
  }

  private func leaveSleepable(
    _ domain: Int, _ token: UInt64, by process: Int, in state: inout WeakState
  ) {
    guard token < UInt64(test.sections.count), test.sections[Int(token)].domain == domain else {
      flag(process, "leaves a section of \(test.domains[domain]) that there is not", in: state)
      return
    }
    let section = processCount + Int(token)
    guard state.sections[section].isOpen else {
      flag(process, "leaves a section that is not open", in: state)
      return
    }
    end(section, by: process, in: &state)
  }

  /// Ends a section: those that wait for it see all that came before.
  private func end(_ section: Int, by process: Int, in state: inout WeakState) {
    let waiters = state.sections[section].waiters
    state.sections[section] = SectionState()
    let domain = sectionDomains[section]
    let view = state.order.cpus[process].everything
    let known = max(state.order.cpus[process].sectionEnds[domain], view)
    state.order.cpus[process].sectionEnds[domain] = known
    state.order.raiseGracePeriods(waiters, 0, to: view)
    guard hasGracePeriods, state.order.cpus[process].hasPendingStore else { return }
    var entry = PendingEntry(kind: .sectionEnd, number: UInt32(domain))
    entry.waiters = waiters
    state.order.cpus[process].buffer.append(entry)
  }

  /// The ways to enter a section: each grace period in progress waits for it, or is seen by it.
  func entryChoices(
    _ instruction: Instruction, by process: Int, in state: WeakState
  ) -> [WeakChoice] {
    let domain = sectionDomains[section(of: instruction, by: process)]
    var all: UInt64 = 0
    for other in state.processes.indices
    where other != process && Int(state.order.cpus[other].gracePeriod) == domain + 1 {
      all |= 1 << UInt64(other)
    }
    // All subsets, from the full one down to the empty one.
    var choices: [WeakChoice] = []
    var subset = all
    while true {
      choices.append(.enter(subset))
      if subset == 0 { return choices }
      subset = (subset - 1) & all
    }
  }

  func enter(
    _ instruction: Instruction, _ waiters: UInt64, by process: Int, in state: inout WeakState
  ) {
    let section = section(of: instruction, by: process)
    let domain = sectionDomains[section]
    var view = max(state.order.cpus[process].newReads, state.order.finished[domain])
    for other in state.processes.indices
    where other != process && Int(state.order.cpus[other].gracePeriod) == domain + 1
      && waiters >> UInt64(other) & 1 == 0
    {
      view = max(view, state.order.cpus[other].graceStart)
    }
    if model == .armv8 { state.order.cpus[process].newReads = view }
    state.sections[section] = SectionState(isOpen: true, waiters: waiters)
    if case .enterSleepable(let number, let register) = instruction {
      if let register {
        state.processes[process].registers[register] = RegisterState(value: UInt64(number))
      }
    } else {
      state.processes[process].depth = 1
    }
  }

  // MARK: Grace periods

  func graceChoices(domain: Int, by process: Int, in state: WeakState) -> [WeakChoice] {
    let known = state.order.cpus[process]
    if known.gracePeriod == 0 {
      // In a section of its own it waits for itself.
      let isInside = state.sections.indices.contains { section in
        state.sections[section].isOpen && sectionOwners[section] == process
          && sectionDomains[section] == domain
      }
      return known.hasPendingStore || isInside ? [] : [.beginGrace]
    }
    let bit: UInt64 = 1 << UInt64(process)
    let waits =
      state.sections.contains { $0.isOpen && $0.waiters & bit != 0 }
      || state.order.cpus.contains { other in
        other.buffer.contains { $0.kind == .sectionEnd && $0.waiters & bit != 0 }
      }
    return waits ? [] : [.endGrace]
  }

  func beginGrace(domain: Int, by process: Int, in state: inout WeakState) {
    let bit: UInt64 = 1 << UInt64(process)
    var view = state.order.cpus[process].everything
    state.order.cpus[process].newReads = view
    state.order.cpus[process].graceStart = view
    for section in state.sections.indices
    where state.sections[section].isOpen && sectionDomains[section] == domain
      && sectionOwners[section] != process
    {
      state.sections[section].waiters |= bit
    }
    for other in state.processes.indices where other != process {
      view = max(view, state.order.cpus[other].sectionEnds[domain])
      let last = state.order.cpus[other].buffer.lastIndex {
        $0.kind == .sectionEnd && Int($0.number) == domain
      }
      if let last { state.order.cpus[other].buffer[last].waiters |= bit }
    }
    state.order.cpus[process].graceView = view
    state.order.cpus[process].gracePeriod = UInt8(domain + 1)
  }

  func endGrace(domain: Int, by process: Int, in state: inout WeakState) {
    let known = state.order.cpus[process]
    state.order.finished[domain] = max(state.order.finished[domain], known.graceStart)
    state.order.cpus[process].see(known.graceView)
    state.order.cpus[process].gracePeriod = 0
    state.order.cpus[process].graceStart = 0
    state.order.cpus[process].graceView = 0
  }
}
