// No page is reused while hardware still refers to its old use.

import GracewalkMachine

/// Table pages and data frames change hands only when no CPU can reach them any more.
public struct NoReuseWhileCached: EventInvariant {
  public init() {}

  public static let id = "no-reuse-while-cached"
  public var id: String { Self.id }
  public let statement =
    "No table page is freed, given back to its slab, or linked below another root while a walk "
    + "cache or a walk in flight points to it, and no data frame gets another owner while a TLB "
    + "leads its old owner's guests to it."
  public let rationale =
    "Otherwise hardware would walk the next owner's data as if it were a table, or the old owner's "
    + "guest would read and write it."
  public let source =
    "mm/mmu_gather.c (Linux 6.2): pages are freed after the flush; Arm ARM (DDI 0487), D8.16."
  public let applicability = Applicability.wherever(.hardware)

  public let watches: EventKinds = [
    .pageFreedWhileCached, .pageLinkedWhileCached, .frameGivenWhileCached,
  ]

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    let who = "\(machine.names(ofCPUs: event.value)) still \(machine.has(event.value))"
    let details = machine.reasonForCaching(in: event).map { [$0] } ?? []
    if event.kind == .pageFreedWhileCached {
      return Violation(
        "\(machine.name(ofCPU: event.cpu)) frees table page \(machine.name(ofPage: event.page)) "
          + "while \(who) a pointer to it cached", details: details)
    }
    if event.kind == .pageLinkedWhileCached {
      return Violation(
        "\(machine.name(ofCPU: event.cpu)) links table page \(machine.name(ofPage: event.page)) "
          + "below another root, in \(machine.name(ofCell: event.cell)), while \(who) a pointer to "
          + "it cached", details: details)
    }
    return Violation(
      "\(machine.name(ofCPU: event.cpu)) gives \(machine.frameName(ofCell: event.cell)) away while "
        + "\(who) a translation to it cached", details: details)
  }
}
