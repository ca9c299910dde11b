// One CPU frees a page while another unlinks it: the order decides which CPUs may hold it.

import GracewalkChecking
import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import Testing

struct UnlinkRaceTests {
  private static let model = Model(
    name: "free-against-unlink", summary: "a page is freed while somebody else unlinks it",
    scenario: "One CPU frees, one unlinks, one is in a section.",
    expectation: .violates(["grace-period-safety"])
  ) { _ in
    let scenario = Scenario()
    let root = scenario.rootTable()
    let kept = scenario.word("kept")
    scenario.boot { cpu in
      guard let page = try cpu.allocateTable() else { return }
      try cpu.store(root[0], Descriptor.table(page).bits, .relaxed)
      try cpu.store(kept, Descriptor.table(page).bits, .relaxed)
    }
    scenario.cpu(
      "freer",
      CPUOperation("free") { cpu in
        guard let page = cpu.table(at: Descriptor(bits: try cpu.load(kept, .relaxed))) else {
          return
        }
        try cpu.free(page)
      })
    scenario.cpu(
      "unlinker", CPUOperation("unlink") { cpu in _ = try cpu.exchange(root[0], 0, .relaxed) })
    scenario.cpu(
      "reader",
      CPUOperation("read") { cpu in
        try cpu.rcuReadLock()
        try cpu.rcuReadUnlock()
      })
    scenario.require(GracePeriodSafety())
    return scenario
  }

  /// If freed after the unlinking, the reader may hold the page; if freed before, no reader is
  /// recorded.
  @Test(arguments: [Strategy.exhaustive] + Strategy.reduced)
  func everySearchSeesBothOrders(strategy: Strategy) throws {
    var options = CheckOptions()
    options.strategy = strategy
    options.invariants = ["grace-period-safety"]
    #expect(try Self.model.check(options).verdict == .violated)
  }
}
