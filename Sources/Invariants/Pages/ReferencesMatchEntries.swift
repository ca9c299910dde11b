// Reference counts: one for the page itself and one per entry in use.

import GracewalkMachine

/// A table page's reference count is one more than the number of its entries in use.
public struct ReferencesMatchEntries: QuiescenceInvariant {
  public init() {}

  public static let id = "references-match-entries"
  public var id: String { Self.id }
  public let statement =
    "At the end, the reference count of every table in the tree is one more than its number of "
    + "entries in use: valid ones and, in KVM's stage 2, invalid ones that name an owner."
  public let rationale =
    "Teardown frees a page when its count drops to zero: a count too high leaks the page, a count "
    + "too low frees it while entries are in use."
  public let source =
    "arch/arm64/kvm/hyp/pgtable.c (Linux 6.2): stage2_pte_is_counted, get_page in "
    + "stage2_make_pte, put_page in stage2_try_break_pte, and the page_count warning in "
    + "kvm_pgtable_stage2_free_removed."
  public let applicability = Applicability.wherever([.tables, .references])
  public let treatsCPUsAlike = true

  public func judgeEnd(of machine: Machine) -> Violation? {
    for view in machine.reachableTables where view.isAllocated {
      let used = view.entries.count { machine.format.isCounted($0) }
      guard view.references != used + 1 else { continue }
      return Violation(
        "table page \(view.name), \(machine.origin(of: view.page)), has reference count "
          + "\(view.references) with \(used) entries in use; expected \(used + 1)")
    }
    return nil
  }
}
