// Exchanging identical CPUs under x86-TSO: their buffers, and those that make stores visible.

import GracewalkMachine
import TestSupport
import Testing

struct BufferSymmetryTests {
  @Test func keysAreThoseOfTheExchangedExecution() {
    let (executions, different) = compareKeys(under: .totalStoreOrder, identicalScenario)
    #expect(executions == 1_674)
    #expect(different == 0)
  }

  /// Without buffers in the exchange, keys differ.
  @Test func buffersAreExchanged() {
    let (_, different) = compareKeys(
      under: .totalStoreOrder, without: .exchangedBuffers, identicalScenario)
    #expect(different == 655)
  }

  /// So they do without what entries name, as long as a link is pending.
  @Test(arguments: 1...3) func entriesAreExchanged(steps: Int) {
    #expect(compareKeys(under: .totalStoreOrder, stepsMax: steps, linkingScenario).different == 0)
    let (_, different) = compareKeys(
      under: .totalStoreOrder, without: .exchangedEntries, stepsMax: steps, linkingScenario)
    #expect(different > 0)
  }
}

/// Each CPU links a page of its own, so that what is pending names the page by its address.
func linkingScenario(seed: UInt64) -> Scenario {
  let scenario = Scenario()
  let root = scenario.rootTable()
  scenario.cpus(
    ["one", "two"],
    CPUOperation("link") { cpu in
      guard let page = try cpu.allocateTable() else { return }
      try cpu.store(root.entry(0), .table(page), .release)
    })
  return scenario
}
