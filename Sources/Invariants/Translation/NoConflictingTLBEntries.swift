// No conflicting TLB entries: an address has one translation at a time.

import GracewalkMachine

/// No CPU has two cached entries that translate one address differently.
public struct NoConflictingTLBEntries: EventInvariant {
  public init() {}

  public static let id = "no-conflicting-tlb-entries"
  public var id: String { Self.id }
  public let statement =
    "No CPU caches an entry while it holds another one that translates one of the same addresses "
    + "with a different size or output address."
  public let rationale =
    "A lookup that hits both may use either, mix them, or end in a TLB conflict abort."
  public let source = "Arm ARM (DDI 0487), D8.17, \"TLB conflict aborts\"."
  public let applicability = Applicability.wherever(.hardware)

  public let watches: EventKinds = .conflictingEntries

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    let address = "0x" + String(event.value, radix: 16)
    return Violation(
      "\(machine.name(ofCPU: event.cpu)) caches \(machine.name(ofCell: event.cell)) while another "
        + "entry it holds translates \(address) differently")
  }
}
