// Executions in which identical CPUs were exchanged from the start.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport
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
