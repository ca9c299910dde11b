// Each model has its verdict; and what a failure says, and how it is replayed.

import Gracewalk
import InstallRace
import Testing

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
