// No table page outlives its VM: its pages are freed before it is released.

import GracewalkMachine

/// When a context that owns table pages is released, all of them have been freed.
public struct NoPageOutlivesVM: EventInvariant {
  public init() {}

  public static let id = "no-page-outlives-vm"
  public var id: String { Self.id }
  public let statement = "When a VM is released, all its table pages have been freed."
  public let rationale =
    "Pages are charged to the owner of the VM: a page freed later is charged to an owner that no "
    + "longer exists, and a module that is unloaded by then takes the callback's code with it."
  public let source =
    "David Matlack, linux list, 2022-09-07, on PATCH 09/14 (free removed stage-2 tables in an RCU "
    + "callback), whose text names this as the aim of the barrier."
  public let applicability = Applicability.wherever(.ownedPages)
  public let treatsCPUsAlike = true

  public let watches: EventKinds = .outlivesContext

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    guard let page = machine.page(event.page) else { return nil }
    return Violation(
      "\(machine.name(ofCPU: event.cpu)) releases \(machine.name(ofCell: event.cell)) while table "
        + "page \(machine.name(ofPage: event.page)) is still allocated",
      details: ["\(machine.name(ofPage: event.page)) was \(machine.origin(of: page))"])
  }
}
