// The initial state, and boot code, which runs before the CPUs start.

import GracewalkSupport

extension Machine {
  /// Sets the initial values of words and roots, and runs the scenario's boot code.
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
    if !scenario.bootBodies.isEmpty {
      let cpu = MachineCPU(index: layout.bootOwner, name: "boot", role: .boot, machine: self)
      cpu.code.begin()
      cpu.abandon()
    }
    endBoot()
    for index in 0..<Int(memory[layout.pagesAllocated(owner: layout.bootOwner)]) {
      publish(layout.page(owner: layout.bootOwner, index: index).id, by: layout.bootOwner)
    }
    coverage.forgetChanges()
    let hasPermissions = reachableTables.contains { view in
      view.entries.contains { $0.isTable && $0.isWritable }
    }
    if hasPermissions { coverage.note(.directoryPermissions) }
    if hasHardware { settleAll() }
    forgetBootSections()
    memory.forgetChanges()
  }

  /// Boot code needs no sections, since no other CPU can free anything.
  private func forgetBootSections() {
    let kept = events.all.filter { $0.kind != .dereferencedOutside }
    events.removeAll()
    for event in kept { events.append(event) }
  }

  func runBootCode(on cpu: VirtualCPU) throws {
    for body in scenario.bootBodies { try body(cpu) }
  }

  /// The maximum number of actions before the CPUs start, and of nested callbacks in them.
  static let bootActionsMax = 100_000
  static let bootCallsMax = 64

  /// Performs an action of boot code at once, since no CPU runs yet.
  func performAtBoot(_ action: Action, by cpu: VirtualCPU) -> UInt64 {
    switch action.kind {
    case .grace(.interruptSend):
      if isInside(.interrupts, cpu.index) { report(.sentWhileMasked, cpu.index) }
      return 0
    case .grace(.graceStart), .callback(.barrierStart):
      if isInside(.sections, cpu.index) { report(.blockedInSection, cpu.index) }
      return 0
    case .grace(.graceEnd), .grace(.interruptTaken), .callback(.barrierEnd), .choose: return 0
    case .callback(.call):
      // No CPU is in a section, so the grace period ends at once.
      try? cpu.runNow(callbackBody(for: action.callbackKey))
      return 0
    case .grace(.sectionEnter), .grace(.sectionLeave), .grace(.maskInterrupts),
      .grace(.unmaskInterrupts), .callback(.callbackStart), .callback(.callbackEnd), .finished,
      .cutOff,
      .access, .fence, .lock, .page, .slab, .context, .history, .hardware, .handOver, .claim,
      .threw:
      return perform(action, by: cpu.index)
    }
  }

  /// Why a wait in boot code would never end; nil if it need not wait.
  ///
  /// Grace periods end at once, since no other CPU is in a section.
  func waitText(atBoot action: Action) -> String? {
    switch action.kind {
    case .access, .lock:
      guard !canTake(action, by: layout.bootOwner) else { return nil }
      return "'\(text(of: action))' waits for another CPU, but no CPU runs yet"
    case .finished, .cutOff, .fence, .grace, .callback, .page, .slab, .context, .choose, .history,
      .hardware, .handOver, .claim, .threw:
      return nil
    }
  }

  /// Boot code must not leave a section or lock open, since no CPU could close it.
  private func endBoot() {
    if failure != nil || !events.isEmpty { return }
    for cell in scenario.spinLockCells + scenario.readWriteLockCells where memory[cell] != 0 {
      fail(
        .misuse("boot code ends and still holds \(name(ofCell: cell)), which no CPU can release"))
    }
    if isInside(.sections, layout.bootOwner) {
      fail(.misuse("boot code ends inside a read-side section, which no CPU can leave"))
    }
    if isInside(.interrupts, layout.bootOwner) {
      fail(.misuse("boot code ends with interrupts masked"))
    }
    memory[layout.section(layout.bootOwner)] = 0
    memory[layout.mask(layout.bootOwner)] = 0
  }
}
