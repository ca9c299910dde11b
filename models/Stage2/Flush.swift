// How software makes hardware forget entries that it has changed.

import Gracewalk

/// What follows when valid entries were changed: the whole sequence, or one without some step.
public enum Flush: Sendable {
  /// No hardware walks the table: nothing to do.
  case none
  /// A barrier that publishes the change, an invalidation, a barrier that waits for it.
  case complete
  /// The change is published, and cached entries stay.
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
    if self == .none { return }
    try forget(cpu, range, of: root)
    // Others may map it again meanwhile, but nobody may have it cached as it was.
    try cpu.expectCurrent(root, range)
  }

  private func forget(_ cpu: VirtualCPU, _ range: Range<Int>, of root: TablePage) throws {
    if self != .beforePublication { try cpu.dsb() }
    switch self {
    case .none, .withoutTLBI: return
    case .complete, .beforePublication: try cpu.tlbi(all(range, cpu), of: root)
    case .local: try cpu.tlbi(all(range, cpu).local, of: root)
    case .lastLevelOnly: try cpu.tlbi(all(range, cpu).lastLevelOnly, of: root)
    case .firstAddressOnly: try cpu.tlbi(.address(range.lowerBound), of: root)
    }
    try cpu.dsb()
  }

  private func all(_ range: Range<Int>, _ cpu: VirtualCPU) -> TLBInvalidation {
    cpu.features.rangeInvalidation ? .range(range.lowerBound, count: range.count) : .all
  }
}

/// What a broken sibling leaves out: a part of the flush, another step, or neither.
struct Omitted<Step: Sendable>: Sendable {
  var flush = Flush.complete
  var step: Step?
}
