// How software invalidates cached copies of entries that it has changed.

import Gracewalk

/// The flush after valid entries were changed: the complete sequence, or one without some step.
enum Flush: Sendable {
  /// A barrier that publishes the change, an invalidation, a barrier that waits for it.
  case complete
  case withoutTLBI
  /// The invalidation comes before the change is published.
  case beforePublication
  /// The invalidation affects only the CPU that made the change.
  case local
  /// Leaves are invalidated, pointers to tables are not.
  case lastLevelOnly
  /// Only entries that translate the first address of the range are invalidated.
  case firstAddressOnly

  /// Invalidates, on all CPUs, the entries that translate a range of addresses.
  ///
  /// Without FEAT_TLBIRANGE that takes an invalidation of the whole table, as for KVM before
  /// Linux 6.6.
  func perform(_ cpu: VirtualCPU, _ range: Range<Int>, of root: TablePage) throws {
    if self != .beforePublication { try cpu.dsb() }
    if self != .withoutTLBI {
      let all: TLBInvalidation =
        cpu.features.rangeInvalidation ? .range(range.lowerBound, count: range.count) : .all
      switch self {
      case .local: try cpu.tlbi(all.local, of: root)
      case .lastLevelOnly: try cpu.tlbi(all.lastLevelOnly, of: root)
      case .firstAddressOnly: try cpu.tlbi(.address(range.lowerBound), of: root)
      default: try cpu.tlbi(all, of: root)
      }
      try cpu.dsb()
    }
    // Others may map it again meanwhile, but no unit may have the old entries cached.
    try cpu.expectCurrent(root, range)
  }
}
