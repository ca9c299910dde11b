// Each model has its verdict; and the text of a failure, and its replay.

import Gracewalk
import InstallRace
import Testing

@Test(arguments: models.map(\.name)) func verdict(_ name: String) throws {
  try #require(models.model(named: name)).verify()
}

/// This tests the text of a failure: the trace, and a line that replays it.
///
/// A test of one's own has `verify` alone, as above. Here the broken model is said to hold.
@Test func aStoreLosesATable() throws {
  let broken = try #require(models.model(named: "install-by-store"))
  let model = Model(
    name: broken.name, summary: broken.summary, scenario: broken.scenarioText,
    expectation: .holds, build: broken.build)
  let failure = #expect(throws: VerificationFailure.self) { try model.verify() }
  let text = try #require(failure).description
  #expect(text.contains("✗ no-leaked-table-page"))
  #expect(text.contains("print(try model.replay(\"0,1*2,0\"))"))

  let trace = try model.replay("0,1*2,0")
  #expect(trace.violation?.invariant == "no-leaked-table-page")
  #expect(trace.violation?.report.message.contains("vcpu 1.0, allocated by vcpu 1") == true)
}
