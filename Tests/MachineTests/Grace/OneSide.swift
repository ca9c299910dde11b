// A program that shows the guarantee of a grace period of either kind.

import GracewalkMachine
import TestSupport

/// A reader reads two words inside; an updater writes both, and may wait in between.
///
/// A reader that sees the second write has seen the first, if the updater waits.
func oneSideOfAGracePeriod(
  enter: @escaping @Sendable (VirtualCPU) throws -> Void,
  leave: @escaping @Sendable (VirtualCPU) throws -> Void,
  wait: @escaping @Sendable (VirtualCPU) throws -> Void
) -> Scenario {
  let scenario = Scenario()
  let first = scenario.word("first")
  let second = scenario.word("second")
  let seen = scenario.word("seen")
  scenario.cpu(
    "reader",
    CPUOperation("read") { cpu in
      try enter(cpu)
      let one = try cpu.load(first, .relaxed)
      let two = try cpu.load(second, .relaxed)
      try leave(cpu)
      try cpu.store(seen, 10 * one + two, .relaxed)
    })
  scenario.cpu(
    "updater",
    CPUOperation("update") { cpu in
      try cpu.store(first, 1, .relaxed)
      try wait(cpu)
      try cpu.store(second, 1, .relaxed)
    })
  scenario.require(NeverEndsWith(seen, equal: 1))
  return scenario
}
