// Armv8: a grace period sees the end of a section, or the section what was before it.

import GracewalkExploration
import GracewalkSupport

/// A grace period in progress: that of a CPU, or of a callback.
private enum GracePeriod {
  case cpu(Int, GraceDomain)
  /// The number of the callback among all, its owner, and its number there.
  case callback(UInt32, owner: Int, index: Int)
}

/// The domains in which a section begins: its own, and perhaps that of all readers.
private struct BegunDomains {
  var own: GraceDomain
  var isPartOfReader: Bool

  func contains(_ domain: GraceDomain) -> Bool {
    domain == own || isPartOfReader && domain == .readers
  }
}

extension Machine {
  // MARK: Sections

  /// The domains in which a section begins.
  private func domains(begunBy action: Action, by cpu: Int) -> BegunDomains {
    let domain: GraceDomain = action.kind == .grace(.maskInterrupts) ? .interrupts : .sections
    return BegunDomains(own: domain, isPartOfReader: isPartOfReader(domain, cpu))
  }

  /// Calls back with each grace period in progress that a section which begins now may be part of.
  private func eachGracePeriod(
    in domains: BegunDomains, notOf cpu: Int, _ body: (GracePeriod) -> Void
  ) {
    for other in order.cpus.indices where other != cpu && order.cpus[other].gracePeriod != 0 {
      let domain = GraceDomain(number: UInt64(order.cpus[other].gracePeriod) - 1)
      if domains.contains(domain) { body(.cpu(other, domain)) }
    }
    guard domains.contains(graceDomain) else { return }
    eachWaitingCallback { owner, index in
      let number = UInt32(owner * layout.callbacksPerCPU + index)
      body(.callback(number, owner: owner, index: index))
    }
  }

  /// The number of these.
  func gracePeriodCount(at action: Action, by cpu: Int) -> Int {
    var count = 0
    eachGracePeriod(in: domains(begunBy: action, by: cpu), notOf: cpu) { _ in count += 1 }
    return count
  }

  func graceInOrder(
    _ grace: Action.Grace, _ action: Action, choosing choice: Int, by cpu: Int
  ) -> UInt64 {
    switch grace {
    case .sectionEnter, .maskInterrupts: return enter(action, choosing: choice, by: cpu)
    case .sectionLeave, .unmaskInterrupts, .interruptTaken, .graceEnd:
      if grace == .graceEnd || grace == .interruptTaken { endGracePeriod(grace, by: cpu) }
      return performNow(action, by: cpu)
    case .graceStart, .interruptSend:
      flushHidden(by: cpu)
      let domain = domain(of: grace)
      changeOrder { order in
        order.orderEverything(of: cpu)
        order.cpus[cpu].gracePeriod = UInt8(domain.number + 1)
        order.cpus[cpu].graceStart = order.cpus[cpu].newReads
        order.cpus[cpu].graceView = order.viewOfEnded(in: domain, asOf: cpu)
      }
      if domain == .interrupts { noteInterrupted(by: cpu) }
      return performNow(action, by: cpu)
    }
  }

  /// CPUs that mask nothing take the interrupt, at the earliest now.
  ///
  /// What one that has ended knew was noted as at the end of a section (`closeOrder`).
  private func noteInterrupted(by cpu: Int) {
    for other in 0..<layout.bufferedCPUs where other != cpu && !isInside(.interrupts, other) {
      changeOrder { order in
        order.cpus[cpu].graceView = max(
          order.cpus[cpu].graceView, order.cpus[other].everything)
      }
    }
  }

  /// Enters a section; each grace period in progress waits for it, or is seen by it.
  private func enter(_ action: Action, choosing choice: Int, by cpu: Int) -> UInt64 {
    let domains = domains(begunBy: action, by: cpu)
    let result = performNow(action, by: cpu)
    changeOrder { order in
      order.cpus[cpu].see(order.finished[Int(domains.own.number)])
      if domains.isPartOfReader {
        order.cpus[cpu].see(order.finished[Int(GraceDomain.readers.number)])
      }
    }
    let bit = CPUSet(cpu).bits
    var left = choice
    eachGracePeriod(in: domains, notOf: cpu) { period in
      let waits = left & 1 == 1
      left >>= 1
      switch period {
      case .cpu(let other, let domain):
        if waits {
          memory[layout.awaited(domain, other)] |= bit
        } else {
          changeOrder { $0.cpus[cpu].see($0.cpus[other].graceStart) }
        }
      case .callback(let number, let owner, let index):
        if waits {
          memory[layout.callbackReaders(owner, index)] |= bit
        } else {
          changeOrder { $0.cpus[cpu].see($0.callbacks[number].start) }
        }
      }
    }
    return result
  }

  /// Ends a section: those that wait for it see all that came before, and wait until it is visible.
  func leaveInOrder(_ domain: GraceDomain, _ cpu: Int) {
    let bit = CPUSet(cpu).bits
    var waiters: UInt64 = 0
    for other in 0..<layout.bufferedCPUs
    where order.cpus[other].gracePeriod == UInt8(domain.number + 1)
      && memory[layout.awaited(domain, other)] & bit != 0
    {
      waiters |= CPUSet(other).bits
    }
    var callbacks: UInt64 = 0
    if domain == graceDomain {
      eachWaitingCallback { owner, index in
        if memory[layout.callbackReaders(owner, index)] & bit != 0 {
          callbacks |= callbackBit(owner, index)
        }
      }
    }
    // Those that wait for an earlier section of the CPU are in an earlier entry.
    for index in order.cpus[cpu].buffer.indices {
      let entry = order.cpus[cpu].buffer[index]
      guard entry.kind == .sectionEnd, UInt64(entry.number) == domain.number else { continue }
      waiters &= ~entry.waiters
      callbacks &= ~entry.callbacks
    }
    changeOrder { order in
      let view = order.cpus[cpu].everything
      let place = Int(domain.number)
      order.cpus[cpu].sectionEnds[place] = max(order.cpus[cpu].sectionEnds[place], view)
      order.raiseGracePeriods(waiters, callbacks, to: view)
    }
    var entry = PendingEntry(kind: .sectionEnd, number: UInt32(domain.number))
    entry.waiters = waiters
    entry.callbacks = callbacks
    putSectionEnd(entry, by: cpu)
  }

  // MARK: Grace periods

  private func endGracePeriod(_ grace: Action.Grace, by cpu: Int) {
    let domain = Int(domain(of: grace).number)
    changeOrder { order in
      let start = order.cpus[cpu].graceStart
      order.finished[domain] = max(order.finished[domain], start)
      order.cpus[cpu].see(order.cpus[cpu].graceView)
      order.cpus[cpu].gracePeriod = 0
      guard grace == .interruptTaken else { return }
      // By now every CPU has taken the interrupt.
      for other in order.cpus.indices { order.cpus[other].see(start) }
    }
  }

  /// Lets a CPU, or a callback, wait for the ends of sections that are in buffers; returns whose
  /// they are.
  func awaitPending(
    in domain: GraceDomain, _ waiters: UInt64, _ callbacks: UInt64, by cpu: Int
  ) -> CPUSet {
    var found = CPUSet()
    for other in 0..<layout.bufferedCPUs where other != cpu && !isInside(domain, other) {
      func lastMark() -> Int? {
        order.cpus[other].buffer.lastIndex {
          $0.kind == .sectionEnd && UInt64($0.number) == domain.number
        }
      }
      if domain == .interrupts, order.cpus[other].hasPendingStore {
        // It takes the interrupt when the stores before it are visible.
        let buffer = order.cpus[other].buffer
        let place = buffer.firstIndex(where: \.isRecent) ?? buffer.count
        if lastMark() != place - 1, buffer[..<place].contains(where: \.isAwaited) {
          let mark = PendingEntry(kind: .sectionEnd, number: UInt32(domain.number))
          changeOrder { $0.cpus[other].buffer.insert(mark, at: place) }
        }
      }
      guard let last = lastMark() else { continue }
      changeOrder { order in
        order.cpus[other].buffer[last].waiters |= waiters
        order.cpus[other].buffer[last].callbacks |= callbacks
      }
      found.insert(other)
    }
    return found
  }

  // MARK: Callbacks

  func callbackInOrder(
    _ callback: Action.Callback, _ action: Action, by cpu: Int
  ) -> UInt64 {
    let owner = cpus[cpu].callbackOwner
    switch callback {
    case .call:
      flushHidden(by: cpu)
      let index = Int(memory[layout.callbacksQueued(owner)])
      let number = UInt32(owner * layout.callbacksPerCPU + index)
      changeOrder { order in
        let view = order.cpus[cpu].everything
        order.callbacks[number] = CallbackViews(
          start: view, view: max(view, order.viewOfEnded(in: graceDomain, asOf: cpu)))
      }
    case .callbackStart:
      let index = Int(memory[layout.callbacksStarted(owner)])
      let number = UInt32(owner * layout.callbacksPerCPU + index)
      let domain = Int(graceDomain.number)
      changeOrder { order in
        let known = order.callbacks[number]
        order.finished[domain] = max(order.finished[domain], known.start)
        order.cpus[cpu].see(known.view)
        order.callbacks[number] = CallbackViews()
      }
    case .callbackEnd:
      flushHidden(by: cpu)
      changeOrder { $0.cpus[cpu].callbackEnd = $0.cpus[cpu].everything }
    case .barrierStart:
      flushHidden(by: cpu)
      changeOrder { $0.orderEverything(of: cpu) }
    case .barrierEnd:
      for other in 0..<layout.bufferedCPUs where memory[layout.barrierTarget(cpu, other)] > 0 {
        guard let runner = callbackCPUs[other] else { continue }
        changeOrder { $0.cpus[cpu].see($0.cpus[runner].callbackEnd) }
      }
    }
    return performNow(action, by: cpu)
  }
}

extension StoreOrder {
  /// What was known at the last ends of sections of all CPUs but one, and what that one knows.
  fileprivate func viewOfEnded(in domain: GraceDomain, asOf cpu: Int) -> View {
    var view = cpus[cpu].everything
    for other in cpus.indices where other != cpu {
      view = max(view, cpus[other].sectionEnds[Int(domain.number)])
    }
    return view
  }
}
