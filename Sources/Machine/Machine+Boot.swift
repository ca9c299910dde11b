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
    if !scenario.bootBodies.isEmpty { cpu.start() }
    endBoot()
    for index in 0..<Int(memory[layout.pagesAllocated(owner: layout.bootOwner)]) {
      publish(layout.page(owner: layout.bootOwner, index: index).id)
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

  /// More actions than this before the CPUs start, and the code is taken to be in an endless loop.
  static let bootActionsMax = 100_000

  /// Takes effect at once: nothing else runs yet.
  ///
  /// It is judged at once, too: an execution that begins with a mistake has no step to blame.
  func performAtBoot(_ action: Action, by cpu: VirtualCPU) throws(Abandoned) -> UInt64 {
    let site = cpu.site ?? .none
    guard cpu.actionCount <= Machine.bootActionsMax else {
      throw cpu.misuse(
        "more than \(Machine.bootActionsMax) actions before the CPUs start: a loop that does not end",
        site)
    }
    if let text = waitText(atBoot: action) { throw cpu.misuse(text, site) }
    let result = try effect(atBoot: action, by: cpu)
    guard judgeBoot() else {
      cpu.isAbandoned = true
      throw Abandoned()
    }
    return result
  }

  private func effect(atBoot action: Action, by cpu: VirtualCPU) throws(Abandoned) -> UInt64 {
    switch action.kind {
    case .interruptSend:
      if isInside(.interrupts, cpu.index) { report(.sentWhileMasked, cpu.index) }
      return 0
    case .graceStart, .barrierStart:
      if isInside(.sections, cpu.index) { report(.blockedInSection, cpu.index) }
      return 0
    case .graceEnd, .barrierEnd, .interruptTaken, .choose: return 0
    case .call:
      // No other CPU is in a section, so the grace period is over at once.
      try cpu.runNow(callbackBody(for: action.b))
      return 0
    default: return perform(action, by: cpu.index)
    }
  }

  /// What boot code waits for in vain; nil if it need not wait.
  ///
  /// Grace periods are over at once: nobody else is inside of anything.
  private func waitText(atBoot action: Action) -> String? {
    switch action.kind {
    case .wait, .spinLock, .readLock, .writeLock:
      guard !canTake(action, by: layout.bootOwner) else { return nil }
      return "'\(text(of: action))' waits for what nobody will do: no CPU runs yet"
    default: return nil
    }
  }

  /// Nothing may be left open for the CPUs: nobody would ever close it.
  private func endBoot() {
    if failure != nil || violation != nil { return }
    for cell in scenario.spinLockCells + scenario.readWriteLockCells where memory[cell] != 0 {
      fail(
        .misuse("boot code ends and still holds \(name(ofCell: cell)), which nobody can release"))
    }
    if isInside(.sections, layout.bootOwner) {
      fail(.misuse("boot code ends inside a read-side section, which nobody can leave"))
    }
    if isInside(.interrupts, layout.bootOwner) {
      fail(.misuse("boot code ends with interrupts masked"))
    }
    memory[layout.section(layout.bootOwner)] = 0
    memory[layout.mask(layout.bootOwner)] = 0
  }
}
