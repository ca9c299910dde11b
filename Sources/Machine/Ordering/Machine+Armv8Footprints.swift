// Footprints under Armv8: an object for what each CPU knows and has pending, and one for the order.

import GracewalkExploration
import GracewalkSupport

extension Machine {
  /// What a CPU knows of the order of stores, and has pending.
  private func views(of cpu: Int) -> UInt32 { layout.pending(cpu, 0) }

  /// Adds what an action touches of the order, and all of it for stores and for what makes them
  /// visible.
  ///
  /// Loads of one word are reads of it, whatever they find. Two stores that become visible one
  /// after the other never commute, since their order is part of the state.
  func addOrdered(_ action: Action, by cpu: Int, to footprint: Footprint) {
    if action.isLocal { return }
    if action.kind == .access(.drain) {
      return addVisible(order.flushable(of: cpu - firstDrainer), of: cpu - firstDrainer, footprint)
    }
    if case .hardware(let hardware) = action.kind {
      return addOrderedHardware(hardware, action, by: cpu, to: footprint)
    }
    guard isOrdered(cpu) else { return }
    switch action.kind {
    case .finished, .cutOff: return
    // Fences that follow as local actions belong to the step, too.
    case .choose, .history, .claim, .threw: break
    case .access(.load), .access(.wait), .access(.store), .access(.drain), .fence: break
    case .access:
      footprint.write(action.cell)
      if action.ordering != .relaxed && action.ordering != .acquire {
        addAllViews(footprint)
        return
      }
    case .lock, .page, .handOver: footprint.write(layout.orderName)
    case .hardware: break
    case .grace, .callback, .slab, .context: addAllViews(footprint)
    }
    footprint.write(views(of: cpu))
  }

  /// What walks find, and which old entries nobody finds any more, concerns everybody.
  private func addOrderedHardware(
    _ hardware: Action.Hardware, _ action: Action, by cpu: Int, to footprint: Footprint
  ) {
    switch hardware {
    case .dsb:
      addAllViews(footprint)
      for unit in translation.units.indices { footprint.write(layout.hardware.object(unit)) }
    case .walkRead, .walkUpdate, .walkStart, .evict, .tlbInvalidate: addAllViews(footprint)
    case .guestAccess, .tlbi, .settle: if isOrdered(cpu) { footprint.write(views(of: cpu)) }
    }
  }

  /// Adds everything that is ordered.
  private func addAllViews(_ footprint: Footprint) {
    footprint.write(layout.orderName)
    for other in 0..<layout.bufferedCPUs { footprint.write(views(of: other)) }
  }

  /// Adds stores that become visible, with all that may follow them out of the buffer.
  private func addVisible(_ entries: [Int], of owner: Int, _ footprint: Footprint) {
    footprint.write(views(of: owner))
    footprint.write(layout.orderName)
    let buffer = order.cpus[owner].buffer
    for index in entries {
      let entry = buffer[index]
      if entry.lifetime != 0 { footprint.read(entry.lifetime) }
      addWrite(of: entry.value, to: entry.number, footprint)
    }
    for entry in buffer {
      switch entry.kind {
      case .store, .barrier: break
      case .sectionEnd: addAllViews(footprint)
      case .effect: addFootprintNow(of: deferredAction(entry), by: owner, to: footprint)
      }
    }
  }

  /// Adds what it could touch after steps of others.
  func addPotentialOrdered(_ action: Action, by cpu: Int, to footprint: Footprint) {
    guard action.kind == .access(.drain) else { return }
    let owner = cpu - firstDrainer
    for entry in order.cpus[owner].buffer {
      switch entry.kind {
      case .store:
        if entry.lifetime != 0 { footprint.read(entry.lifetime) }
        addWrite(of: entry.value, to: entry.number, footprint)
        addUnlink(from: entry.number, footprint)
        if !layout.isNamed(entry.number) { addPotentialRelink(of: entry.value, to: footprint) }
      case .effect: addPotentialNow(of: deferredAction(entry), by: owner, to: footprint)
      case .barrier, .sectionEnd: break
      }
    }
  }

  /// True if `addOrdered` has the whole footprint of an action.
  func isOrderedAlone(_ action: Action, by cpu: Int) -> Bool {
    if action.isLocal { return false }
    return action.kind == .access(.drain) || isOrdered(cpu) && action.kind == .access(.store)
  }
}
