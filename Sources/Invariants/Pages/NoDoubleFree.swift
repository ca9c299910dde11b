// No double free.

import GracewalkMachine

/// A page is freed once for each time it is allocated, to where it came from.
public struct NoDoubleFree: EventInvariant {
  public init() {}

  public static let id = "no-double-free"
  public var id: String { Self.id }
  public let statement =
    "No table page is freed twice, or to an allocator other than its own."
  public let rationale =
    "Two CPUs that both believe they dropped the last reference return the same page to the "
    + "allocator twice, and it ends up in two tables."
  public let source = "The page allocator's contract; arch/arm64/kvm/hyp/pgtable.c, put_page."
  public let applicability = Applicability.wherever(.tables)
  public let treatsCPUsAlike = true

  public let watches: EventKinds = .freeOfFreedPage

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    guard let page = machine.page(event.page) else { return nil }
    if event.value > 0 {
      return Violation(
        "\(machine.name(ofCPU: event.cpu)) frees table page \(machine.name(ofPage: event.page)), "
          + "which belongs to a slab and is given back with free(page, to: slab)")
    }
    if machine.wasNeverAllocated(page) {
      return Violation(
        "\(machine.name(ofCPU: event.cpu)) frees through a wild pointer: page "
          + "\(machine.name(ofPage: event.page)) was never allocated")
    }
    return Violation(
      "\(machine.name(ofCPU: event.cpu)) frees table page \(machine.name(ofPage: event.page)) "
        + "which is not allocated",
      details: ["\(machine.name(ofPage: event.page)) was \(machine.origin(of: page))"])
  }
}
