// Guest faults handled in parallel: several CPUs install tables and pages at once.

import Gracewalk

/// The steps of the install path, and siblings without each.
public enum Fault {
  public static let system = ModelSystem("fault", "Faults in parallel", models)

  static let origin = Origin(
    author: "Ricardo Koller", list: "linux-arm-kernel", date: "2022-11-15",
    subject: "Re: [PATCH v5 08/14] KVM: arm64: Protect stage-2 traversal with RCU",
    question: "Which faults can be handled without taking the MMU lock?",
    about: [.noEntryLock, .plainStore, .noCheck])

  public static let models = Model.family(
    [
      .holds("fault-in-parallel", "entries are locked by compare-exchange and counted when made"),
      .broken(
        "fault-without-compare-exchange", "an entry that was read as invalid is locked by a store",
        omits: "the compare-exchange that locks an entry",
        violates: [NoLeakedTablePage.id, OperationsLinearise.id]),
      .broken(
        "fault-without-get-page", "the entry that is made takes no reference on its table",
        omits: "the reference an entry holds on its table", violates: [ReferencesMatchEntries.id]),
      .broken(
        "fault-keeps-entry-locked",
        "the entry is locked before memory for the table is allocated, which may fail",
        omits: "unlocking the entry when memory has run out", violates: [NoEntryLeftLocked.id]),
    ],
    scenario:
      "The table is empty and memory may run out. Two vCPUs fault on the same page and a third on "
      + "its neighbour in the same table.",
    origin: origin,
    parameters: [Parameter("levels", "levels of the table", 2...3, standard: 2)],
    mustHappen: ExpectedOutcome.each("map 0x0", "done", "already", "retry", "outOfMemory")
      + ExpectedOutcome.each("map 0x1", "done", "retry", "outOfMemory")
  ) { values in
    let scenario = Scenario(geometry: Geometry(levels: values["levels"], entries: 2))
    scenario.mayRunOutOfMemory = true
    let table = Stage2Table(scenario)
    scenario.cpus(["vcpu 0", "vcpu 1"], table.operation(.map, 0))
    scenario.cpu("vcpu 2", table.operation(.map, 1))
    scenario.require(InvariantCatalogue.tables + [GracePeriodSafety()])
    scenario.require(OperationsLinearise(toMap: scenario.geometry, mapped: []))
    scenario.vocabulary(
      "The table is empty and memory may run out.",
      symmetries: exchangesOfPages(operationsPerPage: 2),
      (0..<4).flatMap { [table.operation(.map, $0), table.operation(.lookUp, $0)] })
    return scenario
  }

  /// An empty table of two by two entries stays the same when the entries of a page are exchanged,
  /// or those of the root; each page has as many operations, next to each other.
  static func exchangesOfPages(operationsPerPage count: Int) -> [[Int]] {
    [[1, 0, 2, 3], [2, 3, 0, 1]].map { pages in
      pages.flatMap { page in (0..<count).map { page * count + $0 } }
    }
  }
}
