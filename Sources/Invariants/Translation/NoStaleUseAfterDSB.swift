// No stale use: a translation may be stale until code relies on its being gone.

import GracewalkMachine

/// No code relies on a translation being gone that hardware could still use.
///
/// A translation may be stale as long as no code relies on its being gone: an invalidation that was
/// too early, too narrow or for one CPU only does no harm if the right one follows in time. Code
/// relies on it where it claims so (`expectUntranslated`, `expectReadOnly`, `expectCurrent`). A CPU
/// also relies on it after it was told: it waited for, or acquired, a word written after the change
/// of the entry. Other invariants judge the reuse of pages and frames.
public struct NoStaleUseAfterDSB: EventInvariant {
  public init() {}

  public static let id = "no-stale-use-after-dsb"
  public var id: String { Self.id }
  public let statement =
    "Where code relies on a translation or a permission being gone, neither the table nor anything "
    + "a CPU has cached of it, nor a walk in flight, leads there; and no guest uses what its CPU "
    + "was told is gone, by a word that was written after the entry was changed."
  public let rationale =
    "Code that relies on it gives the page away, copies it, or assumes that it does not change. A "
    + "stale translation is harmless until then: a flush may be late, or come in parts."
  public let source =
    "Arm ARM (DDI 0487), D8.16 \"TLB maintenance\": scope, level hints, last-level forms, and the "
    + "completion by a DSB; arch/x86/mm/tlb.c (Linux 6.2), flush_tlb_mm_range: first this CPU, "
    + "then the others; mm/rmap.c, try_to_unmap_flush: flushes put off until somebody needs them."
  public let applicability = Applicability.wherever(.hardware)

  public let watches: EventKinds = [.claimBroken, .staleUse]

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    if event.kind == .claimBroken { return machine.explanation(ofBrokenClaim: event) }
    let cpu = machine.name(ofCPU: event.cpu)
    return Violation(
      "\(cpu) uses what it has cached of \(machine.name(ofCell: event.cell)), though it was told "
        + "that this is gone",
      details: [
        "whoever took it away did not wait until every CPU had forgotten it before writing the "
          + "word that \(cpu) went by"
      ])
  }
}
