// At no moment does the tree lead to a freed page, which hardware would walk into.

import GracewalkMachine

/// In every state, the tables reachable from the roots are allocated.
///
/// Hardware walks may start at any moment, so this invariant is about states, not about actions of
/// software. If hardware is modelled, its own invariants find the same bugs. So this one is for
/// models that free tables and model no hardware. Steps that write tables depend on each other
/// where it is required, so less is reduced.
public struct NoFreedPageReachable: StateInvariant {
  public init() {}

  public static let id = "no-freed-page-reachable"
  public var id: String { Self.id }
  public let statement = "At no moment does an entry in the tree point to a freed table page."
  public let rationale =
    "The MMU may walk speculatively at any moment: between the free and the unlinking it walks "
    + "into a page that has another owner."
  public let source = "Arm ARM, VMSAv8-64: translation table walks may be made speculatively."
  public let applicability = Applicability.chosen(
    "it stands in for hardware in models that free tables and model no MMU; less is reduced where "
      + "it is required")
  public let treatsCPUsAlike = true
  public var scope: StateScope { .tables }

  public func judgeState(of machine: Machine) -> Violation? {
    let tables = machine.reachableTables
    guard let freed = tables.first(where: { !$0.isAllocated }) else { return nil }
    let parents = tables.flatMap { view in
      view.entries.enumerated().compactMap { index, entry in
        entry.tableID == freed.page.id ? "\(view.name)[\(index)]" : nil
      }
    }
    return Violation(
      "\(parents.joined(separator: " and ")) leads to table page \(freed.name), which is freed")
  }
}
