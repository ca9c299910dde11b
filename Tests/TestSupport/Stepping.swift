// Driving a machine by hand, one step at a time.

import Gracewalk
import GracewalkFuzzing
import GracewalkSupport

extension Machine {
  /// The CPUs that can step, as an array.
  public var able: [Int] {
    var left = enabledCPUs()
    var cpus: [Int] = []
    while let cpu = left.popLowest() { cpus.append(cpu) }
    return cpus
  }

  /// Takes a step each for the CPUs, in order; every one must be able to.
  public func take(_ cpus: Int...) {
    for cpu in cpus {
      precondition(enabledCPUs().contains(cpu), "CPU \(cpu) cannot step here")
      _ = step(cpu, choice: 0)
    }
  }

  /// Runs the lowest enabled CPU until none is enabled.
  ///
  /// Choices take their first branch.
  public func finish() {
    while failure == nil, let cpu = able.first { _ = step(cpu, choice: 0) }
  }
}

/// A step chosen at random among all that can be taken; nil when none can.
public func randomStep(of machine: Machine, _ random: inout SplitMix64) -> Schedule.Step? {
  guard !machine.able.isEmpty else { return nil }
  let cpu = random.pick(machine.able)
  return Schedule.Step(cpu: cpu, choice: random.below(machine.choiceCount(of: cpu)))
}

/// A random scenario over every kind of action.
public func randomScenario(seed: UInt64) -> Scenario { RandomProgram.scenario(seed: seed) }

/// A random scenario in which some CPUs are identical.
public func identicalScenario(seed: UInt64) -> Scenario {
  RandomProgram(identicalSeed: seed).scenario()
}

/// A random scenario whose loops forget their turns.
public func repeatingScenario(seed: UInt64) -> Scenario {
  RandomProgram(repeatSeed: seed, size: .small).scenario()
}
