// Read-side sections and the grace periods that wait for them.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

struct GracePeriodTests {
  /// CPU 0 and 1 have two sections each; CPU 2 waits for a grace period.
  private func machine() -> Machine {
    let scenario = Scenario()
    for cpu in 0..<2 {
      scenario.cpu(
        "reader \(cpu)",
        CPUOperation("read") { cpu in
          for _ in 0..<2 {
            try cpu.rcuReadLock()
            try cpu.rcuReadUnlock()
          }
        })
    }
    scenario.cpu("updater", CPUOperation("update") { cpu in try cpu.synchronizeRCU() })
    return Machine(scenario)
  }

  @Test func synchronizeWaitsForEveryOpenSection() {
    let machine = machine()
    machine.take(0, 1, 2)
    #expect(machine.able == [0, 1])
    machine.take(1)
    #expect(machine.able == [0, 1])
    machine.take(0)
    #expect(machine.able == [0, 1, 2])
  }

  @Test func synchronizeDoesNotWaitForLaterSections() {
    let machine = machine()
    machine.take(0, 2, 1)
    #expect(machine.able == [0, 1])
    machine.take(0)
    #expect(machine.able == [0, 1, 2])
  }

  @Test func aSectionEnteredAgainIsALaterOne() {
    let machine = machine()
    machine.take(0, 2, 0, 0)
    #expect(machine.able == [0, 1, 2])
  }

  @Test func withoutSectionsNoCPUWaits() {
    let machine = machine()
    machine.take(2)
    #expect(machine.able == [0, 1, 2])
    machine.take(2)
    #expect(machine.able == [0, 1])
  }

  @Test func undoOpensTheSectionAgain() {
    let machine = machine()
    machine.take(0, 2, 0)
    #expect(machine.able == [0, 1, 2])
    machine.undo()
    #expect(machine.able == [0, 1])
  }

  /// Only the outermost pair counts: enter, load, leave.
  @Test func nestedSectionsAreOne() {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu(
      "reader",
      CPUOperation("read") { cpu in
        try cpu.rcuReadLock()
        try cpu.rcuReadLock()
        _ = try cpu.load(word, .relaxed)
        try cpu.rcuReadUnlock()
        try cpu.rcuReadUnlock()
      })
    scenario.cpu("updater", CPUOperation("update") { cpu in try cpu.synchronizeRCU() })
    let machine = Machine(scenario)
    machine.take(0, 1, 0)
    #expect(machine.able == [0])
    machine.take(0)
    #expect(machine.able == [1])
    #expect(interleavings(of: scenario).statistics.depthMax == 5)
  }

  /// Sections do not touch each other: two sections, one class.
  @Test func sectionsAreIndependent() {
    let scenario = Scenario()
    for cpu in 0..<3 {
      scenario.cpu(
        "reader \(cpu)",
        CPUOperation("read") { cpu in
          try cpu.rcuReadLock()
          try cpu.rcuReadUnlock()
        })
    }
    #expect(classes(of: scenario).statistics.executions == 1)
  }

  /// A reader that sees the second write has seen the first, if there is a grace period in between.
  @Test(arguments: [true, false])
  func aSectionSeesOneSideOfAGracePeriod(waits: Bool) {
    let scenario = oneSideOfAGracePeriod(
      enter: { try $0.rcuReadLock() }, leave: { try $0.rcuReadUnlock() },
      wait: { if waits { try $0.synchronizeRCU() } })
    #expect(classes(of: scenario).ending == (waits ? .complete : .violation))
    #expect(states(of: scenario).ending == (waits ? .complete : .violation))
  }
}

struct SectionMisuseTests {
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

  @Test func leavingNoSectionIsReported() {
    let stray = report(.leftNoSection) { cpu, _ in try cpu.rcuReadUnlock() }
    #expect(stray == "cpu, no page, no word")
    let twice = report(.leftNoSection) { cpu, _ in
      try cpu.rcuReadLock()
      try cpu.rcuReadUnlock()
      try cpu.rcuReadUnlock()
    }
    #expect(twice == "cpu, no page, no word")
    let fine = report(.leftNoSection) { cpu, _ in
      try cpu.rcuReadLock()
      try cpu.rcuReadUnlock()
    }
    #expect(fine == nil)
  }

  @Test func waitingInsideASectionIsReported() {
    let waits = report(.blockedInSection) { cpu, _ in
      try cpu.rcuReadLock()
      try cpu.synchronizeRCU()
    }
    #expect(waits == "cpu, no page, no word")
    let barrier = report(.blockedInSection) { cpu, _ in
      try cpu.rcuReadLock()
      try cpu.rcuBarrier()
    }
    #expect(barrier == "cpu, no page, no word")
    #expect(report(.blockedInSection) { cpu, _ in try cpu.synchronizeRCU() } == nil)
  }

  @Test(arguments: [true, false])
  func waitingInACallbackIsReported(sleeps: Bool) {
    let scenario = Scenario()
    scenario.require(Sees(.blockedInSection))
    scenario.cpu(
      "cpu", usesCallbacks: true,
      CPUOperation("call") { cpu in
        try cpu.callRCU { cpu in if sleeps { try cpu.synchronizeRCU() } }
      })
    let machine = Machine(scenario)
    machine.finish()
    #expect(machine.violation?.report.message == (sleeps ? "cpu/rcu, no page, no word" : nil))
  }

  @Test func dereferencingOutsideIsReported() {
    let outside = report(.dereferencedOutside) { cpu, word in _ = try cpu.rcuDereference(word) }
    #expect(outside == "cpu, no page, word")
    let inside = report(.dereferencedOutside) { cpu, word in
      try cpu.rcuReadLock()
      _ = try cpu.rcuDereference(word)
      try cpu.rcuReadUnlock()
    }
    #expect(inside == nil)
    #expect(report(.dereferencedOutside) { cpu, word in _ = try cpu.load(word, .relaxed) } == nil)
  }
}
