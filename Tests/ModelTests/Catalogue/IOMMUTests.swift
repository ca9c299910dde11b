// Exact counts of the fixes of bugs of page tables for devices that everybody knows.

import GracewalkChecking
import GracewalkExploration
import GracewalkModels
import TestExpectations
import Testing

@Suite struct IOMMUTests {
  private static let models = [
    "split-loser-unmaps", "table-entry-with-sync-bit", "table-entry-always-cleaned",
  ]

  @Test(.tags(.long), .unlessQuick, arguments: models)
  func counts(name: String) throws {
    let report = try CatalogueReports.report(named: name)
    #expect(report.verdict == .holds)
    try Counts("IOMMU").expect(
      ["states": report.statistics.states, "transitions": report.statistics.transitions], for: name)
  }

  @Test func nothingElseIsRecorded() throws { try Counts("IOMMU").expectRows(for: Self.models) }
}
