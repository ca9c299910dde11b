// Exact counts of dirty logging, on and off, and the dependence of its verdicts on parameters.

import GracewalkChecking
import GracewalkExploration
import GracewalkModels
import TestExpectations
import Testing

struct DirtyLoggingTests {
  private static let stateful: [(name: String, values: [String: Int])] = [
    ("dirty-log", [:]), ("hardware-dirty-log", [:]), ("hardware-dirty-log", ["walks": 0]),
    ("lazy-collapse", [:]), ("unmap-memslot", [:]),
  ]

  private static func key(_ name: String, _ values: [String: Int]) -> String {
    ([name] + values.map { "\($0)=\($1)" }).joined(separator: " ")
  }

  @Test(.tags(.long), .unlessQuick, arguments: stateful)
  func states(_ name: String, _ values: [String: Int]) throws {
    let report = try CatalogueReports.report(named: name, values)
    #expect(report.verdict == .holds)
    try Counts("DirtyLogging").expect(
      ["states": report.statistics.states, "transitions": report.statistics.transitions],
      for: Self.key(name, values))
  }

  private static let withoutStates = ["lazy-collapse", "unmap-memslot"]

  /// Of source-DPOR, where no walker begins speculative walks.
  @Test(.tags(.long), .unlessQuick, arguments: withoutStates)
  func executions(_ name: String) throws {
    var options = CheckOptions()
    options.parameters = ["walks": 0]
    options.strategy = .source
    let report = try #require(Catalogue.model(named: name)).check(options)
    #expect(report.verdict == .holds)
    try Counts("DirtyLogging").expect(
      [
        "executions": report.statistics.executions, "blocked": report.statistics.blocked,
        "transitions": report.statistics.transitions,
      ], for: Self.key(name, options.parameters) + " source")
  }

  @Test func nothingElseIsRecorded() throws {
    try Counts("DirtyLogging").expectRows(
      for: Self.stateful.map { Self.key($0.name, $0.values) }
        + Self.withoutStates.map { Self.key($0, ["walks": 0]) + " source" })
  }

  /// A mark that is cleared too late is lost only if the page was written twice: the harvest finds
  /// the first write and misses the second.
  @Test func clearingLateNeedsTwoWrites() throws {
    let model = try #require(Catalogue.model(named: "dirty-log-clear-after-copy"))
    var options = CheckOptions()
    #expect(try model.check(options).verdict == .violated)
    options.parameters = ["tries": 2]
    #expect(try model.check(options).verdict == .holds)
  }

  /// If its neighbour is not cached, an invalidation of the fault's address is enough: it removes
  /// the pointer to the table.
  @Test func oneAddressSuffersFromNeighboursOnly() throws {
    let model = try #require(Catalogue.model(named: "lazy-collapse-tlbi-one-address"))
    var options = CheckOptions()
    #expect(try model.check(options).verdict == .violated)
    options.parameters = ["walks": 0]
    #expect(try model.check(options).verdict == .holds)
  }
}
