// No stale use after the completing DSB: an invalidation that was waited for has worked.

import Machine

/// A guest uses no translation that an invalidation should have removed.
public struct NoStaleUse: EventInvariant {
  public init() {}

  public let id = "no-stale-use-after-dsb"
  public let statement =
    "After the DSB that completes an invalidation, no guest access uses what the invalidation was "
    + "meant for: neither a translation that is gone, nor a permission that was taken back."
  public let rationale =
    "Whoever waits for the DSB relies on it: the page is given away, or taken to be unchanged."
  public let source =
    "Arm ARM (DDI 0487), D8.16 \"TLB maintenance\": scope, level hints, last-level forms, and the "
    + "completion by a DSB; arch/arm64/kvm/hyp/vhe/tlb.c (Linux 6.2)."
  public let applicability = Applicability.wherever(.hardware)

  public let watches: EventKinds = .staleUse

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    let reason: String
    switch Survival(rawValue: event.value) {
    case .wrongLevel: reason = "its level hint names a level at which the entry is not"
    case .lastLevelOnly: reason = "it was for leaves only, and a pointer to a table was cached"
    case .unpublished: reason = "it was issued before the DSB that publishes the change"
    case .local: reason = "it was for the issuing CPU only"
    case nil: reason = "for no known reason"
    }
    return Violation(
      "\(machine.name(ofCPU: event.cpu)) uses what it has cached of "
        + "\(machine.name(ofCell: event.cell)) after the invalidation of that entry is complete",
      details: ["the invalidation did not remove it: \(reason)"])
  }
}
