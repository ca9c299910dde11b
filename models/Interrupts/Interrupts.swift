// A table is collapsed where there is no RCU: walkers mask interrupts, the collapser sends them.

import Gracewalk

/// Masked interrupts and inter-processor interrupts as a hypervisor's grace period.
public enum Interrupts {
  public static let system = ModelSystem("interrupts", "Interrupts for a grace period", models)

  private static let fails = [NoLeakedTablePage.id, NoUseAfterFree.id, GracePeriodSafety.id]

  public static let models = Model.family(
    [
      .holds(
        "ipi-before-free",
        "the unlinked subtree is freed when every other CPU has taken an interrupt",
        // More is out of reach under Armv8.
        instancesUnder: [.armv8: [["levels": 2, "collapsers": 1]]]),
      .broken(
        "ipi-before-free-without-masking", "walkers leave their interrupts enabled",
        omits: "masking interrupts on the way through the table", violates: fails),
      .broken(
        "ipi-before-free-without-waiting", "the unlinked subtree is freed at once",
        omits: "interrupting the others before freeing", violates: fails),
      .broken(
        "ipi-before-free-masked-sender",
        "who unlinks a subtree unmasks its own interrupts only when it has freed it",
        omits: "unmasking interrupts before waiting for the others",
        violates: [ProgressOfCPUs.id, GracePeriodSafety.id]),
      .broken(
        "ipi-before-unlinking",
        "the others are interrupted first, and the subtree is unlinked then",
        omits: "unlinking before interrupting the others", violates: fails),
    ],
    scenario:
      "Both root entries lead to tables. One collapser replaces the first by a block, another the "
      + "second, and the mapper faults in a page below the first.",
    origin: Origin(
      author: "Ricardo Koller, quoting Oliver Upton", list: "linux-arm-kernel", date: "2022-11-15",
      subject: "Re: [PATCH v5 08/14] KVM: arm64: Protect stage-2 traversal with RCU",
      question:
        "Hypervisor code has no RCU. Is it enough if walkers disable interrupts, and who frees a "
        + "removed table sends an interrupt to everybody and waits first?",
      about: [.noMask, .noInterrupt]),
    parameters: [
      Parameter("levels", "levels of the table", 2...3, standard: 2),
      Parameter("collapsers", "CPUs that replace a table by a block", 1...2, standard: 2),
    ],
    mustHappen: ExpectedOutcome.each("map 0x0", "done", "already", "retry")
      + ExpectedOutcome.each("collapse 0x0", "done")
      + (2...3).flatMap { levels in
        ExpectedOutcome.each("collapse 0x\(1 << (levels - 1))", "done") { values, _ in
          values["levels"] == levels && values["collapsers"] == 2
        }
      },
    instances: [["levels": 2], ["levels": 3]]
  ) { values in
    let scenario = Scenario(geometry: Geometry(levels: values["levels"], entries: 2))
    let table = Stage2Table(scenario, .init(order: .interruptOthers, walkers: .maskInterrupts))
    // The first page of the second half of the first root entry's range, and of the other's.
    let mapped = table.geometry.span(ofEntryAt: 1)
    let other = table.geometry.span(ofEntryAt: 0)
    scenario.boot { cpu in
      for address in [mapped, other] { _ = try table.map(cpu, address) }
    }
    scenario.cpu("collapser", table.operation(.collapse, 0))
    scenario.cpu("mapper", table.operation(.map, 0))
    // Two senders, since a single one with masked interrupts delays only itself.
    if values["collapsers"] == 2 {
      scenario.cpu("other collapser", table.operation(.collapse, other))
    }
    scenario.require(InvariantCatalogue.tables + [GracePeriodSafety()])
    scenario.require(
      OperationsLinearise(toMap: scenario.geometry, mapped: [mapped, other]))
    return scenario
  }
}
