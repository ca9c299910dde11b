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
      ([], .armv8, 156_765),
      (.hastenedLocks, .armv8, 156_671),
      (.sortedStores, .armv8, 141_633),
      (.soleSteps, .armv8, 108_008),
      (.all, .armv8, 103_265),
      ([], .totalStoreOrder, 59_282),
      (.all, .totalStoreOrder, 44_067),
    ]
    for (shortcuts, model, states) in rows {
      let totals = Self.totals(tests, shortcuts, under: model)
      #expect(totals == Totals(different: 0, states: states), "\(shortcuts), \(model)")
    }
  }

  /// Each rule that a sole step needs is needed: without it, final states are lost.
  @Test(arguments: [(OmittedRules.storesOfOthers, 361), (.loadsOfOthers, 25)])
  func soleStepsNeed(rule: OmittedRules, different: Int) throws {
    let tests = try Self.tests()
    #expect(Self.totals(tests, .soleSteps, under: .armv8, without: rule).different == different)
  }

  /// Stores that some process can tell apart must keep their order.
  @Test func sortedStoresNeedTheirRule() throws {
    let totals = Self.totals(
      try Self.tests(), .sortedStores, under: .armv8, without: .orderedStores)
    #expect(totals.different == 10)
  }

  /// Locks that are released by a process that may not hold them, and the number of final states.
  private static let strayReleases = [
    ("int r0 = READ_ONCE(*y); spin_unlock(l);", 2),
    ("WRITE_ONCE(*z, 1); spin_unlock(l);", 2),
    ("spin_unlock(l);", 2),
    ("int r0 = READ_ONCE(*y); if (r0) { spin_lock(l); } spin_unlock(l);", 2),
  ]

  /// Such a release may come when another process has the lock, so nothing hastens it.
  @Test(arguments: Self.strayReleases)
  func locksReleasedByOthersAreNotHastened(code: String, count: Int) throws {
    let text = """
      C stray
      {}
      P0(int *y, int *z, spinlock_t *l) { \(code) }
      P1(int *x, spinlock_t *l) { spin_lock(l); WRITE_ONCE(*x, 1); }
      P2(int *x, spinlock_t *l) { spin_lock(l); WRITE_ONCE(*x, 2); }
      exists (x=1)
      """
    var options = LitmusOptions()
    options.memoryModel = .armv8
    let test = try LitmusTest(reading: text)
    let report = test.checkWeakly(options)
    options.shortcuts = []
    #expect(report.states == test.checkWeakly(options).states)
    #expect(report.states.count == count)
  }

  /// A grace period waits until another process has ended the section.
  @Test func sectionsEndedByOthersAreNotHastened() throws {
    let text = """
      C handed-over
      {}
      P0(int *x, struct srcu_struct *ss) { int r0 = srcu_read_lock(ss); int r1 = READ_ONCE(*x); }
      P1(int *z, struct srcu_struct *ss) { int r3 = READ_ONCE(*z); srcu_read_unlock(ss, 0); }
      P2(int *x, int *w, struct srcu_struct *ss) {
        WRITE_ONCE(*x, 1); synchronize_srcu(ss); WRITE_ONCE(*w, 1);
      }
      exists (0:r1=0)
      """
    for model in [MemoryModel.totalStoreOrder, .armv8] {
      var options = LitmusOptions()
      options.memoryModel = model
      let report = try LitmusTest(reading: text).checkWeakly(options)
      #expect(report.states.count == 2, "\(model)")
    }
  }
}
