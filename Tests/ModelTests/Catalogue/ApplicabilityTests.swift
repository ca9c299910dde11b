// Every correct model requires the invariants that apply, and every model names its question.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkModels
import TestExpectations
import Testing

@Suite struct ApplicabilityTests {
  static let correct = Catalogue.models.filter { $0.expectation == .holds }

  @Test(.tags(.long), .unlessQuick, arguments: correct)
  func modelsRequireWhatApplies(_ model: Model) throws {
    let report = try CatalogueReports.report(model)
    #expect(report.verdict == .holds)
    #expect(try model.missingInvariants(for: report.coverage) == [])
    // An exemption that is not needed, or names nothing, is an error.
    for exemption in model.exempt {
      let invariant = InvariantCatalogue.all.first { $0.id == exemption.invariant }
      #expect(invariant?.applicability.includes(report.coverage.facets) == true)
      #expect(!report.invariants.contains(exemption.invariant))
      #expect(!exemption.reason.isEmpty)
    }
  }

  /// The features used are found in the code that ran, or declared.
  @Test(
    .tags(.long), .unlessQuick,
    arguments: [
      ("collapse-in-rcu-callback", [.tables, .references, .entryLocks, .gracePeriods]),
      ("unmap-under-write-lock", [.tables, .references, .entryLocks, .locks]),
      ("shared-memcache", [.tables, .references]),
      ("ipi-before-free", [.tables, .references, .entryLocks, .gracePeriods]),
      ("remap-page", [.tables, .entryLocks, .hardware, .frameOwners]),
      ("dirty-log", [.tables, .hardware]),
      ("host-donate", [.tables, .references, .locks, .hardware, .frameOwners]),
      ("teardown-with-barrier", [.tables, .gracePeriods, .contexts, .ownedPages]),
      ("reverse-map-remap", [.tables, .locks, .gracePeriods, .directoryPermissions]),
    ] as [(String, Facets)])
  func facets(_ name: String, _ facets: Facets) throws {
    #expect(try CatalogueReports.report(named: name).coverage.facets == facets)
  }

  /// A model that does not require an invariant that applies is reported.
  @Test func invariantsNotRequiredAreReported() throws {
    let build = { @Sendable (invariants: [any Invariant], exempt: [Exemption]) in
      Model(
        name: "double", summary: "", scenario: "", expectation: .holds, exempt: exempt
      ) { _ in
        let scenario = Scenario()
        let root = scenario.rootTable()
        let lock = scenario.spinLock("lock")
        scenario.cpu(
          "cpu",
          CPUOperation("lock") { cpu in
            try cpu.lock(lock)
            try cpu.store(root[0], Descriptor.locked.bits, .relaxed)
            try cpu.store(root[0], Descriptor.invalid.bits, .relaxed)
            try cpu.unlock(lock)
          })
        scenario.require(invariants)
        return scenario
      }
    }
    let all = [
      "no-leaked-table-page", "no-use-after-free", "no-double-free", "no-table-linked-twice",
      "no-entry-left-locked",
    ]
    let bare = build([], [])
    let coverage = try bare.check().coverage
    #expect(try bare.missingInvariants(for: coverage) == all)
    let some = build([NoUseAfterFree()], [Exemption("no-double-free", "nothing is freed")])
    #expect(try some.missingInvariants(for: coverage) == [all[0]] + all[3...])
    let full = build(InvariantCatalogue.tables, [])
    #expect(try full.missingInvariants(for: coverage) == [])
  }

  /// Invariants chosen by models have a reason; all others apply to some model.
  @Test func invariantsSayWhereTheyApply() throws {
    var chosen: [String] = []
    for invariant in InvariantCatalogue.described {
      guard case .chosen(let reason) = invariant.applicability else { continue }
      #expect(!reason.isEmpty)
      chosen.append(invariant.id)
    }
    #expect(
      chosen == [
        "no-freed-page-reachable", "operations-linearise", "pages-accounted-for",
        "no-guest-write-without-dirty-record", "reverse-map-agrees",
      ])
  }

  /// A later session keeps the features that an earlier one found.
  @Test func savedChecksKeepFacets() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let model = try #require(Catalogue.model(named: "collapse-in-rcu-callback"))
    var options = CheckOptions()
    options.strategy = .source
    options.parameters = ["levels": 2]
    let expected = try model.check(options)
    options.limits.executions = expected.statistics.executions - 1
    options.checkpoints = CheckpointFile(path: path)
    _ = try model.check(options)
    options.limits = Limits()
    options.checkpoints = nil
    options.resume = try Checkpoint(path: path)
    #expect(try model.check(options).coverage.facets == expected.coverage.facets)
  }

  // MARK: Origins

  /// The list and the day of each mail that the project answers.
  private static let mails = [
    "linux-arm-kernel 2022-04-21", "linux-arm-kernel 2022-04-22", "linux 2022-09-07",
    "linux-arm-kernel 2022-11-15", "linux-kernel 2013-08-29",
  ]

  @Test(arguments: Catalogue.models)
  func everyModelHasAnOrigin(_ model: Model) throws {
    let origin = try #require(model.origin)
    for text in [origin.author, origin.list, origin.subject] { #expect(!text.isEmpty) }
    #expect(origin.date.wholeMatch(of: /\d{4}-\d{2}-\d{2}/) != nil)
    #expect(origin.question.hasSuffix("?"))
  }

  @Test func everyMailHasAModel() {
    let answered = Set(Catalogue.models.compactMap(\.origin).map { "\($0.list) \($0.date)" })
    #expect(answered.isSuperset(of: Self.mails))
  }
}
