// Masked interrupts, and the interrupts that others send and wait for.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

struct InterruptTests {
  /// CPU 0 masks its interrupts twice, one after the other; CPU 1 interrupts the others.
  private func machine() -> Machine {
    let scenario = Scenario()
    scenario.cpu(
      "walker",
      CPUOperation("walk") { cpu in
        for _ in 0..<2 {
          try cpu.maskInterrupts()
          try cpu.unmaskInterrupts()
        }
      })
    scenario.cpu("sender", CPUOperation("send") { cpu in try cpu.interruptOthers() })
    return Machine(scenario)
  }

  @Test func unmaskedCPUsTakeTheInterruptAtOnce() {
    let machine = machine()
    machine.take(1)
    #expect(machine.able == [0, 1])
  }

  @Test func maskedCPUsTakeItWhenUnmasking() {
    let machine = machine()
    machine.take(0, 1)
    #expect(machine.able == [0])
    machine.take(0)
    #expect(machine.able == [0, 1])
    machine.undo()
    #expect(machine.able == [0])
  }

  @Test func maskingAgainDelaysNoEarlierSender() {
    let machine = machine()
    machine.take(0, 1, 0, 0)
    #expect(machine.able == [0, 1])
  }

  /// Only the outermost pair counts: mask, load, unmask.
  @Test func nestedMasksAreOne() {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu(
      "walker",
      CPUOperation("walk") { cpu in
        try cpu.maskInterrupts()
        try cpu.maskInterrupts()
        _ = try cpu.load(word, .relaxed)
        try cpu.unmaskInterrupts()
        try cpu.unmaskInterrupts()
      })
    scenario.cpu("sender", CPUOperation("send") { cpu in try cpu.interruptOthers() })
    let machine = Machine(scenario)
    machine.take(0, 1, 0)
    #expect(machine.able == [0])
    machine.take(0)
    #expect(machine.able == [1])
    #expect(interleavings(of: scenario).statistics.depthMax == 5)
  }

  /// An interrupt does not wait for sections; a consolidated grace period also waits for masks.
  @Test(arguments: [ReadCopyUpdate.consolidated, .separate])
  func sectionsDoNotHoldUpInterrupts(kind: ReadCopyUpdate) {
    let scenario = Scenario()
    scenario.readCopyUpdate = kind
    scenario.cpu(
      "reader",
      CPUOperation("read") { cpu in
        try cpu.rcuReadLock()
        try cpu.rcuReadUnlock()
      })
    scenario.cpu(
      "walker",
      CPUOperation("walk") { cpu in
        try cpu.maskInterrupts()
        try cpu.unmaskInterrupts()
      })
    scenario.cpu("sender", CPUOperation("send") { cpu in try cpu.interruptOthers() })
    scenario.cpu("updater", CPUOperation("update") { cpu in try cpu.synchronizeRCU() })
    let machine = Machine(scenario)
    machine.take(0, 1, 2, 3)
    #expect(machine.able == [0, 1])
    machine.take(0)
    #expect(machine.able == (kind == .separate ? [1, 3] : [1]))
    machine.take(1)
    #expect(machine.able == [2, 3])
  }

  /// Alone, a sender with masked interrupts continues; two of them wait for each other.
  @Test(arguments: [1, 2])
  func sendersWithMaskedInterrupts(count: Int) {
    let scenario = Scenario()
    for cpu in 0..<2 {
      scenario.cpu(
        "sender \(cpu)",
        CPUOperation("send") { cpu in
          guard cpu.index < count else { return }
          try cpu.maskInterrupts()
          try cpu.interruptOthers()
          try cpu.unmaskInterrupts()
        })
    }
    let machine = Machine(scenario)
    for cpu in 0..<count { machine.take(cpu) }
    for cpu in 0..<count { machine.take(cpu) }
    #expect(machine.able == (count == 1 ? [0] : []))
    #expect(machine.stuckCPUs == (count == 1 ? [] : [0, 1]))
  }

  /// A CPU's mask is part of its state: states that differ in it are different.
  @Test func masksThatOutlastAnOperationAreReported() {
    let scenario = Scenario()
    scenario.cpu(
      "cpu",
      CPUOperation("mask once or twice") { cpu in
        try cpu.maskInterrupts()
        if try cpu.choose(2) == 1 { try cpu.maskInterrupts() }
      },
      CPUOperation("unmask") { cpu in try cpu.unmaskInterrupts() })
    let search = states(of: scenario)
    #expect(search.ending == .complete)
    #expect(search.statistics.executions == 2)
  }

  /// A reader that sees the second write has seen the first, if all have taken an interrupt in
  /// between.
  @Test(arguments: [true, false])
  func aMaskSeesOneSideOfAnInterrupt(waits: Bool) {
    let scenario = oneSideOfAGracePeriod(
      enter: { try $0.maskInterrupts() }, leave: { try $0.unmaskInterrupts() },
      wait: { if waits { try $0.interruptOthers() } })
    #expect(classes(of: scenario).ending == (waits ? .complete : .violation))
    #expect(states(of: scenario).ending == (waits ? .complete : .violation))
  }
}

struct MaskMisuseTests {
  /// A CPU in a section with masked interrupts may hold the page until it has left both.
  @Test(
    arguments: [(true, true), (true, false), (false, true)],
    [ReadCopyUpdate.consolidated, .separate])
  func freedWhileHeldInEitherWay(
    _ waits: (interrupts: Bool, synchronizes: Bool), kind: ReadCopyUpdate
  ) {
    let (interrupts, synchronizes) = waits
    let scenario = Scenario()
    scenario.readCopyUpdate = kind
    let root = scenario.rootTable()
    scenario.boot { cpu in
      guard let page = try cpu.allocateTable() else { return }
      try cpu.store(root[0], Descriptor.table(page).bits, .relaxed)
    }
    scenario.cpu(
      "reader",
      CPUOperation("walk") { cpu in
        try cpu.maskInterrupts()
        try cpu.rcuReadLock()
        _ = try cpu.load(root[0], .acquire)
        try cpu.unmaskInterrupts()
        try cpu.rcuReadUnlock()
      })
    scenario.cpu(
      "remover",
      CPUOperation("remove") { cpu in
        let found = Descriptor(bits: try cpu.exchange(root[0], 0, .acquireRelease))
        guard let page = cpu.table(at: found) else { throw NoPage() }
        if interrupts { try cpu.interruptOthers() }
        if synchronizes { try cpu.synchronizeRCU() }
        try cpu.free(page)
      })
    scenario.require(
      Sees([.freedInGracePeriod, .freedWhileMasked], requirements: .readersAtUnlink))
    // The mask is left first, so a wait for the section covers both; but a wait for sections alone
    // ignores a CPU that has masked its interrupts and is not in a section yet.
    let isSafe = synchronizes && (interrupts || kind == .consolidated)
    #expect(classes(of: scenario).ending == (isSafe ? .complete : .violation))
    #expect(states(of: scenario).ending == (isSafe ? .complete : .violation))
  }

  private func report(
    _ kind: EventKinds, _ body: @escaping @Sendable (VirtualCPU, Location) throws -> Void
  ) -> String? {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu("cpu", CPUOperation("run") { cpu in try body(cpu, word) })
    scenario.require(Sees(kind))
    let machine = Machine(scenario)
    while machine.violation == nil, let cpu = machine.able.first {
      _ = machine.step(cpu, choice: 0)
    }
    return machine.violation?.report.message
  }

  @Test func unmaskingTwiceIsReported() {
    let stray = report(.unmaskedUnmasked) { cpu, _ in try cpu.unmaskInterrupts() }
    #expect(stray == "cpu, no page, no word")
    let fine = report(.unmaskedUnmasked) { cpu, _ in
      try cpu.maskInterrupts()
      try cpu.unmaskInterrupts()
    }
    #expect(fine == nil)
  }

  @Test func sendingWhileMaskedIsReported() {
    let masked = report(.sentWhileMasked) { cpu, _ in
      try cpu.maskInterrupts()
      try cpu.interruptOthers()
    }
    #expect(masked == "cpu, no page, no word")
    #expect(report(.sentWhileMasked) { cpu, _ in try cpu.interruptOthers() } == nil)
  }

  @Test func dereferencingWithMaskedInterruptsIsAllowed() {
    let outside = report(.dereferencedOutside) { cpu, word in
      try cpu.maskInterrupts()
      _ = try cpu.rcuDereference(word)
      try cpu.unmaskInterrupts()
      _ = try cpu.rcuDereference(word)
    }
    #expect(outside == "cpu, no page, word")
    let inside = report(.dereferencedOutside) { cpu, word in
      try cpu.maskInterrupts()
      _ = try cpu.rcuDereference(word)
      try cpu.unmaskInterrupts()
    }
    #expect(inside == nil)
  }
}
