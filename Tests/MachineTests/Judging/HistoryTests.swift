// The history of an execution: operations with their results, as passed to a specification.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

/// Makes the machine keep the history, and judges nothing.
private struct Watches: QuiescenceInvariant, MachineRequirements {
  let id = "watches"
  let requirements: Machine.Requirements = .history
  func judgeEnd(of machine: Machine) -> Violation? { nil }
}

struct HistoryTests {
  private func scenario(watched: Bool) -> Scenario {
    let scenario = Scenario()
    let word = scenario.word("word")
    for cpu in 0..<2 {
      let call = SpecificationCall(operation: 4, argument: cpu)
      scenario.cpu(
        "cpu \(cpu)",
        CPUOperation("add", call: call) { cpu in try cpu.fetchAdd(word, 1, .relaxed) },
        CPUOperation("unseen") { cpu in try cpu.store(word, 9, .relaxed) })
    }
    if watched { scenario.require(Watches()) }
    return scenario
  }

  @Test func operationsOverlap() {
    let machine = Machine(scenario(watched: true))
    machine.take(0, 1, 1, 1, 0)
    let calls = (0..<2).map { SpecificationCall(operation: 4, argument: $0) }
    #expect(machine.history.map(\.call) == calls)
    #expect(machine.history.map(\.cpu) == [0, 1])
    #expect(machine.history.map(\.result) == [nil, 0])
    #expect(machine.history.map(\.began) == [0, 1])
    #expect(machine.history.map(\.ended) == [.max, 3])
    machine.take(0)
    #expect(machine.history.map(\.result) == [1, 0])
    #expect(machine.history.map(\.ended) == [5, 3])
  }

  @Test func unwatchedItTakesNoSteps() {
    #expect(interleavings(of: scenario(watched: false)).statistics.depthMax == 4)
    #expect(interleavings(of: scenario(watched: true)).statistics.depthMax == 8)
    let machine = Machine(scenario(watched: false))
    machine.finish()
    #expect(machine.history == [])
  }
}
