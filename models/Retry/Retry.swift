// Code that gives up and retries: it must not retry forever.

import Gracewalk

/// Faults that are retried until they succeed.
public enum Retry {
  public static let system = ModelSystem("retry", "Trying again until it is done", models)

  public static let models: [Model] = faults + SwapEntries.models

  private static let faults = Model.family(
    [
      .holds(
        "fault-until-mapped",
        "a fault that meets a locked entry returns to the guest, which faults again"),
      .broken(
        "fault-until-mapped-keeps-entry-locked",
        "the entry is locked before memory for the table is allocated, which may fail",
        omits: "unlocking the entry when memory has run out", violates: [ProgressOfCPUs.id]),
    ],
    scenario:
      "The table is empty and memory may run out. Two vCPUs touch the same page and a third its "
      + "neighbour in the same table, each again and again until the fault is handled or the guest "
      + "is told that memory has run out.",
    origin: Fault.origin,
    // How often a fault was taken before it ended is forgotten.
    mustHappen: ExpectedOutcome.each("touch 0x0", "done", "already", "outOfMemory")
      + ExpectedOutcome.each("touch 0x1", "done", "outOfMemory")
  ) { _ in
    let scenario = Scenario()
    scenario.mayRunOutOfMemory = true
    scenario.mayRepeat = true
    let table = Stage2Table(scenario)
    scenario.cpus(["vcpu 0", "vcpu 1"], touch(table, 0))
    scenario.cpu("vcpu 2", touch(table, 1))
    scenario.require(InvariantCatalogue.tables + [GracePeriodSafety()])
    scenario.vocabulary(
      "The table is empty and memory may run out.",
      symmetries: Fault.exchangesOfPages(operationsPerPage: 1), (0..<4).map { touch(table, $0) })
    return scenario
  }

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
