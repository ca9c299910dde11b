// Deferred work: callbacks run after a grace period, in order, on a CPU of their own.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

/// Appends a digit to a word, and a callback that does so.
private func append(_ digit: UInt64, to word: Location, _ cpu: VirtualCPU) throws {
  let old = try cpu.load(word, .relaxed)
  try cpu.store(word, old * 10 + digit, .relaxed)
}

struct CallbackTests {
  @Test func callbacksHaveACPUNamedAfterTheirCaller() {
    let scenario = Scenario()
    scenario.cpu("plain", CPUOperation("nothing") { _ in })
    scenario.cpu("caller", usesCallbacks: true, CPUOperation("nothing") { _ in })
    scenario.cpu("other", usesCallbacks: true, CPUOperation("nothing") { _ in })
    let machine = Machine(scenario)
    #expect(machine.cpuNames == ["plain", "caller", "other", "caller/rcu", "other/rcu"])
    #expect(machine.able == [])
    #expect(machine.stuckCPUs == [])
  }

  @Test func callbacksRunInTheOrderOfTheirCalls() {
    let scenario = Scenario()
    let order = scenario.word("order")
    scenario.cpu(
      "caller", usesCallbacks: true,
      CPUOperation("call") { cpu in
        for digit in 1...3 as ClosedRange<UInt64> {
          try cpu.callRCU { cpu in try append(digit, to: order, cpu) }
        }
      })
    #expect(interleavings(of: scenario, collectingFinalStates: true).finalStates.count == 1)
    let machine = Machine(scenario)
    machine.finish()
    #expect(machine.value(of: order) == 123)
  }

  /// CPU 0 reads twice, CPU 1 calls twice, CPU 2 runs the callbacks.
  @Test func aCallbackWaitsForTheSectionsOpenAtItsCall() {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu(
      "reader",
      CPUOperation("read") { cpu in
        for _ in 0..<2 {
          try cpu.rcuReadLock()
          try cpu.rcuReadUnlock()
        }
      })
    scenario.cpu(
      "caller", usesCallbacks: true,
      CPUOperation("call") { cpu in
        try cpu.callRCU { cpu in try cpu.store(word, 1, .relaxed) }
        try cpu.callRCU { cpu in try cpu.store(word, 2, .relaxed) }
      })
    let machine = Machine(scenario)
    machine.take(0, 1)
    #expect(machine.able == [0, 1])
    machine.take(0)
    #expect(machine.able == [0, 1, 2])
    // The second section begins after the first call but before the second.
    machine.take(0, 1, 2, 2, 2)
    #expect(machine.value(of: word) == 1)
    #expect(machine.able == [0])
    machine.take(0)
    #expect(machine.able == [2])
    machine.finish()
    #expect(machine.value(of: word) == 2)
    #expect(machine.stuckCPUs == [])
  }

  @Test func aCallbackCanQueueAnother() {
    let scenario = Scenario()
    let order = scenario.word("order")
    scenario.cpu(
      "caller", usesCallbacks: true,
      CPUOperation("call") { cpu in
        try cpu.callRCU { cpu in
          try append(1, to: order, cpu)
          try cpu.callRCU { cpu in try append(2, to: order, cpu) }
        }
      })
    let machine = Machine(scenario)
    machine.finish()
    #expect(machine.value(of: order) == 12)
  }

  /// The callback's two steps and its boundaries come before or after the other CPU's only step: a
  /// load that reads the word before or after the store.
  @Test func callbacksRaceWithEverybody() {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu(
      "caller", usesCallbacks: true,
      CPUOperation("call") { cpu in try cpu.callRCU { cpu in try cpu.store(word, 1, .relaxed) } })
    scenario.cpu("reader", CPUOperation("read") { cpu in try cpu.load(word, .relaxed) })
    #expect(classes(of: scenario).statistics.executions == 2)
    #expect(classes(of: scenario).finalStates.count == 2)
  }

  @Test func callingWithoutDeclaringItEndsTheSearch() {
    let scenario = Scenario()
    scenario.cpu("caller", CPUOperation("call") { cpu in try cpu.callRCU { _ in } })
    let machine = Machine(scenario)
    #expect(machine.step(0, choice: 0) == .halted)
    #expect(
      machine.failure
        == .capacity("caller queues a callback but is not declared to use callbacks"))
  }

  @Test func moreThan16CallbacksEndTheSearch() {
    let scenario = Scenario()
    scenario.cpu(
      "caller", usesCallbacks: true,
      CPUOperation("call") { cpu in for _ in 0..<17 { try cpu.callRCU { _ in } } })
    #expect(classes(of: scenario).ending == .halted)
  }
}

struct BarrierTests {
  @Test func aBarrierWaitsForCallbacksOfEveryCPU() {
    let scenario = Scenario()
    let word = scenario.word("word")
    for name in ["first", "second"] {
      scenario.cpu(
        name, usesCallbacks: true,
        CPUOperation("call") { cpu in
          try cpu.callRCU { cpu in _ = try cpu.fetchAdd(word, 1, .relaxed) }
        })
    }
    scenario.cpu("waiter", CPUOperation("wait") { cpu in try cpu.rcuBarrier() })
    let machine = Machine(scenario)
    machine.take(0, 1, 2)
    #expect(machine.able == [3, 4])
    machine.take(3, 3)
    #expect(machine.able == [3, 4])
    machine.take(3)
    #expect(machine.able == [4])
    machine.take(4, 4, 4)
    #expect(machine.able == [2])
  }

  @Test func aBarrierDoesNotWaitForLaterCallbacks() {
    let scenario = Scenario()
    scenario.cpu("waiter", CPUOperation("wait") { cpu in try cpu.rcuBarrier() })
    scenario.cpu(
      "caller", usesCallbacks: true, CPUOperation("call") { cpu in try cpu.callRCU { _ in } })
    let machine = Machine(scenario)
    machine.take(0, 1)
    #expect(machine.able == [0, 2])
  }

  @Test func withoutCallbacksABarrierWaitsForNothing() {
    let scenario = Scenario()
    scenario.cpu("waiter", CPUOperation("wait") { cpu in try cpu.rcuBarrier() })
    #expect(interleavings(of: scenario).statistics.executions == 1)
    #expect(interleavings(of: scenario).statistics.depthMax == 2)
  }

  /// A CPU that has waited for all callbacks sees their effects.
  @Test(arguments: [true, false])
  func callbacksEndBeforeTheirBarrier(waits: Bool) {
    let scenario = Scenario()
    let word = scenario.word("word")
    let seen = scenario.word("seen", initial: 9)
    scenario.cpu(
      "caller", usesCallbacks: true,
      CPUOperation("call") { cpu in
        try cpu.callRCU { cpu in try cpu.store(word, 1, .relaxed) }
        if waits { try cpu.rcuBarrier() }
        try cpu.store(seen, try cpu.load(word, .relaxed), .relaxed)
      })
    scenario.require(NeverEndsWith(seen, equal: 0))
    #expect(classes(of: scenario).ending == (waits ? .complete : .violation))
  }
}
