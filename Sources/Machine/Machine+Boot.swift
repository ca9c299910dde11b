// What is there before the CPUs start.

import Support

extension Machine {
  /// Gives words and roots their first values, and runs what the scenario boots.
  func boot() {
    for (index, cell) in scenario.wordCells.enumerated() {
      memory[cell] = scenario.words[index].initial
    }
    for index in scenario.rootNames.indices {
      let page = layout.page(owner: layout.bootOwner, index: index)
      memory[page.base + Layout.lifetimeOffset] = 1
      memory[page.base + Layout.referencesOffset] = 1
      memory[page.base + Layout.publishedOffset] = Layout.published(atLevel: 0)
    }
    memory[layout.pagesAllocated(owner: layout.bootOwner)] = UInt64(scenario.rootNames.count)
    bootSlabs()
    let cpu = VirtualCPU(index: layout.bootOwner, name: "boot", role: .boot, machine: self)
    for body in scenario.bootBodies {
      do { try body(cpu) } catch {
        fail(.operationThrew(cpu: layout.bootOwner, error: String(describing: error)))
      }
    }
    for index in 0..<Int(memory[layout.pagesAllocated(owner: layout.bootOwner)]) {
      publish(layout.page(owner: layout.bootOwner, index: index).id, by: layout.bootOwner)
    }
    coverage.forgetChanges()
    let hasPermissions = reachableTables.contains { view in
      view.entries.contains { $0.isTable && $0.isWritable }
    }
    if hasPermissions { coverage.note(.directoryPermissions) }
    if hasHardware { settleAll() }
    events.removeAll()
    memory.forgetChanges()
  }

  /// Takes effect at once: nothing else runs yet.
  ///
  /// Actions that would have to wait cannot.
  func performAtBoot(_ action: Action, by cpu: VirtualCPU) -> UInt64 {
    switch action.kind {
    case .sectionEnter, .sectionLeave, .graceStart, .graceEnd, .barrierStart, .barrierEnd: return 0
    case .maskInterrupts, .unmaskInterrupts, .interruptSend, .interruptTaken: return 0
    case .choose: return 0
    case .call:
      // Nobody is in a section, so the grace period is over at once.
      do { try callbackBody(for: action.b)(cpu) } catch {
        fail(.operationThrew(cpu: cpu.index, error: String(describing: error)))
      }
      return 0
    default: return perform(action, by: cpu.index)
    }
  }
}
