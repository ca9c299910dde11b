// A verdict names the invariants that apply but were not required; a test of such a model fails.

import Foundation
import Gracewalk
import GracewalkChecking
import GracewalkMachine
import GracewalkModels
import GracewalkReporting
import TestExpectations
import Testing

@Suite struct NotJudgedTests {
  /// A guest reads through a table that another CPU unmaps and frees, twice.
  static func careless(
    _ invariants: [any Invariant] = [], exempt: [Exemption] = [], hasHardware: Bool = true
  ) -> Model {
    Model(
      name: "careless", summary: "", scenario: "", expectation: .holds, exempt: exempt
    ) { _ in
      let scenario = Scenario()
      let root = scenario.rootTable()
      _ = scenario.dataFrames(1)
      scenario.boot { cpu in
        try cpu.store(root[0], Descriptor.block(0).bits, .relaxed)
      }
      scenario.cpu(
        "vcpu", mmu: hasHardware ? MMU(root) : nil,
        CPUOperation("read") { cpu in
          if hasHardware { _ = try cpu.guestRead(0) } else { _ = try cpu.load(root[0], .relaxed) }
        })
      scenario.cpu(
        "host", CPUOperation("unmap") { cpu in try cpu.store(root[0], 0, .relaxed) })
      scenario.require(invariants)
      return scenario
    }
  }

  private static let hardware = [
    "break-before-make", "no-conflicting-tlb-entries", "no-stale-use-after-dsb",
    "no-reuse-while-cached", "entries-are-well-formed",
  ]

  private func lines(_ report: CheckReport) -> [String] {
    CheckText(report, width: 10_000).header
  }

  @Test func anMMUWithoutInvariantsThatJudgeTranslations() throws {
    let report = try Self.careless(InvariantCatalogue.tables).check()
    #expect(report.verdict == .holds && report.exitStatus == 0)
    #expect(report.notJudged.map(\.invariant) == Self.hardware)
    let names = Self.hardware.joined(separator: ", ")
    #expect(
      lines(report).contains("  not judged: \(names) (for every scenario with hardware walks)"))
    #expect(try json(CheckDocument(report)).contains("\"invariant\" : \"break-before-make\""))
    let junit = JUnitText(report).text
    #expect(junit.contains("name=\"no-stale-use-after-dsb\""))
    #expect(junit.contains("skipped=\"5\""))
    let sarif = try json(SARIFReport(version: "0") { _ in nil }.log(report))
    #expect(sarif.contains("not judged: break-before-make, which is for every scenario with"))
    #expect(sarif.contains("\"executionSuccessful\" : true"))
  }

  @Test func aTableOfWhichNothingIsRequired() throws {
    let report = try Self.careless(hasHardware: false).check()
    #expect(report.verdict == .holds)
    let missing = report.notJudged.map(\.invariant)
    #expect(
      missing == [
        "no-leaked-table-page", "no-use-after-free", "no-double-free", "no-table-linked-twice",
      ])
    #expect(report.notJudged.allSatisfy { $0.appliesTo == "every scenario with tables" })
  }

  /// Even an unfinished search reports invariants that it does not judge.
  @Test func anIncompleteCheckSaysIt() throws {
    var options = CheckOptions()
    options.limits.executions = 1
    let report = try Self.careless(InvariantCatalogue.tables).check(options)
    #expect(report.verdict == .incomplete(.bound(.executions)))
    #expect(report.notJudged.map(\.invariant) == Self.hardware)
  }

  @Test func restrictedChecksReportNothingMissing() throws {
    var options = CheckOptions()
    options.invariants = ["no-double-free"]
    let report = try Self.careless(InvariantCatalogue.tables).check(options)
    #expect(report.notJudged.isEmpty && report.isRestricted)
    #expect(lines(report).contains("  only no-double-free was required"))
    #expect(!lines(report).contains { $0.contains("not judged") })
  }

  @Test func aViolationNeedNotSayIt() throws {
    let model = Model(
      name: "twice", summary: "", scenario: "", expectation: .violates(["no-double-free"])
    ) { _ in
      let scenario = Scenario()
      let root = scenario.rootTable()
      scenario.cpu(
        "cpu",
        CPUOperation("free twice") { cpu in
          guard let table = try cpu.allocateTable() else { return }
          try cpu.store(root[0], Descriptor.table(table).bits, .release)
          try cpu.free(table)
          try cpu.free(table)
        })
      scenario.require([NoDoubleFree()])
      return scenario
    }
    let report = try model.check()
    #expect(report.verdict == .violated && report.notJudged.isEmpty)
    try model.verify()
  }

  @Test func verifyFailsUnlessThereIsAReason() throws {
    let model = Self.careless(InvariantCatalogue.tables)
    let error = #expect(throws: VerificationFailure.self) { try model.verify() }
    let text = try #require(error).description
    #expect(
      text.hasPrefix(
        "declared: holds; which is right, but some invariants that apply are not judged"))
    #expect(text.contains("not judged: break-before-make"))
    let reasons = Self.hardware.map { Exemption($0, "the guest is not asked about") }
    try Self.careless(InvariantCatalogue.tables, exempt: reasons).verify()
    try Self.careless(InvariantCatalogue.tables + InvariantCatalogue.hardware).verify()
  }

  /// The catalogue leaves nothing out, at any of its sizes.
  @Test(.tags(.long), .unlessQuick, arguments: CoverageTests.correct)
  func theCatalogueJudgesAllThatApplies(_ model: Model) throws {
    for declared in model.declaredChecks {
      #expect(try CatalogueReports.report(model, declared).notJudged.isEmpty)
    }
  }

  /// Without a verdict, the model does not hold.
  @Test func incompleteUntilItIsSaid() throws {
    let model = try #require(Catalogue.model(named: "shared-memcache"))
    var options = CheckOptions()
    options.watch = { _ in false }
    let report = try model.check(options)
    #expect(report.verdict == .incomplete(.bound(.interrupted)))
    #expect(
      report.advice == "interrupted; run it again, with --checkpoint FILE if that may happen again")
    #expect(!report.coversAll)
  }
}
