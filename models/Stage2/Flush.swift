// How software makes hardware forget entries that it has changed.

import Gracewalk

/// What follows when valid entries were changed: the whole sequence, or one without some step.
enum Flush: Sendable {
  /// A barrier that publishes the change, an invalidation, a barrier that waits for it.
  case complete
  case withoutTLBI
  /// The invalidation comes before the change is published.
  case beforePublication
  /// Only the CPU that has made the change forgets.
  case local
  /// Leaves are forgotten, pointers to tables are not.
  case lastLevelOnly
  /// Only what translates the first address of the range is forgotten.
  case firstAddressOnly

  /// Makes all CPUs forget what translates a range of addresses.
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
    // Others may map it again meanwhile, but nobody may have it cached as it was.
    try cpu.expectCurrent(root, range)
  }
}
