// Exact counts of the catalogue: if one changes, the set of explored executions changed.

import GracewalkChecking
import GracewalkExploration
import GracewalkModels
import TestExpectations
import Testing

@Suite struct CountTests {
  struct Counted: Sendable, CustomTestStringConvertible {
    var model: String
    var parameters: [String: Int]

    init(_ model: String, levels: Int? = nil) {
      self.model = model
      parameters = levels.map { ["levels": $0] } ?? [:]
    }

    var testDescription: String {
      ([model] + parameters.map { "\($0)=\($1)" }).joined(separator: " ")
    }
  }

  private static let counted = [
    Counted("collapse-locked-descendants", levels: 2),
    Counted("collapse-locked-descendants", levels: 3),
    Counted("collapse-in-rcu-callback", levels: 2),
    Counted("collapse-in-rcu-callback", levels: 3),
    Counted("fault-in-parallel"),
    Counted("shared-memcache"),
    Counted("drop-last-reference"),
    Counted("ipi-before-free", levels: 2),
    Counted("ipi-before-free", levels: 3),
    Counted("walk-references", levels: 2),
    Counted("walk-references", levels: 3),
    Counted("teardown-with-barrier"),
    Counted("teardown-barrier-last"),
    Counted("teardown-self-sufficient-callback"),
    Counted("reverse-map-remap"),
    Counted("reverse-map-fault"),
    Counted("reverse-map-shadow-page-reuse"),
    Counted("reverse-map-shrink"),
  ]

  /// States of the stateful search; the other counts are of source-DPOR.
  @Test(.tags(.long), .unlessQuick, arguments: counted)
  func counts(_ counted: Counted) throws {
    let states = try CatalogueReports.report(named: counted.model, counted.parameters).statistics
    var options = CheckOptions()
    options.parameters = counted.parameters
    options.strategy = .source
    let model = try #require(Catalogue.model(named: counted.model))
    let statistics = try model.check(options).statistics
    try Counts("Catalogue").expect(
      [
        "states": states.states, "executions": statistics.executions,
        "blocked": statistics.blocked, "transitions": statistics.transitions,
      ], for: counted.testDescription)
  }

  @Test func nothingElseIsRecorded() throws {
    try Counts("Catalogue").expectRows(for: Self.counted.map(\.testDescription))
  }

  @Test func stateInvariantsThatNameWhatTheyReadAreReduced() throws {
    let model = try #require(Catalogue.model(named: "unmap-under-write-lock"))
    let report = try model.check()
    #expect(report.strategy == .stateful)
    #expect(report.note == nil)
    #expect(report.statistics.states == 679)
    #expect(report.statistics.transitions == 682)

    var options = CheckOptions()
    options.invariants = ["no-use-after-free"]
    let others = try model.check(options)
    #expect(others.strategy == .stateful)
    #expect(others.statistics.transitions < 682)
  }
}
