// Two CPUs count what they have mapped, by a load and a store: one of the counts is lost.

import Foundation
import Gracewalk
import Support

public let lostCount = Model(
  name: "lost-count", summary: "a counter without atomic updates",
  scenario: String(format: "%d CPUs count at the same time.", cpuCount),
  expectation: .violates(["every-cpu-is-counted"])
) { _ in
  let scenario = Scenario()
  let counter = scenario.variable("counter", initial: 0)
  scenario.cpus(
    (0..<cpuCount).map { "vcpu \($0)" },
    CPUOperation("count") { cpu in
      let old = try cpu.load(counter, .relaxed)
      try cpu.store(counter, old + 1, .relaxed)
    })
  scenario.atEnd("every CPU is counted") { $0.value(of: counter) == cpuCount }
  return scenario
}

/// Foundation's own, by their plain names.
public func progressOfWork() -> (Progress, Operation) {
  (Progress(totalUnitCount: 1), BlockOperation {})
}
