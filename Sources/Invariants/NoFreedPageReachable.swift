// The tree never leads to a freed page, at any moment: what hardware would walk into.

import Machine

/// In every state, the tables reachable from the roots are allocated.
///
/// Hardware walks may start at any moment, so this is about states, not about what software
/// does; no reduction that skips states is sound for it.
public struct NoFreedPageReachable: StateInvariant {
  public init() {}

  public let id = "no-freed-page-reachable"
  public let statement = "At no moment does an entry in the tree point to a freed table page."
  public let rationale =
    "The MMU walks at any moment and without asking: between the free and the unlinking it walks "
    + "into a page that belongs to somebody else."
  public let source = "Arm ARM, VMSAv8-64: translation table walks may be made speculatively."
  public let treatsCPUsAlike = true

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
