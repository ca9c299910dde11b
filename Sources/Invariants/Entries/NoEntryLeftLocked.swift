// No entry left locked: code that breaks an entry makes it valid again.

import GracewalkMachine

/// At the end, no entry in the tree is locked.
public struct NoEntryLeftLocked: QuiescenceInvariant {
  public init() {}

  public static let id = "no-entry-left-locked"
  public var id: String { Self.id }
  public let statement = "At the end, no entry of a table in the tree is locked."
  public let rationale =
    "Code that finds a locked entry gives up and retries later: an entry that stays locked makes "
    + "its faults repeat forever."
  public let source =
    "arch/arm64/kvm/hyp/pgtable.c (Linux 6.2): stage2_try_break_pte locks, stage2_make_pte "
    + "unlocks."
  public let applicability = Applicability.wherever(.entryLocks)
  public let treatsCPUsAlike = true

  public func judgeEnd(of machine: Machine) -> Violation? {
    for view in machine.reachableTables where view.isAllocated {
      guard let index = view.entries.firstIndex(where: machine.format.isLocked) else { continue }
      return Violation("entry \(view.name)[\(index)] is still locked at the end")
    }
    return nil
  }
}
