// Exact counts of dirty logging, on and off, and what its verdicts depend on.

import GracewalkChecking
import GracewalkExploration
import GracewalkModels
import Testing

struct DirtyLoggingTests {
  /// Of the stateful search.
  @Test(arguments: [
    ("dirty-log", [:], 91_897, 159_813),
    ("hardware-dirty-log", [:], 91_704, 210_887),
    ("hardware-dirty-log", ["walks": 0], 7_557, 14_113),
    ("lazy-collapse", [:], 138_319, 288_023),
    ("unmap-memslot", [:], 22_450, 33_543),
  ])
  func states(_ name: String, _ values: [String: Int], _ states: Int, _ transitions: Int) throws {
    var options = CheckOptions()
    options.parameters = values
    let report = try #require(Catalogue.model(named: name)).check(options)
    #expect(report.verdict == .holds)
    #expect(report.statistics.states == states)
    #expect(report.statistics.transitions == transitions)
  }

  /// Of source-DPOR, where no walker begins speculative walks.
  @Test(arguments: [
    ("lazy-collapse", 54_464, 4, 540_390), ("unmap-memslot", 15_988, 0, 98_912),
  ])
  func executions(
    _ name: String, _ executions: Int, _ blocked: Int, _ transitions: Int
  ) throws {
    var options = CheckOptions()
    options.parameters = ["walks": 0]
    options.strategy = .source
    let report = try #require(Catalogue.model(named: name)).check(options)
    #expect(report.verdict == .holds)
    #expect(report.statistics.executions == executions)
    #expect(report.statistics.blocked == blocked)
    #expect(report.statistics.transitions == transitions)
  }

  /// A mark that is cleared too late is lost only if the page was written twice: the first write
  /// is what the harvest finds, the second one what it misses.
  @Test func clearingLateNeedsTwoWrites() throws {
    let model = try #require(Catalogue.model(named: "dirty-log-clear-after-copy"))
    var options = CheckOptions()
    #expect(try model.check(options).verdict == .violated)
    options.parameters = ["tries": 2]
    #expect(try model.check(options).verdict == .holds)
  }

  /// Without its neighbour in the caches, an invalidation for the address of the fault does:
  /// it removes the pointer to the table.
  @Test func oneAddressSuffersFromNeighboursOnly() throws {
    let model = try #require(Catalogue.model(named: "lazy-collapse-tlbi-one-address"))
    var options = CheckOptions()
    #expect(try model.check(options).verdict == .violated)
    options.parameters = ["walks": 0]
    #expect(try model.check(options).verdict == .holds)
  }
}
