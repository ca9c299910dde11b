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
    "When code relies on a translation or a permission being gone, neither the table, nor an entry "
    + "that a CPU has cached, nor a walk in flight still provides it. And no guest uses a "
    + "translation after its CPU was told, by a word written after the change of the entry, that "
    + "it is gone."
  public let rationale =
    "Code that relies on it gives the page away, copies it, or assumes that it no longer changes. "
    + "Before that, a stale translation is harmless: a flush may be late, or reach CPUs one by one."
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
      "\(cpu) uses a cached copy of \(machine.name(ofCell: event.cell)), although it was told that "
        + "the translation is gone",
      details: [
        "the CPU that removed it did not wait for every CPU to invalidate it before writing the "
          + "word that \(cpu) read"
      ])
  }
}
