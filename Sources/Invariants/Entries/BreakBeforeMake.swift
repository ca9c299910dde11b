// Break-before-make: no entry changes its translation while hardware may still use the old one.

import GracewalkMachine

/// An entry that hardware has cached is invalidated, and flushed, before another takes its place.
public struct BreakBeforeMake: EventInvariant {
  public init() {}

  public static let id = "break-before-make"
  public var id: String { Self.id }
  public let statement =
    "No entry is made valid while a CPU still has it cached with another output address, type or "
    + "size (unless FEAT_BBM allows the change of size)."
  public let rationale =
    "Otherwise a CPU may use the old and the new translation in turn, or both at once: accesses "
    + "lose their order and their coherence, and the TLB may report a conflict."
  public let source =
    "Arm ARM (DDI 0487), D8.17 \"Using break-before-make when updating translation table "
    + "entries\"; arch/arm64/kvm/hyp/pgtable.c (Linux 6.2), stage2_try_break_pte."
  public let applicability = Applicability.wherever(.hardware)

  public let watches: EventKinds = .changedWhileCached

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    Violation(
      "\(machine.name(ofCPU: event.cpu)) makes \(machine.name(ofCell: event.cell)) valid while "
        + "\(machine.names(ofCPUs: event.value)) still \(machine.has(event.value)) the old entry "
        + "cached")
  }
}
