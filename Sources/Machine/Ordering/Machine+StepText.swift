// What steps have to do with stores that become visible later, in words for traces.

import GracewalkSupport

extension Machine {
  /// A step in words, before it is taken, without what is said of visibility.
  func stepText(of action: Action, _ note: StoreNote?) -> String {
    guard action.kind == .access(.drain), let note else { return text(of: action) }
    if memoryModel == .totalStoreOrder, let pending = oldestPending(of: note.cpu) {
      return text(of: pending)
    }
    return "store \(name(ofCell: note.cell)) ← \(text(ofValue: note.value, in: note.cell))"
  }

  /// What a step has to do with a store that is, or was, not visible; nil if nothing.
  func storeNote(of action: Action, choosing choice: Int, by cpu: Int) -> StoreNote? {
    switch memoryModel {
    case .sequentialConsistency: nil
    case .totalStoreOrder: bufferNote(of: action, by: cpu)
    case .armv8: orderNote(of: action, choosing: choice, by: cpu)
    }
  }

  private func bufferNote(of action: Action, by cpu: Int) -> StoreNote? {
    if action.kind == .access(.drain) {
      let owner = cpu - firstDrainer
      return oldestPending(of: owner).map {
        StoreNote(kind: .visible, cell: $0.cell, value: $0.operands.first, cpu: owner)
      }
    }
    if isDeferred(action, by: cpu) {
      return StoreNote(kind: .pending, cell: action.cell, value: action.operands.first, cpu: cpu)
    }
    if action.kind == .access(.load), !action.isLocal,
      let value = forwarded(action.cell, to: cpu)
    {
      return StoreNote(kind: .own, cell: action.cell, value: value, cpu: cpu)
    }
    return nil
  }

  private func walkNote(
    of action: Action, choosing choice: Int, by cpu: Int
  ) -> StoreNote? {
    guard let place = walkReadings(action, by: cpu).place(choice),
      place < order.words.count(of: action.cell) - 1
    else { return nil }
    let store = order.store(action.cell, place, otherwise: memory[action.cell])
    return StoreNote(kind: .old, cell: action.cell, value: store.value, cpu: cpu)
  }

  private func orderNote(
    of action: Action, choosing choice: Int, by cpu: Int
  ) -> StoreNote? {
    if action.kind == .access(.drain) {
      let owner = cpu - firstDrainer
      let entry = order.cpus[owner].buffer[flushable(choice, of: owner)]
      return StoreNote(kind: .visible, cell: entry.number, value: entry.value, cpu: owner)
    }
    if action.kind == .hardware(.walkRead), !mustRestart(cpu) {
      return walkNote(of: action, choosing: choice, by: cpu)
    }
    guard isOrdered(cpu), case .access(let access) = action.kind else { return nil }
    if access == .store {
      return StoreNote(kind: .pending, cell: action.cell, value: action.stored, cpu: cpu)
    }
    if action.isLocal { return nil }
    let readings = readings(of: action, by: cpu)
    guard choice < readings.count else { return nil }
    switch readings[choice] {
    case .own:
      let buffer = order.cpus[cpu].buffer
      guard let index = order.cpus[cpu].newestPending(action.cell) else { return nil }
      return StoreNote(kind: .own, cell: action.cell, value: buffer[index].value, cpu: cpu)
    case .update:
      let isFull =
        action.ordering == .acquireRelease || action.ordering == .sequentiallyConsistent
      return isFull ? nil : StoreNote(kind: .pending, cell: action.cell, value: 0, cpu: cpu)
    case .visible(let place):
      if place >= order.words.count(of: action.cell) - 1 { return nil }
      let store = order.store(action.cell, place, otherwise: memory[action.cell])
      return StoreNote(kind: .old, cell: action.cell, value: store.value, cpu: cpu)
    }
  }
}
