// No use after free: whoever may still hold a page keeps it from being freed.

import Machine

/// No word of a table page is accessed after the page was freed.
public struct NoUseAfterFree: EventInvariant {
  public init() {}

  public let id = "no-use-after-free"
  public let statement = "No CPU reads or writes a table page that has been freed."
  public let rationale =
    "A freed page belongs to somebody else: a walk that goes on in it reads entries that are no "
    + "entries, and an install writes into memory of another owner."
  public let source =
    "Quentin Perret and Oliver Upton, linux-arm-kernel, 2022-04-21: freeing an unlinked table "
    + "under the feet of walkers is what RCU is there to prevent."
  public let applicability = Applicability.wherever(.tables)
  public let treatsCPUsAlike = true

  public let watches: EventKinds = .accessAfterFree

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    guard let page = machine.page(event.page) else { return nil }
    return Violation(
      "\(machine.name(ofCPU: event.cpu)) uses \(machine.name(ofCell: event.cell)) after table "
        + "page \(machine.name(ofPage: event.page)) was freed",
      details: ["\(machine.name(ofPage: event.page)) was \(machine.origin(of: page))"])
  }
}
