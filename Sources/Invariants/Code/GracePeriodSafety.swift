// Grace-period safety: correct use of RCU, or of masked interrupts in its place.

import GracewalkMachine

/// Pages are freed only after the readers that may hold them have left, and sections are
/// well-formed.
///
/// A section or a mask may last from one operation of a CPU to the next, but not beyond the last,
/// nor beyond the end of the callback that entered it.
public struct GracePeriodSafety: EventInvariant, QuiescenceInvariant, MachineRequirements {
  public init() {}

  public static let id = "grace-period-safety"
  public var id: String { Self.id }
  public let statement =
    "A table page is freed only after every read-side section that was open when it was unlinked "
    + "has ended, and every CPU that had interrupts masked then has unmasked them. No CPU waits "
    + "for a grace period inside a section, in a callback or with a spin lock held, leaves a "
    + "section that it is not in, ends inside a section, or dereferences a protected entry outside "
    + "of both."
  public let rationale =
    "A reader that entered before the unlinking may hold the page. If it does not touch the page "
    + "in this execution, that is luck."
  public let source =
    "Documentation/RCU/whatisRCU.rst and checklist.rst (Linux); Ricardo Koller and Oliver Upton, "
    + "linux-arm-kernel, 2022-11-15, on PATCH v5 08/14."
  public let kind = InvariantKind.event
  public let applicability = Applicability.wherever(.gracePeriods)
  public let treatsCPUsAlike = true
  public let judgesDeadlocks = true

  public let watches: EventKinds = [
    .freedInGracePeriod, .blockedInSection, .leftNoSection, .dereferencedOutside,
    .freedWhileMasked, .sentWhileMasked, .unmaskedUnmasked, .blockedWhileMasked,
    .blockedUnderLock, .endedInSection, .endedMasked,
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
          + "does so, too, neither continues")
    case .unmaskedUnmasked:
      return Violation("\(cpu) unmasks interrupts that are not masked")
    case .blockedInSection where event.value == 1:
      return Violation(
        "\(cpu) waits for a grace period in a callback, which must not sleep: no callback behind "
          + "it can run meanwhile")
    case .blockedInSection:
      return Violation("\(cpu) waits for a grace period inside its own read-side section")
    case .blockedWhileMasked:
      return Violation("\(cpu) waits for a grace period while its own interrupts are masked")
    case .blockedUnderLock:
      return Violation(
        "\(cpu) waits for a grace period while it holds the spin lock "
          + machine.name(ofCell: event.cell))
    case .endedInSection:
      return Violation("a callback of \(cpu) ends inside a read-side section")
    case .endedMasked:
      return Violation("a callback of \(cpu) ends with masked interrupts")
    case .leftNoSection:
      return Violation("\(cpu) leaves a read-side section without being in one")
    default:
      return Violation(
        "\(cpu) dereferences \(machine.name(ofCell: event.cell)) outside of any read-side section "
          + "and with interrupts unmasked")
    }
  }

  public func judgeEnd(of machine: Machine) -> Violation? {
    let left = machine.openSections.filter { machine.hasEnded($0.cpu) }
    guard let first = left.first else { return nil }
    return Violation(
      Self.text(first, machine), details: left.dropFirst().map { Self.text($0, machine) })
  }

  private static func text(_ section: OpenSection, _ machine: Machine) -> String {
    let cpu = machine.name(ofCPU: section.cpu)
    return section.isMask
      ? "\(cpu) has ended, and its interrupts are masked\(section.since)"
      : "\(cpu) has ended, and is still in a read-side section\(section.since)"
  }
}
