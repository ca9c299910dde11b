// Pages kept in a pool: each is either in use or in the pool.

import GracewalkMachine

/// Every table page is in the tree or in the pool, exactly once.
///
/// It replaces `NoLeakedTablePage` in models that keep unused pages: a page in the pool is
/// allocated and unreachable, and rightly so.
public struct PagesAccountedFor: QuiescenceInvariant {
  private let pool: [Location]

  /// - Parameter pool: words that each hold a table descriptor while a page is in that place.
  public init(pool: [Location]) { self.pool = pool }

  public init<Value>(pool: [Word<Value>]) { self.init(pool: pool.map { Location($0) }) }

  public static let id = "pages-accounted-for"
  public var id: String { Self.id }
  public let statement =
    "At the end, every allocated table page is in the tree or in the pool, exactly once, and no "
    + "reference to a page in the pool is held."
  public let rationale =
    "A page in neither is lost for good; a page in both is handed out while it is in use, and ends "
    + "up in two places of the tree."
  public let source =
    "Documentation/RCU/rculist_nulls.rst (Linux): objects that may be reused while a reader holds "
    + "them, and why their reference count is tested before it is incremented."
  public let applicability = Applicability.chosen("only the model knows which words are its pool")
  public let treatsCPUsAlike = true

  public func judgeEnd(of machine: Machine) -> Violation? {
    let tables = machine.reachableTables
    let roots = Set(machine.roots)
    for view in machine.pages where view.isAllocated && !roots.contains(view.page) {
      let parents = tables.flatMap { table in
        table.entries.enumerated().compactMap { index, entry in
          entry.tableID == view.page.id ? "\(table.name)[\(index)]" : nil
        }
      }
      let places = pool.indices.filter {
        Descriptor(bits: machine.value(of: pool[$0])).tableID == view.page.id
      }
      let found = parents + places.map { "place \($0) of the pool" }
      let page = "table page \(view.name), \(machine.origin(of: view.page)),"
      guard let first = found.first else {
        return Violation(
          "\(page) is lost: neither in the tree nor in the pool",
          details: ["its reference count is \(view.references)"])
      }
      if found.count > 1 {
        return Violation("\(page) is in several places: \(found.joined(separator: ", "))")
      }
      if parents.isEmpty && view.references != 0 {
        return Violation("\(page) is held by \(view.references) and waits in \(first)")
      }
    }
    return nil
  }
}
