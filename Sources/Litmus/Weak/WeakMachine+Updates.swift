// Read-modify-writes, and locks, which are taken by them.

import GracewalkMachine

/// A read-modify-write with the values of its operands.
struct WeakUpdate {
  /// When it changes the word.
  struct Condition {
    var modification: Modification
    /// The value expected, or exempt.
    var compared: UInt64

    func isMet(by value: UInt64) -> Bool {
      switch modification {
      case .compareExchange: value == compared
      case .addUnless: value != compared
      case .exchange, .add, .and, .or, .xor: true
      }
    }
  }

  var condition: Condition
  var address: Operand
  var operand: Operand
  var compared: Operand
  var register: Int?
  var order: AccessOrder
  /// It waits for a lock, and does not fail.
  var isLock = false
  /// The register becomes 1.
  var isTry = false

  /// The load that it comes to when it leaves the word as it is.
  var failure: WeakLoad {
    WeakLoad(
      address: address, register: register, acquiresInOrder: order.acquiresInOrder,
      acquires: order.acquiresInOrder, isUnused: isUnused, failing: condition, isFailure: isTry)
  }

  /// True if its result goes nowhere, so that fences for loads do not wait for it.
  var isUnused: Bool { register == nil && !isLock && !isTry }

  func written(over old: UInt64, _ operand: UInt64) -> UInt64 {
    switch condition.modification {
    case .exchange, .compareExchange: operand
    case .add, .addUnless: old &+ operand
    case .and: old & operand
    case .or: old | operand
    case .xor: old ^ operand
    }
  }
}

extension WeakMachine {
  func update(_ instruction: Instruction, by process: Int, in state: WeakState) -> WeakUpdate {
    let zero = Operand.constant(0)
    switch instruction {
    case .update(let register, let modification, let address, let operand, let order):
      let compared =
        switch modification {
        case .compareExchange(let expected): expected
        case .addUnless(let exempt): exempt
        case .exchange, .add, .and, .or, .xor: zero
        }
      return WeakUpdate(
        condition: .init(
          modification: modification, compared: state.processes[process].value(of: compared)),
        address: address, operand: operand, compared: compared, register: register, order: order)
    case .lock(let lock): return taking(lock, nil, isTry: false)
    case .tryLock(let lock, let register): return taking(lock, register, isTry: true)
    default: fatalError("[internal] no read-modify-write")
    }
  }

  private func taking(_ lock: Operand, _ register: Int?, isTry: Bool) -> WeakUpdate {
    let zero = Operand.constant(0)
    return WeakUpdate(
      condition: .init(modification: .compareExchange(expected: zero), compared: 0),
      address: lock, operand: .constant(1), compared: zero, register: register, order: .acquire,
      isLock: !isTry, isTry: isTry)
  }

  func updateChoices(_ update: WeakUpdate, by process: Int, in state: WeakState) -> [WeakChoice] {
    let known = state.processes[process]
    guard let word = LitmusTest.word(at: known.value(of: update.address), of: test.words.count)
    else { return [.stop] }
    var choices: [WeakChoice] = []
    if update.condition.modification.mayFail, !update.isLock,
      model == .armv8 || !known.hasPendingStore
    {
      choices = loadChoices(update.failure, by: process, in: state)
    }
    if canUpdate(word, update, by: process, in: state) { choices.append(.update) }
    return choices
  }

  private func canUpdate(
    _ word: Int, _ update: WeakUpdate, by process: Int, in state: WeakState
  ) -> Bool {
    let known = state.processes[process]
    let newest = known.newestPending(word)
    let value = newest.map { known.buffer[$0].value } ?? state.words[word].last?.value ?? 0
    guard update.condition.isMet(by: value) else { return false }
    if model != .armv8 || update.order.isFull {
      return !known.hasPendingStore && !isLocked(word, for: process, in: state)
    }
    if update.order == .acquire, known.hasPendingRelease { return false }
    if known.buffer[(newest ?? 0)...].contains(where: { $0.kind == .barrier }) { return false }
    if newest == nil, isLocked(word, for: process, in: state) { return false }
    guard known.buffer.count < Self.entriesMax else {
      noteCap()
      return false
    }
    guard update.order == .release, known.hasPendingStore else { return true }
    var copy = state
    perform(update, by: process, in: &copy)
    return !hasCycle(copy)
  }

  func perform(_ update: WeakUpdate, by process: Int, in state: inout WeakState) {
    let known = state.processes[process]
    guard let word = LitmusTest.word(at: known.value(of: update.address), of: test.words.count)
    else { return }
    let (old, view) = read(word, update, by: process, in: &state)
    let new = update.written(over: old, known.value(of: update.operand))
    if let register = update.register {
      let isCompare = !update.isTry && update.condition.modification.compares
      // The value found equals the one expected, so the processor may take either.
      state.processes[process].registers[register] = RegisterState(
        value: update.isTry ? 1 : old,
        view: isCompare ? min(known.view(of: update.compared), view) : view,
        pick: max(view, isCompare ? known.pick(of: update.compared) : 0))
    }
    guard model == .armv8 else {
      _ = append(new, to: word, by: process, in: &state)
      return
    }
    if update.order.isFull {
      performAtOnce(new, word, by: process, in: &state)
      return
    }
    var entry = PendingEntry(kind: .store, number: UInt8(word))
    entry.isRelease = update.order == .release
    entry.isLocking = true
    entry.value = new
    entry.view = max(known.view(of: update.address), known.view(of: update.operand))
    if update.condition.modification.dependsOnRead { entry.view = max(entry.view, view) }
    entry.readView = view
    entry.pick = max(
      entry.view, view, known.pick(of: update.address), known.pick(of: update.operand),
      known.pick(of: update.compared))
    if update.isLock, lockWords >> UInt64(word) & 1 == 1, known.newestPending(word) == nil {
      let time = append(new, to: word, by: process, in: &state)
      noteVisible(entry, at: time, by: process, in: &state)
    } else {
      state.processes[process].buffer.append(entry)
    }
  }

  /// What a read-modify-write finds, and the view of its load.
  private func read(
    _ word: Int, _ update: WeakUpdate, by process: Int, in state: inout WeakState
  ) -> (UInt64, View) {
    let known = state.processes[process]
    let acquires = update.order.acquiresInOrder
    var view = max(known.view(of: update.address), known.newReads)
    if acquires { view = max(view, known.releases) }
    let value: UInt64
    if let index = known.newestPending(word) {
      let entry = known.buffer[index]
      value = entry.value
      view = max(view, acquires ? max(entry.view, entry.readView) : entry.view)
    } else {
      let store = state.words[word][state.words[word].count - 1]
      value = store.value
      let own = known.own[word]
      let isOwn = own.time != 0 && own.time == store.time
      view = max(view, isOwn ? acquires ? max(own.view, own.readView) : own.view : store.time)
      state.processes[process].coherence[word] = max(known.coherence[word], store.time)
    }
    guard model == .armv8 else { return (value, 0) }
    if update.isUnused {
      state.processes[process].oldWrites = max(known.oldWrites, view)
    } else {
      state.processes[process].oldReads = max(known.oldReads, view)
    }
    if acquires { state.processes[process].newReads = max(known.newReads, view) }
    state.processes[process].control = max(known.control, known.pick(of: update.address))
    return (value, view)
  }

  /// Stores at once, as a barrier both ways.
  private func performAtOnce(
    _ new: UInt64, _ word: Int, by process: Int, in state: inout WeakState
  ) {
    let time = append(new, to: word, by: process, in: &state)
    state.processes[process].coherence[word] = time
    state.processes[process].oldWrites = max(state.processes[process].oldWrites, time)
    state.processes[process].releases = max(state.processes[process].releases, time)
    state.processes[process].own[word] = OwnStore(
      time: time, view: time, readView: time, pick: time)
    state.processes[process].newReads = state.processes[process].everything
  }
}
