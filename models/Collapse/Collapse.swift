// Seed of the project: a table is collapsed into a block while other CPUs walk and fill it.

import Gracewalk

/// RFC PATCH 09/17 of KVM/arm64's parallel stage-2 faults, and what was discussed instead.
public enum Collapse {
  public static let system = ModelSystem("collapse", "Collapsing a table into a block", models)

  static let origin = Origin(
    author: "Oliver Upton", list: "linux-arm-kernel", date: "2022-04-21",
    subject: "[RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
    question:
      "Why lock every entry of a subtree that is already unlinked? What could still install a "
      + "table below an entry that the collapse has visited?",
    about: [.noEntryLock, .callAtOnce])

  private static let variants: [Variant<Stage2Table.Teardown>] = [
    .holds(
      "collapse-locked-descendants",
      "the collapse locks every entry below the unlinked table; pages are freed by callbacks",
      .lockDescendants),
    .holds(
      "collapse-in-rcu-callback",
      "the unlinked subtree is not touched until the callback after the grace period", .inCallback),
    .broken(
      "collapse-unlocked-descendants",
      "the subtree is walked at once with plain reads; pages are freed by callbacks",
      .walkUnlocked, omits: "locking the descendants", violates: [NoLeakedTablePage.id]),
    .broken(
      "collapse-free-at-once",
      "the subtree is walked at once with plain reads and its pages are freed on the spot",
      .walkUnlockedAndFreeAtOnce, omits: "waiting for a grace period before freeing",
      violates: [NoLeakedTablePage.id, NoUseAfterFree.id, GracePeriodSafety.id]),
    .broken(
      "collapse-without-rcu",
      "descendants are locked, but walkers enter no read-side section and pages are freed at once",
      .lockDescendantsAndFreeAtOnce, omits: "RCU: read-side sections and the deferred free",
      violates: [NoUseAfterFree.id]),
    .broken(
      "collapse-waits-in-section",
      "the collapse waits for the grace period on the spot, inside its own read-side section",
      .afterWaitingInSection, omits: "leaving the section before waiting",
      violates: [ProgressOfCPUs.id, GracePeriodSafety.id]),
  ]

  public static let models = Model.family(
    variants,
    scenario:
      "The root entry leads to a table whose second half is mapped. The collapser replaces it by a "
      + "block; the mapper faults in the first page of the first half; the walker looks up the "
      + "last mapped page.",
    origin: origin,
    parameters: [Parameter("levels", "levels of the table", 2...4, standard: 3)],
    mustHappen: races,
    instances: [["levels": 2], ["levels": 3]],
    vocabulary: vocabulary
  ) { values, teardown in
    let (scenario, table, mapped) = start(levels: values["levels"], teardown)
    scenario.cpu(
      "collapser", usesCallbacks: table.protection == .rcu, table.operation(.collapse, 0))
    scenario.cpu("mapper", table.operation(.map, 0))
    scenario.cpu("walker", table.operation(.lookUp, mapped))
    return scenario
  }

  /// The mapper comes before the collapse, after it, and between its steps; so does the walker,
  /// whose address depends on how many levels there are.
  private static let races: [ExpectedOutcome] =
    [ExpectedOutcome("collapse 0x0", "done")]
    + ["done", "already", "retry"].map { ExpectedOutcome("map 0x0", $0) }
    + (2...4).flatMap { levels in
      ["mapped", "retry"].map { result in
        ExpectedOutcome("look up 0x\(1 << (levels - 2))", result) { values, _ in
          values["levels"] == levels
        }
      }
    }

  /// Whatever can be done with a page that is not mapped and one that is.
  private static func vocabulary(_ teardown: Stage2Table.Teardown) -> Vocabulary {
    Vocabulary(
      start:
        "The root entry leads to a table of two halves; of the first page of each, 0x0 is not "
        + "mapped and 0x2 is."
    ) {
      let (scenario, table, mapped) = start(levels: 3, teardown)
      let calls: [AddressMap.Call] = [.map, .unmap, .lookUp]
      let words = calls.flatMap { call in
        [0, mapped].map { Vocabulary.Word(table.operation(call, $0)) }
      }
      let collapse = Vocabulary.Word(
        table.operation(.collapse, 0), usesCallbacks: table.protection == .rcu)
      return (scenario, words + [collapse])
    }
  }

  /// The table with its mapped page, and what must hold.
  private static func start(
    levels: Int, _ teardown: Stage2Table.Teardown
  ) -> (Scenario, Stage2Table, mapped: Int) {
    let scenario = Scenario(geometry: Geometry(levels: levels, entries: 2))
    let table = Stage2Table(scenario, teardown: teardown)
    // The first page of the second half of what the root entry covers.
    let mapped = table.geometry.span(ofEntryAt: 1)
    scenario.boot { cpu in _ = try table.map(cpu, mapped) }
    scenario.require(InvariantCatalogue.tables)
    if table.protection == .rcu { scenario.require(GracePeriodSafety()) }
    scenario.require(
      OperationsLinearise(to: AddressMap(geometry: table.geometry, mapped: [mapped])))
    return (scenario, table, mapped)
  }
}
