// What concerns only one process: it is done together with the step before it.

import GracewalkMachine

extension WeakMachine {
  /// Instructions in a row that are no steps, before a process is taken to do nothing else.
  private static let localInstructionsMax = 10_000

  /// Lets each process go on to its next step.
  func settle(_ state: inout WeakState) {
    for process in state.processes.indices {
      for _ in 0..<Self.localInstructionsMax {
        dropLeadingMarks(of: process, in: &state)
        if releasesLock(process, in: state) {
          flush(0, of: process, in: &state)
          continue
        }
        guard !state.processes[process].isStuck,
          let instruction = instruction(of: process, in: state),
          settle(instruction, of: process, in: &state)
        else { break }
      }
    }
  }

  func instruction(of process: Int, in state: WeakState) -> Instruction? {
    let instructions = test.processes[process].instructions
    let counter = state.processes[process].counter
    return counter < instructions.count ? instructions[counter] : nil
  }

  private func dropLeadingMarks(of process: Int, in state: inout WeakState) {
    while let first = state.order.cpus[process].buffer.first, first.kind != .store {
      state.order.cpus[process].buffer.removeFirst()
      if hasEntries, first.kind == .barrier { state.order.noteStoresOrdered(of: process) }
    }
  }

  /// True if the first pending store releases a lock that nothing else looks at.
  private func releasesLock(_ process: Int, in state: WeakState) -> Bool {
    guard lockWords != 0, let first = state.order.cpus[process].buffer.first else { return false }
    return first.isRelease && lockWords >> UInt64(first.number) & 1 == 1
      && state.order.canFlush(0, of: process, inOrder: model != .armv8)
  }

  /// Carries out an instruction if it concerns only its process; false if it is a step.
  private func settle(
    _ instruction: Instruction, of process: Int, in state: inout WeakState
  ) -> Bool {
    if needsTranslation(instruction, of: process, in: state) { return false }
    switch instruction {
    case .compute(let register, let computation, let a, let b, let c):
      let result = state.processes[process].result(of: computation, a, b, c)
      state.processes[process].registers[register] = result
    case .branch(let operand, let target):
      let jumps = decide(operand, by: process, in: &state) == 0
      if jumps { state.processes[process].counter = target - 1 }
    case .branchUnless(let operand, let target):
      let jumps = decide(operand, by: process, in: &state) != 0
      if jumps { state.processes[process].counter = target - 1 }
    case .jump(let target): state.processes[process].counter = target - 1
    case .store(let value, let address, let order):
      guard model != .sequentialConsistency else { return false }
      guard let word = word(at: address, for: process, in: &state) else { return true }
      return enqueue(value, address, word, isRelease: order.releases, of: process, in: &state)
    case .unlock(let lock):
      guard model != .sequentialConsistency else { return false }
      guard let word = word(at: lock, for: process, in: &state) else { return true }
      return enqueue(.constant(0), lock, word, isRelease: true, of: process, in: &state)
    case .fence(let fence): guard pass(fence, process, in: &state) else { return false }
    case .invalidate(let page, let isLocal):
      if hasEntries { invalidate(page, isLocal: isLocal, by: process, in: &state) }
    case .enterSection, .leaveSection, .leaveSleepable, .enterSleepable:
      return settleSection(instruction, of: process, in: &state)
    case .load, .storeExclusive, .update, .lock, .tryLock, .isLocked, .waitUntilUnlocked,
      .synchronize, .synchronizeSleepable:
      return false
    }
    state.processes[process].counter += 1
    return true
  }

  private func needsTranslation(
    _ instruction: Instruction, of process: Int, in state: WeakState
  ) -> Bool {
    guard hasEntries, case .store(_, let address, _) = instruction else { return false }
    let known = state.processes[process]
    guard known.translation == nil,
      let page = LitmusTest.word(at: known.value(of: address), of: test.words.count)
    else { return false }
    return test.words[page].entry != nil
  }

  /// Adds a store to the buffer; false while there is no room.
  private func enqueue(
    _ value: Operand, _ address: Operand, _ word: Int, isRelease: Bool, of process: Int,
    in state: inout WeakState
  ) -> Bool {
    guard state.order.cpus[process].buffer.count < StoreOrder.entriesMax else {
      noteCap()
      return false
    }
    var entry = PendingEntry(kind: .store, number: UInt32(word))
    let known = state.processes[process]
    entry.value = known.value(of: value)
    if model == .armv8 {
      entry.isRelease = isRelease
      entry.view = max(view(of: address, by: process, in: state), known.view(of: value))
      entry.pick = max(known.pick(of: address), known.pick(of: value))
      entry.translation = known.translation?.found
      noteControl(of: address, by: process, in: &state)
    }
    state.order.cpus[process].buffer.append(entry)
    state.processes[process].noteValue(of: word)
    state.processes[process].translation = nil
    state.processes[process].counter += 1
    return true
  }

  /// Passes a fence; false while it has to wait.
  private func pass(_ fence: Fence, _ process: Int, in state: inout WeakState) -> Bool {
    switch fence {
    case .full:
      if state.order.cpus[process].hasPendingStore { return false }
      state.order.orderEverything(of: process)
    case .loads: state.order.orderLoads(of: process)
    case .stores: if model == .armv8 { state.order.orderStores(of: process) }
    case .instructions: state.order.orderInstructions(of: process)
    case .synchroniseAll, .synchroniseLoads, .synchroniseStores:
      return synchronise(fence, process, in: &state)
    }
    return true
  }

  /// The value of what a branch depends on, which later instructions then depend on, too.
  private func decide(_ operand: Operand, by process: Int, in state: inout WeakState) -> UInt64 {
    noteControl(of: operand, by: process, in: &state)
    if hasEntries {
      let pick = state.processes[process].pick(of: operand)
      state.order.walks[process].branches = max(state.order.walks[process].branches, pick)
    }
    return state.processes[process].value(of: operand)
  }

  // MARK: Words

  /// The word at an address; nil, and the process stops, where there is none.
  func word(at address: Operand, for process: Int, in state: inout WeakState) -> Int? {
    let value = state.processes[process].value(of: address)
    if let word = place(of: address, by: process, in: state) { return word }
    stop(process, "reaches for \(test.text(of: value)), where there is no word", in: &state)
    return nil
  }

  /// Ends a process where it cannot go on, and says why.
  func stop(_ process: Int, _ text: String, in state: inout WeakState) {
    flag(process, text, in: state)
    state.processes[process].isStuck = true
  }

  /// Notes that a test does what it must not.
  func flag(_ process: Int, _ text: String, in state: WeakState) {
    let code = test.processes[process]
    board.flag("line \(code.lines[state.processes[process].counter]): \(code.name) \(text)")
  }
}

extension WeakProcess {
  func value(of operand: Operand) -> UInt64 {
    switch operand {
    case .register(let register): registers[register].value
    case .constant(let value): value
    }
  }

  func view(of operand: Operand) -> View {
    if case .register(let register) = operand { registers[register].view } else { 0 }
  }

  func pick(of operand: Operand) -> View {
    guard case .register(let register) = operand else { return 0 }
    return max(registers[register].view, registers[register].pick)
  }

  /// What a register holds after a computation.
  func result(
    of computation: Computation, _ a: Operand, _ b: Operand, _ c: Operand
  ) -> RegisterState {
    let value = computation.result(value(of: a), value(of: b), value(of: c))
    guard computation == .select else {
      let view = max(view(of: a), view(of: b), view(of: c))
      return RegisterState(
        value: value, view: view, pick: max(pick(of: a), pick(of: b), pick(of: c)))
    }
    // The operand that was not selected makes no difference, and what selects only to branches.
    let selected = self.value(of: c) != 0 ? a : b
    return RegisterState(
      value: value, view: view(of: selected), pick: max(pick(of: c), pick(of: selected)))
  }
}
