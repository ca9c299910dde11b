// Footprints under x86-TSO: each CPU's buffer is one object.

import GracewalkExploration
import GracewalkSupport

extension Machine {
  /// Adds the buffers that an action touches.
  ///
  /// To put something in a buffer enables the step that makes it visible, so both write the buffer.
  func addBuffer(of action: Action, by cpu: Int, to footprint: Footprint) {
    if cpu >= layout.bufferedCPUs || action.isLocal { return }
    let buffer = layout.pending(cpu, 0)
    if touchesTold(action) { footprint.write(buffer) }
    if isPutInBuffer(action, by: cpu) { footprint.write(buffer) }
    if waitsForStores(action) { footprint.read(buffer, .blocks) }
    switch action.kind {
    case .grace(.sectionLeave), .grace(.unmaskInterrupts): footprint.write(buffer)
    case .grace(.graceStart), .grace(.interruptSend), .callback(.call):
      addBuffers(of: ~CPUSet(cpu).bits, to: footprint, writes: true)
    case .grace(.graceEnd), .grace(.interruptTaken):
      addBuffers(of: action.awaitedCPUs, to: footprint, writes: false)
    case .grace(.sectionEnter), .grace(.maskInterrupts), .callback, .access, .fence, .lock, .page,
      .slab, .context, .choose, .history, .hardware, .handOver, .claim, .finished, .cutOff, .threw:
      break
    }
  }

  /// True if an action is about what its CPU was told, or has told others, as are its stores when
  /// they become visible.
  private func touchesTold(_ action: Action) -> Bool {
    guard followsWords else { return false }
    switch action.kind {
    case .access, .hardware(.guestAccess), .hardware(.tlbInvalidate): return true
    case .fence, .lock, .grace, .callback, .page, .slab, .context, .choose, .history, .hardware,
      .handOver, .claim, .finished, .cutOff, .threw:
      return false
    }
  }

  /// Adds what a load could read if its CPU's stores became visible first.
  func addPotentialBuffer(of action: Action, by cpu: Int, to footprint: Footprint) {
    if action.kind == .access(.load) || action.kind == .access(.wait) {
      footprint.read(action.cell)
    }
  }

  /// Adds the footprint of a load: of the buffer, if it reads a pending store of its own CPU, and
  /// else of the word.
  func addBufferedRead(_ action: Action, by cpu: Int, to footprint: Footprint) {
    if !action.isLocal, forwarded(action.cell, to: cpu) != nil {
      footprint.read(layout.pending(cpu, 0))
    } else {
      footprint.read(action.cell)
    }
  }

  /// Adds the buffers of a set of CPUs.
  func addBuffers(of cpus: UInt64, to footprint: Footprint, writes: Bool) {
    if layout.bufferedCPUs == 0 { return }
    var left = CPUSet(bits: cpus).intersection(.first(layout.bufferedCPUs))
    while let cpu = left.popLowest() {
      if writes {
        footprint.write(layout.pending(cpu, 0))
      } else {
        footprint.read(layout.pending(cpu, 0))
      }
    }
  }

  /// Adds what becomes visible, and the buffer.
  func addDrain(of cpu: Int, to footprint: Footprint) {
    footprint.write(layout.pending(cpu, 0))
    guard let action = oldestPending(of: cpu) else { return }
    if action.lifetime != 0 && action.kind != .page(.free) { footprint.read(action.lifetime) }
    addFootprintNow(of: action, by: cpu, to: footprint)
  }

  /// The same after steps of others.
  func addPotentialDrain(of cpu: Int, to footprint: Footprint) {
    guard let action = oldestPending(of: cpu) else { return }
    addPotentialNow(of: action, by: cpu, to: footprint)
  }
}
