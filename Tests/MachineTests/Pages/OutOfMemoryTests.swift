// Running out of memory: a choice at every allocation, if the scenario allows it.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

struct OutOfMemoryTests {
  /// Each CPU allocates up to `pages` pages and gives up at the first that fails.
  private func scenario(cpus: Int, pages: Int, mayFail: Bool) -> Scenario {
    let scenario = Scenario()
    scenario.mayRunOutOfMemory = mayFail
    let count = (0..<cpus).map { scenario.word("count \($0)") }
    for cpu in 0..<cpus {
      scenario.cpu(
        "cpu \(cpu)",
        CPUOperation("allocate") { cpu in
          var got: [TablePage] = []
          while got.count < pages, let page = try cpu.allocateTable() { got.append(page) }
          try cpu.store(count[cpu.index], UInt64(got.count), .relaxed)
          for page in got { try cpu.free(page) }
        })
    }
    return scenario
  }

  @Test func withoutItNothingIsChosen() {
    let result = interleavings(of: scenario(cpus: 1, pages: 3, mayFail: false))
    #expect(result.statistics.executions == 1)
    #expect(result.statistics.transitions == 1)
  }

  /// It fails at the first, the second, the third, or never.
  @Test(arguments: [(1, 2), (2, 3), (3, 4), (6, 7)])
  func everyAllocationMayFail(pages: Int, executions: Int) {
    let scenario = scenario(cpus: 1, pages: pages, mayFail: true)
    #expect(interleavings(of: scenario).statistics.executions == executions)
    #expect(classes(of: scenario).statistics.executions == executions)
  }

  /// Failures of one CPU do not affect the other: 3 · 3 classes.
  @Test func failuresOfTwoCPUsAreIndependent() {
    let result = classes(of: scenario(cpus: 2, pages: 2, mayFail: true))
    #expect(result.statistics.executions == 9)
    #expect(result.finalStates.count == 9)
  }
}
