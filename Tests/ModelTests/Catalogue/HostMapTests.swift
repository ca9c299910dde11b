// The host's identity map: exact counts, and what features of the architecture change.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import Testing

@Suite struct HostMapTests {
  /// What the stateful search meets.
  struct Counts: Sendable, CustomTestStringConvertible {
    var model: String
    var states: Int
    var transitions: Int

    var testDescription: String { model }
  }

  @Test(arguments: [
    Counts(model: "host-donate", states: 24_739, transitions: 42_442),
    Counts(model: "host-donate-fills-on-demand", states: 15_885, transitions: 21_118),
    Counts(model: "host-donate-in-place-if-allowed", states: 24_739, transitions: 42_442),
    Counts(model: "host-reclaim", states: 25_864, transitions: 50_968),
    Counts(model: "host-reclaim-fills-on-demand", states: 15_658, transitions: 30_488),
    Counts(model: "host-reclaim-in-place-if-allowed", states: 25_864, transitions: 50_968),
    Counts(model: "host-donate-write-locked", states: 71_349, transitions: 116_556),
    Counts(model: "host-coalesce-write-locked", states: 21_960, transitions: 34_402),
  ])
  func counts(_ expected: Counts) throws {
    let model = try #require(Catalogue.model(named: expected.model))
    let report = try model.check()
    #expect(report.verdict == .holds)
    #expect(report.note == nil)
    #expect(report.statistics.states == expected.states)
    #expect(report.statistics.transitions == expected.transitions)
  }

  /// A model for another version of the architecture.
  private func model(_ name: String, _ change: @escaping @Sendable (inout Features) -> Void) throws
    -> Model
  {
    let model = try #require(Catalogue.model(named: name))
    return Model(
      name: model.name, summary: model.summary, scenario: model.scenarioText,
      omission: model.omission, origin: model.origin, parameters: model.parameters,
      expectation: model.expectation, instances: model.instances
    ) { values in
      let scenario = model.build(values)
      change(&scenario.features)
      return scenario
    }
  }

  /// FEAT_BBM level 2 allows what its omission is wrong about below; nT at level 1 is not set.
  @Test(arguments: ["host-donate-in-place", "host-coalesce-in-place"])
  func noBreakIsNeededAtLevelTwo(_ name: String) throws {
    let levels = try (0...2).map { level in
      try model(name) { $0.breakBeforeMakeLevel = level }.check().verdict
    }
    #expect(levels == [.violated, .violated, .holds])
  }

  /// The models that look at the level do without the break at level 2, and only there.
  @Test(arguments: ["host-donate-in-place-if-allowed", "host-reclaim-in-place-if-allowed"])
  func levelTwoSavesTheBreak(_ name: String) throws {
    let counts = try (0...2).map { level in
      let report = try model(name) { $0.breakBeforeMakeLevel = level }.check()
      #expect(report.verdict == .holds)
      return report.statistics.states
    }
    #expect(counts[0] == counts[1])
    #expect(counts[1] != counts[2])
  }

  /// Correct models hold on every version of the architecture.
  @Test(
    arguments: HostMap.models.filter { $0.expectation == .holds }.map(\.name), [false, true])
  func correctModelsHoldWithEveryFeature(_ name: String, hasAll: Bool) throws {
    let changed = try model(name) { features in
      features.rangeInvalidation = true
      features.enhancedTranslationSynchronisation = true
      features.hardwareAccessFlag = hasAll
      features.hardwareDirtyState = hasAll
      features.breakBeforeMakeLevel = hasAll ? 2 : 1
    }
    #expect(try changed.check().verdict == .holds)
  }
}
