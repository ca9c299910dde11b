// Code that gives up and comes back: it must not come back forever.

import Gracewalk

/// Faults that are taken again until they succeed.
public enum Retry {
  public static let system = ModelSystem("retry", "Trying again until it is done", models)

  public static let models: [Model] = faults + SwapEntries.models

  private static let variants: [Variant<Stage2Table.Omission?>] = [
    .holds(
      "fault-until-mapped",
      "a fault that meets a locked entry returns to the guest, which faults again"),
    .broken(
      "fault-until-mapped-keeps-entry-locked",
      "the entry is locked before memory for the table is allocated, which may fail",
      .unlockWhenOutOfMemory, omits: "unlocking the entry when memory has run out",
      violates: [ProgressOfCPUs.id]),
  ]

  static let faults = Model.family(
    variants,
    scenario:
      "The table is empty and memory may run out. Two vCPUs touch the same page and a third its "
      + "neighbour in the same table, each again and again until the fault is handled or the "
      + "guest is told that memory has run out.",
    origin: Fault.origin, mustHappen: races, vocabulary: vocabulary
  ) { _, omitting in
    let (scenario, table) = start(omitting)
    scenario.cpus(["vcpu 0", "vcpu 1"], touch(table, 0))
    scenario.cpu("vcpu 2", touch(table, 1))
    return scenario
  }

  private static func vocabulary(_ omitting: Stage2Table.Omission?) -> Vocabulary {
    Vocabulary(
      start: "The table is empty and memory may run out.",
      symmetries: Fault.exchangesOfPages(operationsPerPage: 1)
    ) {
      let (scenario, table) = start(omitting)
      return (scenario, (0..<4).map { touch(table, $0) })
    }
  }

  private static func start(_ omitting: Stage2Table.Omission?) -> (Scenario, Stage2Table) {
    let scenario = Scenario()
    scenario.mayRunOutOfMemory = true
    scenario.mayRepeat = true
    let table = Stage2Table(scenario, omitting: omitting)
    scenario.require(InvariantCatalogue.tables)
    scenario.require(GracePeriodSafety())
    return (scenario, table)
  }

  /// Who tries again forgets that it did, so what is looked at is how it ends: a page is mapped by
  /// either vCPU or found mapped, and memory runs out.
  private static let races =
    ["done", "already", "outOfMemory"].map { ExpectedOutcome("touch 0x0", $0) }
    + ["done", "outOfMemory"].map { ExpectedOutcome("touch 0x1", $0) }

  /// A guest's access: faults until the page is there.
  private static func touch(_ table: Stage2Table, _ address: Int) -> CPUOperation {
    CPUOperation("touch 0x\(address)", call: nil) { cpu in
      try cpu.repeatUntilDone { () throws -> Stage2Result? in
        let result = try table.map(cpu, address)
        return result == .retry ? nil : result
      }
    }
  }
}
