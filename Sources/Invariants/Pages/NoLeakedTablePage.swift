// No leaked table page: the invariant the parallel collapse of KVM/arm64 was reviewed for.

import GracewalkMachine

/// At the end, every allocated table page is in the tree.
///
/// A page that is free in its slab is not allocated, and pages that are not tables need not be in
/// the tree.
public struct NoLeakedTablePage: QuiescenceInvariant {
  public init() {}

  public static let id = "no-leaked-table-page"
  public var id: String { Self.id }
  public let statement =
    "When all CPUs and callbacks are done, every table page that is allocated can be reached "
    + "from a root."
  public let rationale =
    "An unreachable page is never freed: the host silently loses memory with every collapse that "
    + "races with a fault."
  public let source =
    "Oliver Upton, linux-arm-kernel, 2022-04-21, on RFC PATCH 09/17: what stops a walker from "
    + "installing a table below an entry that the collapse has already visited?"
  public let applicability = Applicability.wherever(.tables)
  public let treatsCPUsAlike = true

  public func judgeEnd(of machine: Machine) -> Violation? {
    let reachable = Set(machine.reachableTables.map(\.page))
    let all = machine.pages.filter { view in
      view.isAllocated && !reachable.contains(view.page) && !machine.isFreeInSlab(view.page)
        && !machine.isObject(view.page)
    }
    // Pages that a CPU allocated come first: their names are more informative.
    let isNew = { (view: PageView) in machine.allocation(of: view.page) != nil }
    let leaked = all.filter(isNew) + all.filter { !isNew($0) }
    guard let first = leaked.first else { return nil }
    let parents = machine.pages.flatMap { view in
      view.entries.enumerated().compactMap { index, entry in
        entry.tableID == first.page.id
          ? "\(view.name)[\(index)] points to it; \(view.name) is "
            + (view.isAllocated ? "itself unreachable" : "freed") : nil
      }
    }
    let holders = [
      "\(first.name) is held by \(first.references) "
        + (first.references == 1 ? "reference" : "references")
    ]
    let others = leaked.dropFirst().map {
      "also leaked: \($0.name), \(machine.origin(of: $0.page))"
    }
    return Violation(
      "table page \(first.name), \(machine.origin(of: first.page)), is leaked: still allocated, "
        + "and no root leads to it",
      details: parents + holders + others)
  }
}
