// Exact counts of the catalogue: a change in one of them is a change in what is explored.

import GracewalkChecking
import GracewalkExploration
import GracewalkModels
import Testing

@Suite struct CountTests {
  struct Counts: Sendable, CustomTestStringConvertible {
    var model: String
    var levels: Int?
    /// Of source-DPOR.
    var executions: Int
    var blocked: Int
    var transitions: Int
    /// Of the stateful search.
    var states: Int

    var testDescription: String { "\(model) \(levels.map(String.init) ?? "")" }
  }

  @Test(arguments: [
    Counts(
      model: "collapse-locked-descendants", levels: 2, executions: 620, blocked: 9,
      transitions: 8_138, states: 8_300),
    Counts(
      model: "collapse-locked-descendants", levels: 3, executions: 14_453, blocked: 9,
      transitions: 295_841, states: 126_529),
    Counts(
      model: "collapse-in-rcu-callback", levels: 2, executions: 406, blocked: 6,
      transitions: 6_647, states: 5_504),
    Counts(
      model: "collapse-in-rcu-callback", levels: 3, executions: 486, blocked: 6,
      transitions: 12_001, states: 9_037),
    Counts(
      model: "fault-in-parallel", executions: 630, blocked: 43, transitions: 7_736,
      states: 6_503),
    Counts(model: "shared-memcache", executions: 2, blocked: 0, transitions: 8, states: 9),
    Counts(model: "drop-last-reference", executions: 6, blocked: 0, transitions: 29, states: 11),
    Counts(
      model: "ipi-before-free", levels: 2, executions: 3_968, blocked: 0, transitions: 81_148,
      states: 46_998),
    Counts(
      model: "ipi-before-free", levels: 3, executions: 4_828, blocked: 0, transitions: 158_950,
      states: 96_438),
    Counts(
      model: "walk-references", levels: 2, executions: 2_092, blocked: 6, transitions: 33_628,
      states: 20_150),
    Counts(
      model: "walk-references", levels: 3, executions: 30_671, blocked: 85, transitions: 718_830,
      states: 197_869),
    Counts(
      model: "teardown-with-barrier", executions: 132, blocked: 1, transitions: 1_882,
      states: 1_719),
    Counts(
      model: "teardown-barrier-last", executions: 132, blocked: 1, transitions: 1_816,
      states: 1_624),
    Counts(
      model: "teardown-self-sufficient-callback", executions: 256, blocked: 1,
      transitions: 2_148, states: 1_585),
    Counts(
      model: "reverse-map-remap", executions: 116, blocked: 53, transitions: 2_515, states: 5_256),
    Counts(
      model: "reverse-map-fault", executions: 320, blocked: 155, transitions: 8_060,
      states: 14_651),
    Counts(
      model: "reverse-map-shadow-page-reuse", executions: 1_182, blocked: 524,
      transitions: 25_555, states: 28_147),
    Counts(
      model: "reverse-map-shrink", executions: 101, blocked: 45, transitions: 1_979,
      states: 3_710),
  ])
  func counts(_ expected: Counts) throws {
    let model = try #require(Catalogue.model(named: expected.model))
    var options = CheckOptions()
    if let levels = expected.levels { options.parameters["levels"] = levels }
    #expect(try model.check(options).statistics.states == expected.states)
    options.strategy = .source
    let statistics = try model.check(options).statistics
    #expect(statistics.executions == expected.executions)
    #expect(statistics.blocked == expected.blocked)
    #expect(statistics.transitions == expected.transitions)
  }

  @Test func stateInvariantSwitchesReductionOff() throws {
    let model = try #require(Catalogue.model(named: "unmap-under-write-lock"))
    let report = try model.check()
    #expect(report.strategy == .exhaustive)
    #expect(report.note?.contains("no-freed-page-reachable") == true)
    #expect(report.statistics.states == 1_454)
    #expect(report.statistics.transitions == 2_580)

    var options = CheckOptions()
    options.invariants = ["no-use-after-free"]
    let reduced = try model.check(options)
    #expect(reduced.strategy == .stateful)
    #expect(reduced.note == nil)
  }
}
