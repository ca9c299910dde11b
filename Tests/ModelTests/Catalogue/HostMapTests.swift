// The host's identity map: exact counts, and the effect of architecture features.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import TestExpectations
import Testing

@Suite struct HostMapTests {
  private static let correct = HostMap.models.filter { $0.expectation == .holds }.map(\.name)

  /// The counts of the stateful search.
  @Test(.tags(.long), .unlessQuick, arguments: correct)
  func counts(_ name: String) throws {
    let report = try CatalogueReports.report(named: name)
    #expect(report.verdict == .holds)
    #expect(report.note == nil)
    try Counts("HostMap").expect(
      ["states": report.statistics.states, "transitions": report.statistics.transitions], for: name)
  }

  @Test func nothingElseIsRecorded() throws { try Counts("HostMap").expectRows(for: Self.correct) }

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
  @Test(
    .tags(.long), .unlessQuick, arguments: ["host-donate-in-place", "host-coalesce-in-place"])
  func noBreakIsNeededAtLevelTwo(_ name: String) throws {
    let levels = try (0...2).map { level in
      try model(name) { $0.breakBeforeMakeLevel = level }.check().verdict
    }
    #expect(levels == [.violated, .violated, .holds])
  }

  /// The models that check the level skip the break at level 2, and only there.
  @Test(
    .tags(.long), .unlessQuick,
    arguments: ["host-donate-in-place-if-allowed", "host-reclaim-in-place-if-allowed"])
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
  @Test(.tags(.long), .unlessQuick, arguments: correct, [false, true])
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
