// Exact counts of the fixes of bugs of memory management that everybody knows.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import GracewalkTraces
import TestExpectations
import Testing

@Suite struct LinuxTests {
  private static let models = [
    "mremap-flush-under-lock", "gup-fast-rechecks-pmd", "gup-fast-collapse-sends-ipi",
    "gup-fast-collapse-frees-by-rcu", "ioremap-purges-pointer", "switch-mm-gets-flushes",
    "switch-mm-orders-mark", "split-pmd-waits",
  ]

  @Test(.tags(.long), .unlessQuick, arguments: models)
  func counts(name: String) throws {
    let report = try CatalogueReports.report(named: name)
    #expect(report.verdict == .holds)
    try Counts("Linux").expect(
      ["states": report.statistics.states, "transitions": report.statistics.transitions], for: name)
  }

  /// The barrier before a table is linked: only weaker memory shows what it is for.
  @Test(arguments: MemoryModel.allCases)
  func aTableIsFilledBeforeItIsWalked(model: MemoryModel) throws {
    let states: [MemoryModel: Int] = [
      .sequentialConsistency: 34, .totalStoreOrder: 48, .armv8: 64,
    ]
    let waits = try #require(Catalogue.model(named: "split-pmd-waits"))
    let report = try CatalogueReports.report(waits, under: model)
    #expect(report.verdict == .holds)
    #expect(report.statistics.states == states[model])
    let doesNot = try #require(Catalogue.model(named: "split-pmd-without-dsb"))
    let other = try CatalogueReports.report(doesNot, under: model)
    #expect(other.verdict == (model == .armv8 ? .violated : .holds))
    guard model == .armv8 else { return }
    #expect(other.violatedInvariant == "no-access-to-the-linear-map-faults")
    #expect(other.counterexample?.recording.preemptions.count == 0)
  }

  @Test func nothingElseIsRecorded() throws { try Counts("Linux").expectRows(for: Self.models) }
}
