// Executions in which identical CPUs were exchanged from the start.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport
import TestSupport
import Testing

/// The key of the final state of a schedule in which each CPU is replaced by its image.
func key(
  of scenario: Scenario, after steps: [Schedule.Step], under permutation: Int
) -> UInt64 {
  let machine = Machine(scenario)
  for step in steps {
    let cpu = machine.image(ofCPU: step.cpu, under: permutation)
    #expect(machine.enabledCPUs().contains(cpu))
    _ = machine.step(cpu, choice: step.choice)
  }
  return machine.stateKey
}

/// True if an execution can be taken with CPUs exchanged from the start, and each of its states has
/// the key that is expected.
///
/// Choices may have other numbers, since they are counted in the order of CPUs.
private func isExchanged(
  _ scenario: Scenario, _ steps: [Schedule.Step], under permutation: Int, keys: [UInt64]
) -> Bool {
  let machine = Machine(scenario)
  for (step, expected) in zip(steps, keys) {
    let cpu = machine.image(ofCPU: step.cpu, under: permutation)
    guard machine.enabledCPUs().contains(cpu) else { return false }
    let choices = 0..<machine.choiceCount(of: cpu)
    let isFound = ([step.choice] + choices).filter(choices.contains).contains { choice in
      _ = machine.step(cpu, choice: choice)
      if machine.stateKey == expected { return true }
      machine.undo()
      return false
    }
    guard isFound else { return false }
  }
  return true
}

/// Random executions of random programs: how many were compared with those in which CPUs were
/// exchanged from the start, and how many differed, or were refused.
func compareKeys(
  seeds: Range<UInt64> = 0..<300, stepsMax: Int = 30, _ make: (UInt64) -> Scenario
) -> (executions: Int, different: Int) {
  let keys = GrowableBuffer<UInt64>()
  defer { keys.deallocate() }
  var (compared, different) = (0, 0)
  for seed in seeds {
    let machine = Machine(make(seed))
    var areExchanged = machine.permutedKeys(keys)
    var random = SplitMix64(seed: seed)
    var steps: [Schedule.Step] = []
    var rows: [[UInt64]] = []
    while areExchanged, steps.count < stepsMax, let step = randomStep(of: machine, &random) {
      _ = machine.step(step.cpu, choice: step.choice)
      steps.append(step)
      areExchanged = machine.permutedKeys(keys)
      rows.append((0..<keys.count).map { keys[$0] })
    }
    guard areExchanged, machine.failure == nil else {
      different += 1
      continue
    }
    for permutation in 0..<machine.permutationCount {
      compared += 1
      let column = rows.map { $0[permutation] }
      if !isExchanged(make(seed), steps, under: permutation, keys: column) { different += 1 }
    }
  }
  return (compared, different)
}

/// The same under a memory model, with some of its rules left out.
func compareKeys(
  under model: MemoryModel, without rules: OmittedRules = [], stepsMax: Int = 30,
  _ make: (UInt64) -> Scenario
) -> (executions: Int, different: Int) {
  compareKeys(stepsMax: stepsMax) { seed in
    let scenario = make(seed)
    scenario.memoryModel = model
    scenario.omittedRules = rules
    return scenario
  }
}
