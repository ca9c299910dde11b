// Final states under one memory model, which a weaker one must also have.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport

/// All final states of a scenario in which every CPU has ended, by a plain search that merges equal
/// states and nothing else.
struct FinalOutcomes {
  /// Keys of what code can see: words, pages, and what each CPU has observed.
  private(set) var keys: Set<UInt64> = []
  /// Whether all was explored.
  private(set) var isComplete = true
  private let machine: Machine
  private var seen: Set<UInt64> = []

  init(of scenario: Scenario, statesMax: Int) {
    machine = Machine(scenario)
    guard machine.judgeStart() != .halted else {
      isComplete = false
      return
    }
    explore(statesMax)
  }

  private mutating func explore(_ statesMax: Int) {
    guard isComplete, seen.insert(machine.stateKey).inserted else { return }
    guard seen.count <= statesMax else {
      isComplete = false
      return
    }
    var enabled = machine.enabledCPUs()
    if enabled.isEmpty, machine.haveAllEnded { keys.insert(machine.outcomeKey) }
    while let cpu = enabled.popLowest() {
      for choice in 0..<machine.choiceCount(of: cpu) where isComplete {
        let outcome = machine.step(cpu, choice: choice)
        if outcome == .halted { isComplete = false } else { explore(statesMax) }
        machine.undo()
      }
    }
  }
}
