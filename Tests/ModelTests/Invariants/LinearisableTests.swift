// Linearisability of a counter, also over more operations than a word has bits.

import GracewalkChecking
import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import Testing

/// A counter: each operation adds one and returns the old value.
private struct Counter: SequentialSpecification {
  let initial: [UInt64] = [0]

  func apply(_ call: SpecificationCall, returning result: UInt64, to state: [UInt64]) -> [UInt64]? {
    result == state[0] ? [state[0] + 1] : nil
  }

  func text(of call: SpecificationCall) -> String { "add" }
  func text(ofResult result: UInt64) -> String { "\(result)" }
}

struct LinearisableTests {
  private func scenario(operations: Int, isAtomic: Bool) -> Scenario {
    let scenario = Scenario()
    let word = scenario.word("counter")
    let call = SpecificationCall(operation: 0, argument: 0)
    let add = CPUOperation("add", call: call) { cpu in
      if isAtomic { return try cpu.fetchAdd(word, 1, .relaxed) }
      let seen = try cpu.load(word, .relaxed)
      try cpu.store(word, seen + 1, .relaxed)
      return seen
    }
    scenario.cpu("many", Array(repeating: add, count: operations))
    scenario.cpu("one", [add])
    scenario.require(OperationsLinearise(to: Counter()))
    return scenario
  }

  private enum Call: String, CaseIterable { case add, lookUp = "look up" }
  private enum Found: UInt64, OperationResult { case zero, one, two }

  /// The same counter by enumerations, at address 1 of two.
  @Test(arguments: [true, false])
  func enumeratedCallsLinearise(isAtomic: Bool) throws {
    let specification = Specification(initial: [9, 0]) {
      (call: Call, address, result: Found, state) in
      guard address == 1, result.rawValue == state[1] else { return false }
      if call == .add { state[1] += 1 }
      return true
    }
    let scenario = Scenario()
    let word = scenario.word("counter")
    let add = CPUOperation(Call.add, 1) { cpu -> any OperationResult in
      if isAtomic { return Found(rawValue: try cpu.fetchAdd(word, 1, .relaxed)) ?? .two }
      let seen = try cpu.load(word, .relaxed)
      try cpu.store(word, seen + 1, .relaxed)
      return Found(rawValue: seen) ?? .two
    }
    let look = CPUOperation(Call.lookUp, 1) { cpu in
      Found(rawValue: try cpu.load(word, .relaxed)) ?? .two
    }
    #expect([add.name, look.name] == ["add 0x1", "look up 0x1"])
    scenario.cpus(["a", "b"], add)
    scenario.cpu("c", look)
    scenario.require(OperationsLinearise(to: specification))
    let result = StatefulSearch(Machine(scenario), SearchOptions()).run()
    #expect(result.ending == (isAtomic ? .complete : .violation))

    let lookUp = try #require(look.call)
    #expect(specification.text(of: lookUp) == "look up 0x1")
    #expect(specification.text(ofResult: 2) == "two")
    #expect(specification.apply(lookUp, returning: 0, to: [9, 0]) == [9, 0])
    #expect(specification.apply(lookUp, returning: 7, to: [9, 0]) == nil)
    var unknown = lookUp
    unknown.operation = 2
    #expect(specification.apply(unknown, returning: 0, to: [9, 0]) == nil)
    #expect(specification.text(of: unknown) == "? 0x1")
  }

  @Test(arguments: [(2, true), (2, false), (70, true)])
  func countersLinearise(operations: Int, isAtomic: Bool) {
    let machine = Machine(scenario(operations: operations, isAtomic: isAtomic))
    let result = StatefulSearch(machine, SearchOptions()).run()
    #expect(result.ending == (isAtomic ? .complete : .violation))
  }
}
