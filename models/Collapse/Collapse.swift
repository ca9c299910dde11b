// The origin of the project: a table is collapsed into a block while other CPUs walk and fill it.

import Gracewalk

/// RFC PATCH 09/17 of KVM/arm64's parallel stage-2 faults, and the alternatives discussed.
public enum Collapse {
  public static let system = ModelSystem("collapse", "Collapsing a table into a block", models)

  // Under Armv8 the mapper may still find the table after the walker, which ended before it began,
  // has met the entry that replaced it: nothing orders the end of an operation and the beginning of
  // another. No walker relies on that. The grace period still covers the mapper.
  private static let variants: [Variant<Stage2Table.Teardown>] = [
    .holds(
      "collapse-locked-descendants",
      "the collapse locks every entry below the unlinked table; pages are freed by callbacks",
      .init(order: .freeByCallbacks, locksEntries: true),
      // With three levels a check under Armv8 takes ten minutes.
      instancesUnder: [.armv8: [["levels": 2]]]),
    .holds(
      "collapse-in-rcu-callback",
      "the unlinked subtree is not touched until the callback after the grace period",
      .init(order: .walkInCallback), under: [.armv8: .violates([OperationsLinearise.id])]),
    .broken(
      "collapse-unlocked-descendants",
      "the subtree is walked at once with plain reads; pages are freed by callbacks",
      .init(order: .freeByCallbacks), omits: "locking the descendants",
      violates: [NoLeakedTablePage.id]),
    .broken(
      "collapse-free-at-once",
      "the subtree is walked at once with plain reads and its pages are freed on the spot",
      .init(order: .freeAtOnce), omits: "waiting for a grace period before freeing",
      violates: [NoLeakedTablePage.id, NoUseAfterFree.id, GracePeriodSafety.id]),
    .broken(
      "collapse-without-rcu",
      "descendants are locked, but walkers enter no read-side section and pages are freed at once",
      .init(order: .freeAtOnce, locksEntries: true, walkers: .unprotected),
      omits: "RCU: read-side sections and the deferred free", violates: [NoUseAfterFree.id]),
    .broken(
      "collapse-waits-in-section",
      "the collapse waits for the grace period on the spot, inside its own read-side section",
      .init(order: .waitInSection), omits: "leaving the section before waiting",
      violates: [ProgressOfCPUs.id, GracePeriodSafety.id]),
  ]

  public static let models = Model.family(
    variants,
    scenario:
      "The root entry leads to a table whose second half is mapped. The collapser replaces it by a "
      + "block; the mapper faults in the first page of the first half; the walker looks up the "
      + "last mapped page.",
    origin: Origin(
      author: "Oliver Upton", list: "linux-arm-kernel", date: "2022-04-21",
      subject: "[RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
      question:
        "Why lock every entry of a subtree that is already unlinked? What could still install a "
        + "table below an entry that the collapse has visited?",
      about: [.noEntryLock, .callAtOnce]),
    parameters: [Parameter("levels", "levels of the table", 2...4, standard: 3)],
    mustHappen: ExpectedOutcome.each("collapse 0x0", "done")
      + ExpectedOutcome.each("map 0x0", "done", "already", "retry")
      // The address that is looked up depends on how many levels there are.
      + (2...4).flatMap { levels in
        ExpectedOutcome.each("look up 0x\(1 << (levels - 2))", "mapped", "retry") { values, _ in
          values["levels"] == levels
        }
      },
    instances: [["levels": 2], ["levels": 3]]
  ) { values, teardown in
    let scenario = Scenario(geometry: Geometry(levels: values["levels"], entries: 2))
    let table = Stage2Table(scenario, teardown)
    // The first page of the second half of what the root entry covers.
    let mapped = scenario.geometry.span(ofEntryAt: 1)
    let usesRCU = teardown.walkers == .inSections
    scenario.boot { cpu in _ = try table.map(cpu, mapped) }
    scenario.cpu("collapser", usesCallbacks: usesRCU, table.operation(.collapse, 0))
    scenario.cpu("mapper", table.operation(.map, 0))
    scenario.cpu("walker", table.operation(.lookUp, mapped))
    scenario.require(InvariantCatalogue.tables)
    if usesRCU { scenario.require(GracePeriodSafety()) }
    scenario.require(OperationsLinearise(toMap: scenario.geometry, mapped: [mapped]))
    let words = [MapCall.map, .unmap, .lookUp].flatMap { call in
      [0, mapped].map { Vocabulary.Word(table.operation(call, $0)) }
    }
    scenario.vocabulary(
      "The root entry leads to a table of two halves; of the first page of each, 0x0 is not "
        + "mapped and 0x2 is.",
      words + [.init(table.operation(.collapse, 0), usesCallbacks: usesRCU)])
    return scenario
  }
}
