// Exact counts of the fixes of bugs of memory management that everybody knows.

import GracewalkChecking
import GracewalkExploration
import GracewalkModels
import TestExpectations
import Testing

@Suite struct LinuxTests {
  private static let models = [
    "mremap-flush-under-lock", "gup-fast-rechecks-pmd", "gup-fast-collapse-sends-ipi",
    "gup-fast-collapse-frees-by-rcu", "ioremap-purges-pointer", "switch-mm-gets-flushes",
  ]

  @Test(.tags(.long), .unlessQuick, arguments: models)
  func counts(name: String) throws {
    let report = try CatalogueReports.report(named: name)
    #expect(report.verdict == .holds)
    try Counts("Linux").expect(
      ["states": report.statistics.states, "transitions": report.statistics.transitions], for: name)
  }

  @Test func nothingElseIsRecorded() throws { try Counts("Linux").expectRows(for: Self.models) }
}
