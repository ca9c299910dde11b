// What makes the states of the machine for litmus tests fewer loses no final state.

import GracewalkExploration
import GracewalkLitmus
import GracewalkMachine
import GracewalkSupport
import Testing

@Suite struct ShortcutTests {
  private struct Totals: Equatable {
    /// Tests whose final states are not those without shortcuts.
    var different = 0
    var states = 0
  }

  /// Well-known shapes, with locks and grace periods, and random programs.
  private static func tests() throws -> [LitmusTest] {
    var random = SplitMix64(seed: 2_027)
    var texts = Shape.all.map(\.text) + WeakShape.all.map(\.text)
    for number in 0..<400 {
      texts.append(
        RandomProgram(&random, hasExclusives: true, isWide: number.isMultiple(of: 2)).text)
    }
    return try texts.map { try LitmusTest(reading: $0) }
  }

  private static func totals(
    _ tests: [LitmusTest], _ shortcuts: WeakShortcuts, under model: MemoryModel,
    without omittedRules: OmittedRules = []
  ) -> Totals {
    var options = LitmusOptions()
    options.memoryModel = model
    var totals = Totals()
    for test in tests {
      options.shortcuts = []
      options.omittedRules = []
      let expected = test.checkWeakly(options)
      options.shortcuts = shortcuts
      options.omittedRules = omittedRules
      let found = test.checkWeakly(options)
      let isSame =
        expected.isComplete && found.isComplete
        && found.states.map(\.values) == expected.states.map(\.values)
      if !isSame { totals.different += 1 }
      totals.states += found.statistics.states
    }
    return totals
  }

  @Test func finalStatesAreThoseWithout() throws {
    let tests = try Self.tests()
    let rows: [(WeakShortcuts, MemoryModel, Int)] = [
      ([], .armv8, 156_671),
      (.hastenedLocks, .armv8, 156_577),
      (.sortedStores, .armv8, 141_542),
      (.soleSteps, .armv8, 107_927),
      (.all, .armv8, 103_184),
      ([], .totalStoreOrder, 59_202),
      (.all, .totalStoreOrder, 43_994),
    ]
    for (shortcuts, model, states) in rows {
      let totals = Self.totals(tests, shortcuts, under: model)
      #expect(totals == Totals(different: 0, states: states), "\(shortcuts), \(model)")
    }
  }

  /// Each rule that a sole step needs is needed: without it, final states are lost.
  @Test(arguments: [(OmittedRules.storesOfOthers, 360), (.loadsOfOthers, 22)])
  func soleStepsNeed(rule: OmittedRules, different: Int) throws {
    let tests = try Self.tests()
    #expect(Self.totals(tests, .soleSteps, under: .armv8, without: rule).different == different)
  }

  /// Stores that some process can tell apart must keep their order.
  @Test func sortedStoresNeedTheirRule() throws {
    let totals = Self.totals(
      try Self.tests(), .sortedStores, under: .armv8, without: .orderedStores)
    #expect(totals.different == 9)
  }
}
