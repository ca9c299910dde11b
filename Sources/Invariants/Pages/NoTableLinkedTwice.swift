// No table linked twice: the tables form a tree.

import GracewalkMachine

/// At most one entry points to a table page.
///
/// The machine counts links per page and treats the count as an object. So two steps that link the
/// same page are dependent, and the invariant can be judged from the steps alone.
public struct NoTableLinkedTwice: EventInvariant {
  public init() {}

  public static let id = "no-table-linked-twice"
  public var id: String { Self.id }
  public let statement = "At no time do two entries point to the same table page."
  public let rationale =
    "A page reachable by two paths is freed when the first is torn down, and used through the "
    + "second."
  public let source =
    "Arm ARM, VMSAv8-64 translation: software owns the tree structure; KVM frees tables by "
    + "walking it once."
  public let applicability = Applicability.wherever(.tables)
  public let treatsCPUsAlike = true

  public let watches: EventKinds = .linkedAgain

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    guard let page = machine.page(event.page) else { return nil }
    let parents = machine.pages.filter(\.isAllocated).flatMap { view in
      view.entries.enumerated().compactMap { index, entry in
        entry.tableID == event.page ? "\(view.name)[\(index)]" : nil
      }
    }
    return Violation(
      "\(machine.name(ofCPU: event.cpu)) links table page \(machine.name(ofPage: event.page)) a "
        + "second time, in \(machine.name(ofCell: event.cell))",
      details: [
        "entries that point to it: \(parents.joined(separator: ", "))",
        "\(machine.name(ofPage: event.page)) was \(machine.origin(of: page))",
      ])
  }
}
