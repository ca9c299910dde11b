// Two CPUs count what they have mapped, by a load and a store: one of the counts is lost.

import Foundation
import Gracewalk
import Support

/// All counts arrive.
struct NothingIsLost: QuiescenceInvariant {
  let counter: Location
  let id = "nothing-is-lost"
  let statement = "Every CPU that has mapped a page is counted."
  let rationale = "Who frees the pages goes by the count."
  let source = ""
  let applicability = Applicability.chosen("the model counts")

  func judgeEnd(of machine: Machine) -> Violation? {
    let count = machine.value(of: counter)
    if count == UInt64(cpuCount) { return nil }
    return Violation("\(count) of \(cpuCount) CPUs are counted")
  }
}

public let lostCount = Model(
  name: "lost-count", summary: "a counter without atomic updates",
  scenario: String(format: "%d CPUs count at the same time.", cpuCount),
  expectation: .violates(["nothing-is-lost"])
) { _ in
  let scenario = Scenario()
  let counter = scenario.word("counter")
  scenario.cpus(
    (0..<cpuCount).map { "vcpu \($0)" },
    CPUOperation("count") { cpu in
      let old = try cpu.load(counter, .relaxed)
      try cpu.store(old + 1, to: counter, .relaxed)
    })
  scenario.require(NothingIsLost(counter: counter))
  return scenario
}

/// Foundation's own, by their plain names.
public func progressOfWork() -> (Progress, Operation) {
  (Progress(totalUnitCount: 1), BlockOperation {})
}
