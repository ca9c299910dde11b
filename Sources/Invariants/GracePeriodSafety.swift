// Grace-period safety: RCU, or masked interrupts in its place, used as they must be.

import Machine

/// Pages are freed only after the readers that may hold them have left, and sections are sound.
public struct GracePeriodSafety: EventInvariant, MachineRequirements {
  public init() {}

  public let id = "grace-period-safety"
  public let statement =
    "A table page is freed only when every read-side section that was open when it was unlinked "
    + "has been left, and every CPU that had interrupts masked then has unmasked them; nobody "
    + "waits for the others inside, leaves what it is not in, or dereferences a protected entry "
    + "outside of both."
  public let rationale =
    "A reader that entered before the unlinking may hold the page. That it does not touch it in "
    + "this execution is luck."
  public let source =
    "Documentation/RCU/whatisRCU.rst (Linux); Ricardo Koller and Oliver Upton, "
    + "linux-arm-kernel, 2022-11-15, on PATCH v5 08/14."
  public let applicability = Applicability.wherever(.gracePeriods)
  public let treatsCPUsAlike = true

  public let watches: EventKinds = [
    .freedInGracePeriod, .blockedInSection, .leftNoSection, .dereferencedOutside,
    .freedWhileMasked, .sentWhileMasked, .unmaskedUnmasked,
  ]
  public let requirements: Machine.Requirements = .readersAtUnlink

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    let cpu = machine.name(ofCPU: event.cpu)
    switch event.kind {
    case .freedInGracePeriod, .freedWhileMasked:
      let inside =
        event.kind == .freedWhileMasked ? "with masked interrupts" : "in a read-side section"
      return Violation(
        "\(cpu) frees table page \(machine.name(ofPage: event.page)) while "
          + "\(machine.names(ofCPUs: event.value)) may still hold it: \(inside) "
          + "since before the page was unlinked")
    case .sentWhileMasked:
      return Violation(
        "\(cpu) waits for interrupts to be taken while its own are masked: if one of the others "
          + "does so, too, neither goes on")
    case .unmaskedUnmasked:
      return Violation("\(cpu) unmasks interrupts that are not masked")
    case .blockedInSection:
      return Violation("\(cpu) waits for a grace period inside its own read-side section")
    case .leftNoSection:
      return Violation("\(cpu) leaves a read-side section without being in one")
    default:
      return Violation(
        "\(cpu) dereferences \(machine.name(ofCell: event.cell)) outside of any read-side section "
          + "and with interrupts unmasked")
    }
  }
}
