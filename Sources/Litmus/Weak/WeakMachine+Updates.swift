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

    /// True if what leaves the word alone is a plain load.
    ///
    /// The kernel's `atomic_add_unless` reads the word first, and has no other instruction where
    /// that is exempt (`include/linux/atomic/atomic-arch-fallback.h`). A compare-exchange is one
    /// instruction with its orders either way.
    var failsByLoad: Bool {
      if case .addUnless = modification { return true }
      return false
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
    let acquires = order.acquiresInOrder && !condition.failsByLoad
    return WeakLoad(
      address: address, register: register, acquiresInOrder: acquires, acquires: acquires,
      isUnused: isUnused, failing: condition, isFailure: isTry)
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
    guard let word = place(of: update.address, by: process, in: state) else { return [.stop] }
    var choices: [WeakChoice] = []
    if update.condition.modification.mayFail, !update.isLock,
      model == .armv8 || update.condition.failsByLoad
        || !state.order.cpus[process].hasPendingStore
    {
      choices = loadChoices(update.failure, by: process, in: state)
    }
    if canUpdate(word, update, by: process, in: state) { choices.append(.update) }
    return choices
  }

  private func canUpdate(
    _ word: Int, _ update: WeakUpdate, by process: Int, in state: WeakState
  ) -> Bool {
    let views = state.order.cpus[process]
    let newest = views.newestPending(UInt32(word)).map { views.buffer[$0].value }
    let value = newest ?? state.order.words[UInt32(word)].last?.value ?? 0
    guard update.condition.isMet(by: value) else { return false }
    let mayUpdate = state.order.mayUpdate(
      UInt32(word), acquiresInOrder: update.order == .acquire,
      isFull: model != .armv8 || update.order.isFull, by: process)
    guard mayUpdate else { return false }
    if model != .armv8 || update.order.isFull { return true }
    guard views.buffer.count < StoreOrder.entriesMax else {
      noteCap()
      return false
    }
    var entry = PendingEntry(kind: .store, number: UInt32(word))
    entry.isRelease = update.order == .release
    entry.isLocking = true
    return state.order.mayRelease(entry, by: process)
  }

  func perform(_ update: WeakUpdate, by process: Int, in state: inout WeakState) {
    let known = state.processes[process]
    guard let word = place(of: update.address, by: process, in: state) else { return }
    let (old, view, dependency) = read(word, update, by: process, in: &state)
    let new = update.written(over: old, known.value(of: update.operand))
    if let register = update.register {
      let isCompare = !update.isTry && update.condition.modification.compares
      // The value found equals the one expected, so the processor may take either.
      state.processes[process].registers[register] = RegisterState(
        value: update.isTry ? 1 : old,
        view: isCompare ? min(known.view(of: update.compared), dependency) : dependency,
        pick: max(dependency, isCompare ? known.pick(of: update.compared) : 0))
    }
    guard model == .armv8 else {
      _ = append(new, to: word, by: process, in: &state)
      return
    }
    if update.order.isFull {
      state.processes[process].noteValue(of: word)
      state.order.storeAtOnce(new, to: UInt32(word), over: 0, by: process)
      noteStore(to: word, by: process, in: &state)
      return
    }
    var entry = PendingEntry(kind: .store, number: UInt32(word))
    entry.isRelease = update.order == .release
    entry.isLocking = true
    entry.value = new
    entry.translation = known.translation?.found
    entry.view = max(
      self.view(of: update.address, by: process, in: state), known.view(of: update.operand))
    state.processes[process].noteValue(
      of: word, dependingOn: update.condition.modification.dependsOnRead ? dependency : 0)
    entry.readView = view
    entry.pick = max(
      entry.view, dependency, known.pick(of: update.address), known.pick(of: update.operand),
      known.pick(of: update.compared))
    if update.isLock, lockWords >> UInt64(word) & 1 == 1,
      state.order.cpus[process].newestPending(UInt32(word)) == nil
    {
      let time = append(new, to: word, by: process, in: &state)
      state.order.noteVisible(entry, at: time, by: process)
    } else {
      state.order.cpus[process].buffer.append(entry)
    }
  }

  /// What a read-modify-write finds, the view of its load, and what the value depends on.
  private func read(
    _ word: Int, _ update: WeakUpdate, by process: Int, in state: inout WeakState
  ) -> (UInt64, View, View) {
    let place = word
    let word = UInt32(word)
    let acquires = update.order.acquiresInOrder
    let before = state.order.viewBeforeLoad(
      by: process, address: self.view(of: update.address, by: process, in: state),
      acquiresInOrder: acquires)
    let value: UInt64
    let view: View
    let choice: WeakChoice
    if let index = state.order.cpus[process].newestPending(word) {
      value = state.order.cpus[process].buffer[index].value
      choice = .forward
      view =
        state.order.readPending(index, after: before, acquires: acquires, by: process).view
    } else {
      let stores = state.order.words[word]
      let newest = stores[stores.count - 1]
      value = newest.value
      choice = .read(stores.count - 1)
      view =
        state.order.readVisible(word, newest, after: before, acquires: acquires, by: process).view
    }
    guard model == .armv8 else { return (value, 0, 0) }
    let dependency = max(view, valueView(at: place, choice, by: process, in: state))
    state.order.noteLoad(view, acquires: acquires, isUnused: update.isUnused, by: process)
    noteControl(of: update.address, by: process, in: &state)
    return (value, view, dependency)
  }
}
