// Two CPUs find an entry empty, and each installs a table: whoever loses must notice.

import Gracewalk
import Testing

func install(_ name: String, byExchange: Bool) -> Model {
  Model(
    name: name, summary: "a table is installed without a lock",
    scenario: "Two CPUs fault below the same empty entry.", expectation: .holds
  ) { _ in
    let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
    let root = scenario.rootTable()
    scenario.cpus(
      ["vcpu 0", "vcpu 1"],
      Operation("fault") { cpu in
        guard try cpu.load(root[0], .relaxed) == 0, let table = try cpu.allocateTable() else {
          return
        }
        let entry = Descriptor.table(table).bits
        guard byExchange else { return try cpu.store(entry, to: root[0], .release) }
        let isMine = try cpu.compareExchange(root[0], expected: 0, desired: entry, .release)
        if !isMine.exchanged { try cpu.free(table) }
      })
    scenario.require([NoLeakedTablePage(), NoUseAfterFree()])
    return scenario
  }
}

@Test func anExchangeTellsWhoLost() throws {
  try install("install-by-exchange", byExchange: true).verify()
}

/// The same without the exchange.
///
/// This looks at what a failure says: the trace, and a line that shows it again. A test of one's own
/// has `verify` alone, as above.
@Test func aStoreLosesATable() throws {
  let model = install("install-by-store", byExchange: false)
  let failure = #expect(throws: VerificationFailure.self) { try model.verify() }
  let text = try #require(failure).description
  #expect(text.contains("✗ no-leaked-table-page"))
  #expect(text.contains("print(try model.replay(\"0,1*2,0\"))"))

  let trace = try model.replay("0,1*2,0")
  #expect(trace.violation?.invariant == "no-leaked-table-page")
  #expect(trace.violation?.report.message.contains("vcpu 1.0, allocated by vcpu 1") == true)
}
