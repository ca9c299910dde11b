// The three steps of every flush, in one call.

import Gracewalk

extension VirtualCPU {
  /// Makes CPUs forget what they have cached of a table, like `flush_tlb_page` and its siblings:
  /// changes are published, entries are forgotten, and that is waited for.
  func flushTLB(_ invalidation: TLBInvalidation, of root: TablePage) throws {
    try dsb()
    try tlbi(invalidation, of: root)
    try dsb()
  }
}
