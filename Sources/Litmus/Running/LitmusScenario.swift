// A litmus test as the scenario of a machine.

import GracewalkMachine
import GracewalkSupport

extension LitmusTest {
  /// A scenario in which each process is a CPU; what is found out is written on the board.
  func scenario(_ board: TestBoard, under model: MemoryModel) -> Scenario {
    let capacity = Capacity(
      words: words.count + sections.count + 8, pagesPerCPU: 1, callbacksPerCPU: 1)
    let scenario = Scenario(capacity: capacity, file: name, line: 0)
    scenario.memoryModel = model
    scenario.mayRepeat = loops
    var places = TestPlaces(never: scenario.word("%never"))
    let locks = locks
    for (number, word) in words.enumerated() {
      let isLock = locks.contains(number)
      places.isLock.append(isLock)
      places.words.append(
        isLock
          ? scenario.spinLock(word.name).location : scenario.word(word.name, initial: word.initial))
    }
    for number in sections.indices {
      places.sections.append(scenario.word("%section \(number)"))
    }
    for (index, process) in processes.enumerated() {
      let plan = ProcessPlan(self, process: index, places)
      scenario.cpu(process.name, operations: ["run"]) { cpu in
        let code = ProcessCode(cpu, plan, board)
        board.set(code, of: index)
        return code
      }
    }
    scenario.require(FinalStateCollector(test: self, places: places, board: board))
    return scenario
  }
}

/// Takes note of every final state, and finds fault with none.
///
/// Where a process cannot go on, an execution has no final state.
struct FinalStateCollector: QuiescenceInvariant {
  let test: LitmusTest
  let places: TestPlaces
  let board: TestBoard

  var id: String { "final-states" }
  var statement: String { "Final states are what the test asks about." }
  var rationale: String { "A litmus test is judged by them." }
  var source: String { "the test" }
  var applicability: Applicability { .chosen("a litmus test") }

  func judgeEnd(of machine: Machine) -> Violation? {
    board.add(
      final: test.condition.observables.map { observable in
        switch observable {
        case .register(let process, let register, _):
          return board.code(of: process)?.value(
            ofRegister: register, at: machine.standing(of: process)) ?? 0
        case .word(let word, _):
          let value = machine.value(of: places.words[word])
          return places.isLock[word] && value != 0 ? 1 : value
        case .fault: return 0
        }
      })
    return nil
  }
}
