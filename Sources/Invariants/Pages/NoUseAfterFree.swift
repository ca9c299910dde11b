// No use after free: a page is not freed while a CPU may still use it.

import GracewalkMachine

/// No word of a table page is accessed after the page was freed.
///
/// Walks may begin at a root at any moment, so freeing a root counts as a use after free. The
/// exception is a root that belongs to a context (`Scenario.context`) which is released: it may be
/// freed before or after the release, and a later walk is found as for any page.
public struct NoUseAfterFree: EventInvariant, QuiescenceInvariant {
  public init() {}

  public static let id = "no-use-after-free"
  public var id: String { Self.id }
  public let statement =
    "No CPU reads or writes a table page that has been freed, and no root is freed except with the "
    + "context it belongs to."
  public let rationale =
    "A freed page has another owner: a walk that continues in it reads other data as entries, and "
    + "an install writes into that owner's memory."
  public let source =
    "Quentin Perret and Oliver Upton, linux-arm-kernel, 2022-04-21: freeing an unlinked table "
    + "under the feet of walkers is what RCU is there to prevent."
  public let kind = InvariantKind.event
  public let applicability = Applicability.wherever(.tables)
  public let treatsCPUsAlike = true

  public let watches: EventKinds = [.accessAfterFree, .rootFreed]

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    guard let page = machine.page(event.page) else { return nil }
    let cpu = machine.name(ofCPU: event.cpu)
    if event.kind == .rootFreed {
      return Violation(
        "\(cpu) frees root table \(machine.name(ofPage: event.page)), where walks begin",
        details: [
          "a root may be freed only with its context, and the scenario has no context to release"
        ])
    }
    if machine.wasNeverAllocated(page) {
      return Violation(
        "\(cpu) uses \(machine.name(ofCell: event.cell)) through a wild pointer: page "
          + "\(machine.name(ofPage: event.page)) was never allocated")
    }
    return Violation(
      "\(cpu) uses \(machine.name(ofCell: event.cell)) after table "
        + "page \(machine.name(ofPage: event.page)) was freed",
      details: ["\(machine.name(ofPage: event.page)) was \(machine.origin(of: page))"])
  }

  public func judgeEnd(of machine: Machine) -> Violation? {
    guard let root = machine.rootsFreedInUse.first else { return nil }
    return Violation(
      "root table \(machine.name(ofPage: root.id)), where walks begin, is freed, but no context "
        + "that could own it was released")
  }
}
