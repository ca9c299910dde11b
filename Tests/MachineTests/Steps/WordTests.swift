// The effect of each action on a word, seen from one CPU alone.

import GracewalkMachine
import GracewalkSupport
import TestSupport
import Testing

/// Runs code alone with a word; returns what the code returned and what the word is in the end.
private func alone(
  _ initial: UInt64, _ body: @escaping @Sendable (VirtualCPU, Location) throws -> UInt64
) -> [UInt64] {
  let scenario = Scenario()
  let word = scenario.word("word", initial: initial)
  let result = scenario.word("result", initial: 99)
  scenario.cpu(
    "cpu", CPUOperation("run") { cpu in try cpu.store(result, try body(cpu, word), .relaxed) })
  let machine = Machine(scenario)
  machine.finish()
  return [machine.value(of: result), machine.value(of: word)]
}

struct WordTests {
  @Test func loadReturnsTheValue() {
    #expect(alone(7) { cpu, word in try cpu.load(word, .acquire) } == [7, 7])
  }

  @Test func storeReplacesTheValue() {
    let end = alone(7) { cpu, word in
      try cpu.store(word, 8, .release)
      return try cpu.load(word, .acquire)
    }
    #expect(end == [8, 8])
  }

  @Test func compareExchangeReplacesTheExpectedValue() {
    let end = alone(7) { cpu, word in
      let result = try cpu.compareExchange(word, expected: 7, desired: 9, .acquireRelease)
      return result.exchanged ? result.original : 0
    }
    #expect(end == [7, 9])
  }

  @Test func compareExchangeLeavesAnyOtherValue() {
    let end = alone(6) { cpu, word in
      let result = try cpu.compareExchange(word, expected: 7, desired: 9, .acquireRelease)
      return result.exchanged ? 0 : result.original
    }
    #expect(end == [6, 6])
  }

  @Test func exchangeReturnsTheOldValue() {
    #expect(alone(7) { cpu, word in try cpu.exchange(word, 9, .relaxed) } == [7, 9])
  }

  @Test(arguments: [(7, 2, 9), (7, -2, 5), (0, -1, UInt64.max), (.max, 1, 0)])
  func fetchAddWrapsAndReturnsTheOldValue(initial: UInt64, amount: Int64, sum: UInt64) {
    let end = alone(initial) { cpu, word in try cpu.fetchAdd(word, amount, .relaxed) }
    #expect(end == [initial, sum])
  }

  @Test(arguments: [(0, 0, 0), (1, 1, 2), (41, 1, 42)])
  func incrementUnlessZeroSaysWhetherItDid(initial: UInt64, did: UInt64, value: UInt64) {
    let end = alone(initial) { cpu, word in
      try cpu.incrementUnlessZero(word, .relaxed) ? 1 : 0
    }
    #expect(end == [did, value])
  }

  @Test func wordsStartAtTheirInitialValueOrZero() {
    let scenario = Scenario()
    let zero = scenario.word("zero")
    let large = scenario.word("large", initial: .max)
    let machine = Machine(scenario)
    #expect(machine.value(of: zero) == 0)
    #expect(machine.value(of: large) == .max)
  }

  @Test func waitReturnsTheValueThatSatisfiedIt() {
    let end = alone(0b1010) { cpu, word in
      try cpu.wait(until: word, .bits(0b0011, equal: 0b0010))
    }
    #expect(end == [0b1010, 0b1010])
  }

  @Test(arguments: [
    (WaitCondition.equals(5), 5, true), (.equals(5), 4, false),
    (.differs(from: 5), 4, true), (.differs(from: 5), 5, false),
    (.bits(0b11, equal: 0b01), 0b101, true), (.bits(0b11, equal: 0b01), 0b110, false),
    (.bitsDiffer(0b11, from: 0b01), 0b110, true), (.bitsDiffer(0b11, from: 0b01), 0b101, false),
  ])
  func waitBlocksUntilItsConditionHolds(
    condition: WaitCondition<UInt64>, value: UInt64, goesOn: Bool
  ) {
    let scenario = Scenario()
    let word = scenario.word("word", initial: value)
    scenario.cpu(
      "waiter", CPUOperation("wait") { cpu in _ = try cpu.wait(until: word, condition) })
    let machine = Machine(scenario)
    #expect(machine.able == (goesOn ? [0] : []))
    #expect(machine.disabledCPUs().count == (goesOn ? 0 : 1))
    #expect(machine.stuckCPUs == (goesOn ? [] : [0]))
  }
}
