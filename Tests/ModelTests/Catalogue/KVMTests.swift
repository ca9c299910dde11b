// Exact counts of the fixes of bugs of KVM that everybody knows.

import GracewalkChecking
import GracewalkExploration
import GracewalkModels
import TestExpectations
import Testing

@Suite struct KVMTests {
  private static let models = [
    "dirty-bit-by-exchange", "mmu-seq-under-mmap-lock", "mmu-seq-before-lookup",
    "walker-reloads-pte", "walker-keeps-pte-under-rcu", "vmid-before-generation",
    "vmid-compared-under-lock",
  ]

  @Test(.tags(.long), .unlessQuick, arguments: models)
  func counts(name: String) throws {
    let report = try CatalogueReports.report(named: name)
    #expect(report.verdict == .holds)
    try Counts("KVM").expect(
      ["states": report.statistics.states, "transitions": report.statistics.transitions], for: name)
  }

  @Test func nothingElseIsRecorded() throws { try Counts("KVM").expectRows(for: Self.models) }
}
