// Which CPUs hold which locks and sections, and what a blocked CPU waits for.

import GracewalkSupport

/// A lock that a CPU holds.
public struct HeldLock: Equatable, Sendable {
  public var cpu: Int
  public var lock: String
  public var mode: LockMode
  /// Where it was taken, as the end of a sentence: " since map 0x0"; empty if that is not known.
  public var since: String
}

/// An open section or mask of a CPU.
public struct OpenSection: Equatable, Sendable {
  public var cpu: Int
  /// True for masked interrupts, false for a read-side section.
  public var isMask: Bool
  /// Where it was entered, as the end of a sentence.
  public var since: String
}

extension Machine {
  /// True if a CPU has finished all its operations, or waits between two callbacks.
  public func hasEnded(_ cpu: Int) -> Bool {
    guard cpu < layout.cpuCount else { return true }
    let kind = node(of: cpu).pointee.action.kind
    return kind == .finished || kind == .callback(.callbackStart) || kind == .access(.drain)
  }

  /// All locks that are held, in the order in which the scenario declares them.
  public var heldLocks: [HeldLock] {
    // Called at the end of every execution, so it allocates nothing if no lock is held.
    var isHeld = false
    for cell in scenario.spinLockCells where memory[cell] != 0 { isHeld = true }
    for cell in scenario.readWriteLockCells where memory[cell] != 0 { isHeld = true }
    if usesPageLocks { isHeld = true }
    return isHeld ? (lockCells.sorted() + usedPageLocks).flatMap { held(lock: $0) } : []
  }

  private func held(lock cell: UInt32) -> [HeldLock] {
    var list: [HeldLock] = []
    var holders = holders(ofLock: cell)
    while let cpu = holders.popLowest() {
      let mode = mode(ofLock: cell, heldBy: cpu) ?? .spin
      let since = since(cpu) { action in
        action.cell == cell
          && [
            .lock(.spinLock), .lock(.readLock), .lock(.writeLock), .lock(.trySpinLock),
            .lock(.tryReadLock), .lock(.tryWriteLock), .lock(.downgrade),
          ].contains(action.kind)
      }
      list.append(HeldLock(cpu: cpu, lock: name(ofCell: cell), mode: mode, since: since))
    }
    return list
  }

  /// All read-side sections and masks that are open, in the order of CPUs.
  public var openSections: [OpenSection] {
    let inside = readers(in: .sections) | readers(in: .interrupts)
    if inside == 0 { return [] }
    return (0..<layout.cpuCount).flatMap { cpu in
      [GraceDomain.sections, .interrupts].filter { isInside($0, cpu) }.map {
        openSection($0, of: cpu)
      }
    }
  }

  private func openSection(_ domain: GraceDomain, of cpu: Int) -> OpenSection {
    let entering: Action.Grace = domain == .interrupts ? .maskInterrupts : .sectionEnter
    return OpenSection(
      cpu: cpu, isMask: domain == .interrupts, since: since(cpu) { $0.kind == .grace(entering) })
  }

  /// The operation in which a CPU last took such an action, as the end of a sentence.
  private func since(_ cpu: Int, _ isMatch: (Action) -> Bool) -> String {
    for depth in stride(from: depth - 1, through: 0, by: -1) where takenStep(depth).cpu == cpu {
      let node = localStates[takenStep(depth).node].pointee
      guard isMatch(node.action) else { continue }
      return " since \(name(ofOperation: Int(node.operation), cpu: cpu))"
    }
    return cpu < layout.cpuCount ? "" : " since before the start"
  }

  // MARK: Waiting

  /// The action that a blocked CPU is about to take, and what blocks it.
  public func waitingText(of cpu: Int) -> String {
    let action = node(of: cpu).pointee.action
    let reasons = reasons(of: action, by: cpu).joined(separator: " and ")
    return reasons.isEmpty ? text(of: action) : "\(text(of: action)), \(reasons)"
  }

  private func reasons(of action: Action, by cpu: Int) -> [String] {
    guard action.isBlocking else { return [] }
    switch action.kind {
    case .access: return ["which is \(text(ofValue: memory[action.cell], in: action.cell))"]
    case .lock: return ["held by \(holdersText(action.cell, cpu))"]
    case .grace(.interruptTaken):
      return [text(ofReaders: memory[layout.interruptReceivers(cpu)], .interrupts, cpu)]
    case .grace: return [text(ofReaders: memory[layout.graceReaders(cpu)], graceDomain, cpu)]
    case .callback(.callbackStart):
      let owner = cpus[cpu].callbackOwner
      let next = Int(memory[layout.callbacksStarted(owner)])
      guard next < Int(memory[layout.callbacksQueued(owner)]) else { return [] }
      return [text(ofReaders: memory[layout.callbackReaders(owner, next)], graceDomain, cpu)]
    case .callback:
      return (0..<layout.cpuCount).filter {
        memory[layout.callbacksFinished($0)] < memory[layout.barrierTarget(cpu, $0)]
      }.map { "for a callback of \(name(ofCPU: $0))" }
    case .finished, .cutOff, .fence, .page, .slab, .context, .choose, .history, .hardware,
      .handOver, .claim, .threw:
      return []  // None of them blocks.
    }
  }

  private func holdersText(_ cell: UInt32, _ cpu: Int) -> String {
    held(lock: cell).map { held in
      let who = held.cpu == cpu ? "itself" : name(ofCPU: held.cpu)
      let ended = held.cpu != cpu && hasEnded(held.cpu) ? ", which has ended" : ""
      let mode = held.mode == .spin ? "" : held.mode == .read ? " as a reader" : " as the writer"
      return "\(who)\(mode)\(held.since)\(ended)"
    }.joined(separator: " and ")
  }

  private func text(ofReaders bits: UInt64, _ domain: GraceDomain, _ cpu: Int) -> String {
    var left = CPUSet(bits: bits)
    var parts: [String] = []
    while let other = left.popLowest() {
      let domains: [GraceDomain] =
        domain == .readers ? [.sections, .interrupts].filter { isInside($0, other) } : [domain]
      let texts = domains.map { domain in
        let section = openSection(domain, of: other)
        return (section.isMask ? "with masked interrupts" : "in a read-side section")
          + section.since
      }
      let who = other == cpu ? "itself" : name(ofCPU: other)
      parts.append("\(who), \(texts.joined(separator: " and "))")
    }
    return "for " + parts.joined(separator: " and ")
  }
}
