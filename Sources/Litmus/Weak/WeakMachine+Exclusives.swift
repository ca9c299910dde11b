// Exclusive stores, which succeed only if nobody has stored since the exclusive load.

import GracewalkMachine

extension WeakMachine {
  func exclusiveChoices(
    _ instruction: Instruction, by process: Int, in state: WeakState
  ) -> [WeakChoice] {
    guard case .storeExclusive(_, let address, let order, _) = instruction else { return [] }
    let known = state.processes[process]
    let views = state.order.cpus[process]
    guard let word = place(of: address, by: process, in: state) else { return [.stop] }
    // It always may fail.
    guard canSucceed(word, by: process, in: state) else { return [.failExclusive] }
    guard views.buffer.count < StoreOrder.entriesMax else {
      noteCap()
      return [.failExclusive]
    }
    if model == .armv8, views.hasPendingStore,
      order.releases || behindMonitor(word, known.monitor, views).contains(where: \.isRelease)
    {
      var copy = state
      succeedExclusive(instruction, by: process, in: &copy)
      let hasCycle = withExtendedLifetime(copy) { copy.order.hasCycle }
      if hasCycle { return [.failExclusive] }
    }
    return [.failExclusive, .succeedExclusive]
  }

  private func canSucceed(_ word: Int, by process: Int, in state: WeakState) -> Bool {
    let views = state.order.cpus[process]
    guard let monitor = state.processes[process].monitor, Int(monitor.word) == word else {
      return false
    }
    if model != .armv8, views.hasPendingStore { return false }
    if monitor.pending == 0, state.order.isLocked(UInt32(word), for: process) { return false }
    let first = firstBehindMonitor(monitor, views)
    return !views.buffer[first...].contains { $0.kind == .barrier }
  }

  /// The place in the buffer behind the store that the exclusive load read.
  private func firstBehindMonitor(_ monitor: ExclusiveMonitor, _ views: CPUViews) -> Int {
    var left = Int(monitor.pending)
    for index in views.buffer.indices where left > 0 {
      let entry = views.buffer[index]
      guard entry.kind == .store, entry.number == UInt32(monitor.word) else { continue }
      left -= 1
      if left == 0 { return index + 1 }
    }
    return 0
  }

  /// The process's stores to the word between that store and the exclusive one.
  private func behindMonitor(
    _ word: Int, _ monitor: ExclusiveMonitor?, _ views: CPUViews
  ) -> [PendingEntry] {
    guard let monitor else { return [] }
    return views.buffer[firstBehindMonitor(monitor, views)...].filter {
      $0.kind == .store && Int($0.number) == word
    }
  }

  func failExclusive(_ instruction: Instruction, by process: Int, in state: inout WeakState) {
    state.processes[process].monitor = nil
    if let status = instruction.result {
      state.processes[process].registers[status] = RegisterState(value: 1)
    }
  }

  /// From the store that the exclusive load read up to this one, the word is the process's own.
  func succeedExclusive(_ instruction: Instruction, by process: Int, in state: inout WeakState) {
    guard case .storeExclusive(let value, let address, let order, let status) = instruction else {
      return
    }
    let known = state.processes[process]
    guard let monitor = known.monitor else { return }
    let word = Int(monitor.word)
    state.processes[process].monitor = nil
    if let status { state.processes[process].registers[status] = RegisterState() }
    guard model == .armv8 else {
      _ = append(known.value(of: value), to: word, by: process, in: &state)
      return
    }
    noteControl(of: address, by: process, in: &state)
    let views = state.order.cpus[process]
    for index in views.buffer.indices[firstBehindMonitor(monitor, views)...]
    where views.buffer[index].kind == .store && Int(views.buffer[index].number) == word {
      state.order.cpus[process].buffer[index].isLocking = true
    }
    var entry = PendingEntry(kind: .store, number: UInt32(monitor.word))
    entry.isRelease = order.releases
    entry.isLocking = true
    entry.value = known.value(of: value)
    entry.translation = known.translation?.found
    entry.view = max(view(of: address, by: process, in: state), known.view(of: value))
    entry.readView = monitor.view
    entry.pick = max(known.pick(of: address), known.pick(of: value))
    state.processes[process].noteValue(of: word)
    state.order.cpus[process].buffer.append(entry)
  }
}
