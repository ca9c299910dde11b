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

  @Test(arguments: [(2, true), (2, false), (70, true)])
  func countersLinearise(operations: Int, isAtomic: Bool) {
    let machine = Machine(scenario(operations: operations, isAtomic: isAtomic))
    let result = StatefulSearch(machine, SearchOptions()).run()
    #expect(result.ending == (isAtomic ? .complete : .violation))
  }
}
