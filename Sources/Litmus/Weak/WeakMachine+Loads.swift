// Loads: which stores they may read, and what that says of loads behind them.

import GracewalkMachine

/// A load, or the failing half of a read-modify-write.
struct WeakLoad {
  var address: Operand
  var register: Int?
  /// It waits for releases before it, and orders all behind it.
  var acquiresInOrder = false
  var acquires = false
  var isExclusive = false
  /// Its result is of no use, and fences for loads do not wait for it.
  var isUnused = false
  /// It may read only values that these leave as they are.
  var failing: WeakUpdate.Condition?
  /// The register becomes 1 for values other than 0.
  var isFlag = false
  /// The register becomes 0.
  var isFailure = false
}

extension WeakMachine {
  func load(_ instruction: Instruction) -> WeakLoad {
    switch instruction {
    case .load(let register, let address, let order, let isExclusive):
      return WeakLoad(
        address: address, register: register, acquiresInOrder: order.acquiresInOrder,
        acquires: order.acquiresInOrder || order == .acquireLocally, isExclusive: isExclusive)
    case .isLocked(let lock, let register):
      return WeakLoad(address: lock, register: register, isFlag: true)
    case .waitUntilUnlocked(let lock):
      // It ends when it reads 0, and so reads nothing else.
      return WeakLoad(
        address: lock, register: nil, acquiresInOrder: true, acquires: true,
        failing: .init(modification: .addUnless(.constant(0)), compared: 0))
    default: fatalError("[internal] no load")
    }
  }

  func loadChoices(_ load: WeakLoad, by process: Int, in state: WeakState) -> [WeakChoice] {
    let known = state.processes[process]
    guard let word = LitmusTest.word(at: known.value(of: load.address), of: test.words.count) else {
      return [.stop]
    }
    func mayRead(_ value: UInt64) -> Bool { load.failing.map { !$0.isMet(by: value) } ?? true }
    if model == .armv8, load.acquiresInOrder, known.hasPendingRelease { return [] }
    if let index = known.newestPending(word) {
      return mayRead(known.buffer[index].value) ? [.forward] : []
    }
    let stores = state.words[word]
    var first = stores.count - 1
    if model == .armv8 {
      let floor = max(viewBefore(load, known), known.coherence[word])
      first = stores.lastIndex { $0.time <= floor } ?? 0
    }
    return (first..<stores.count).filter { mayRead(stores[$0].value) }.map { .read($0) }
  }

  /// What a load must not miss.
  private func viewBefore(_ load: WeakLoad, _ known: WeakProcess) -> View {
    let view = max(known.view(of: load.address), known.newReads)
    return load.acquiresInOrder ? max(view, known.releases) : view
  }

  func perform(
    _ load: WeakLoad, _ choice: WeakChoice, by process: Int, in state: inout WeakState
  ) {
    let known = state.processes[process]
    guard let word = LitmusTest.word(at: known.value(of: load.address), of: test.words.count) else {
      return
    }
    var view = viewBefore(load, known)
    var pick: View = 0
    let value: UInt64
    var monitor: ExclusiveMonitor?
    if case .read(let index) = choice {
      let store = state.words[word][index]
      value = store.value
      let own = known.own[word]
      let isOwn = own.time != 0 && own.time == store.time
      view = max(
        view, isOwn ? load.acquires ? max(own.view, own.readView) : own.view : store.time)
      if isOwn { pick = own.pick }
      state.processes[process].coherence[word] = max(known.coherence[word], store.time)
      if index == state.words[word].count - 1 {
        monitor = ExclusiveMonitor(word: UInt8(word), pending: 0, view: view)
      }
    } else {
      guard let index = known.newestPending(word) else { return }
      let entry = known.buffer[index]
      value = entry.value
      view = max(view, load.acquires ? max(entry.view, entry.readView) : entry.view)
      pick = entry.pick
      monitor = ExclusiveMonitor(
        word: UInt8(word), pending: UInt8(known.pendingCount(word)), view: view)
    }
    note(load, view, by: process, in: &state)
    if load.isExclusive { state.processes[process].monitor = monitor }
    if let register = load.register {
      let result = load.isFailure ? 0 : load.isFlag ? (value != 0 ? 1 : 0) : value
      state.processes[process].registers[register] = RegisterState(
        value: result, view: view, pick: max(view, pick))
    }
  }

  /// Notes what a load has read, for what is ordered behind it.
  private func note(_ load: WeakLoad, _ view: View, by process: Int, in state: inout WeakState) {
    guard model == .armv8 else { return }
    let known = state.processes[process]
    if load.isUnused {
      state.processes[process].oldWrites = max(known.oldWrites, view)
    } else {
      state.processes[process].oldReads = max(known.oldReads, view)
    }
    if load.acquires { state.processes[process].newReads = max(known.newReads, view) }
    state.processes[process].control = max(known.control, known.pick(of: load.address))
  }
}
