// Guest faults handled in parallel: several CPUs install tables and pages at once.

import Gracewalk

/// What each step of the install path is for.
public enum Fault {
  public static let system = ModelSystem("fault", "Faults in parallel", models)

  static let origin = Origin(
    author: "Ricardo Koller", list: "linux-arm-kernel", date: "2022-11-15",
    subject: "Re: [PATCH v5 08/14] KVM: arm64: Protect stage-2 traversal with RCU",
    question: "Which faults can be handled without taking the MMU lock?",
    about: [.noEntryLock, .plainStore, .noCheck])

  private static let variants: [Variant<Stage2Table.Omission?>] = [
    .holds("fault-in-parallel", "entries are locked by compare-exchange and counted when made"),
    .broken(
      "fault-without-compare-exchange", "an entry that was read as invalid is locked by a store",
      .compareExchange, omits: "the compare-exchange that locks an entry",
      violates: [NoLeakedTablePage.id, OperationsLinearise.id]),
    .broken(
      "fault-without-get-page", "the entry that is made takes no reference on its table", .getPage,
      omits: "the reference an entry holds on its table", violates: [ReferencesMatchEntries.id]),
    .broken(
      "fault-keeps-entry-locked",
      "the entry is locked before memory for the table is allocated, which may fail",
      .unlockWhenOutOfMemory, omits: "unlocking the entry when memory has run out",
      violates: [NoEntryLeftLocked.id]),
  ]

  public static let models = Model.family(
    variants,
    scenario:
      "The table is empty and memory may run out. Two vCPUs fault on the same page and a third "
      + "on its neighbour in the same table.",
    origin: origin,
    parameters: [Parameter("levels", "levels of the table", 2...3, standard: 2)],
    mustHappen: ["done", "already", "retry", "outOfMemory"].map { ExpectedOutcome("map 0x0", $0) }
      + ["done", "retry", "outOfMemory"].map { ExpectedOutcome("map 0x1", $0) },
    vocabulary: vocabulary
  ) { values, omitting in
    let (scenario, table) = start(levels: values["levels"], omitting)
    scenario.cpus(["vcpu 0", "vcpu 1"], table.operation(.map, 0))
    scenario.cpu("vcpu 2", table.operation(.map, 1))
    return scenario
  }

  /// Faults and lookups, on all four pages of the table.
  private static func vocabulary(_ omitting: Stage2Table.Omission?) -> Vocabulary {
    Vocabulary(
      start: "The table is empty and memory may run out.",
      symmetries: exchangesOfPages(operationsPerPage: 2)
    ) {
      let (scenario, table) = start(levels: 2, omitting)
      let words = (0..<4).flatMap { address in
        [table.operation(.map, address), table.operation(.lookUp, address)]
      }
      return (scenario, words)
    }
  }

  /// An empty table of two by two entries stays the same when the entries of a page are exchanged,
  /// or those of the root.
  ///
  /// - Parameter operationsPerPage: of the pages in turn, for each the same ones.
  static func exchangesOfPages(operationsPerPage count: Int) -> [[Int]] {
    [[1, 0, 2, 3], [2, 3, 0, 1]].map { pages in
      pages.flatMap { page in (0..<count).map { page * count + $0 } }
    }
  }

  private static func start(
    levels: Int, _ omitting: Stage2Table.Omission?
  ) -> (Scenario, Stage2Table) {
    let scenario = Scenario(geometry: Geometry(levels: levels, entries: 2))
    scenario.mayRunOutOfMemory = true
    let table = Stage2Table(scenario, omitting: omitting)
    scenario.require(InvariantCatalogue.tables)
    scenario.require(GracePeriodSafety())
    scenario.require(OperationsLinearise(to: AddressMap(geometry: table.geometry, mapped: [])))
    return (scenario, table)
  }
}
