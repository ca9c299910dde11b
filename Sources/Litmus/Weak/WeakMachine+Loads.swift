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
    guard let word = place(of: load.address, by: process, in: state) else { return [.stop] }
    func mayRead(_ value: UInt64) -> Bool { load.failing.map { !$0.isMet(by: value) } ?? true }
    let views = state.order.cpus[process]
    if model == .armv8, load.acquiresInOrder, views.hasPendingRelease { return [] }
    if let index = views.newestPending(UInt32(word)) {
      return mayRead(views.buffer[index].value) ? [.forward] : []
    }
    let before = viewBefore(load, by: process, in: state)
    let stores = state.order.words[UInt32(word)]
    let limit = state.processes[process].translation?.found.limit
    return state.order.readable(UInt32(word), by: process, after: before)
      .filter { mayRead(stores[$0].value) && stores[$0].time < limit ?? View.max }
      .map { .read($0) }
  }

  /// What a load must not miss.
  private func viewBefore(_ load: WeakLoad, by process: Int, in state: WeakState) -> View {
    state.order.viewBeforeLoad(
      by: process, address: view(of: load.address, by: process, in: state),
      acquiresInOrder: load.acquiresInOrder)
  }

  func perform(
    _ load: WeakLoad, _ choice: WeakChoice, by process: Int, in state: inout WeakState
  ) {
    guard let place = place(of: load.address, by: process, in: state) else { return }
    let word = UInt32(place)
    let before = viewBefore(load, by: process, in: state)
    let value: UInt64
    let read: (view: View, pick: View)
    let dependency = valueView(at: place, choice, by: process, in: state)
    var monitor: ExclusiveMonitor?
    if case .read(let index) = choice {
      let stores = state.order.words[word]
      value = stores[index].value
      read = state.order.readVisible(
        word, stores[index], after: before, acquires: load.acquires, by: process)
      if index == stores.count - 1 {
        monitor = ExclusiveMonitor(word: UInt8(place), pending: 0, view: read.view)
      }
    } else {
      let views = state.order.cpus[process]
      guard let index = views.newestPending(word) else { return }
      value = views.buffer[index].value
      read = state.order.readPending(index, after: before, acquires: load.acquires, by: process)
      monitor = ExclusiveMonitor(
        word: UInt8(place), pending: UInt8(views.pendingCount(word)), view: read.view)
    }
    note(load, read.view, by: process, in: &state)
    if load.isExclusive { state.processes[process].monitor = monitor }
    if let register = load.register {
      let result = load.isFailure ? 0 : load.isFlag ? (value != 0 ? 1 : 0) : value
      state.processes[process].registers[register] = RegisterState(
        value: result, view: max(read.view, dependency),
        pick: max(read.view, dependency, read.pick))
    }
  }

  /// What a value depends on that a process reads from its own store, besides what orders the load.
  ///
  /// What one's own read-modify-write has added to depends on what that has read. A load of it need
  /// not come after that read, unless it is an acquire (Arm Architecture Reference Manual, B2.3,
  /// atomic-ordered-before).
  func valueView(
    at word: Int, _ choice: WeakChoice, by process: Int, in state: WeakState
  ) -> View {
    if case .read(let index) = choice {
      let own = state.order.cpus[process].own[UInt32(word)].time
      if own == 0 || own != state.order.words[UInt32(word)][index].time { return 0 }
    }
    return state.processes[process].valueView(of: word)
  }

  /// Notes what a load has read, for what is ordered behind it.
  private func note(_ load: WeakLoad, _ view: View, by process: Int, in state: inout WeakState) {
    guard model == .armv8 else { return }
    state.order.noteLoad(view, acquires: load.acquires, isUnused: load.isUnused, by: process)
    noteControl(of: load.address, by: process, in: &state)
  }

  /// Notes what an address depends on.
  func noteControl(of address: Operand, by process: Int, in state: inout WeakState) {
    let pick = state.processes[process].pick(of: address)
    state.order.cpus[process].control = max(state.order.cpus[process].control, pick)
  }
}
