// The layout of the machine's state in its array of words.

import GracewalkSupport

/// Cell numbers.
///
/// A cell is also the object that footprints name.
///
/// Regions: named words and locks; table pages; per-CPU words; callbacks; barrier targets; masked
/// interrupts; memory management units. Cell 0 is never used.
struct Layout {
  static let cpuStride: UInt32 = 8
  static let callbackStride: UInt32 = 4

  // A table page: header, then entries.
  static let pageHeader: UInt32 = 9
  /// 0 never allocated; odd while allocated, even once freed.
  static let lifetimeOffset: UInt32 = 0
  static let referencesOffset: UInt32 = 1
  /// Entries, anywhere, that point to the page.
  static let linksOffset: UInt32 = 2
  /// The CPUs in `readersAtUnlinkOffset` whose section at that time is still open.
  static let readersOffset: UInt32 = 3
  /// One more than the number of the operation that allocated it.
  static let allocatedInOffset: UInt32 = 4
  static let privateOffset: UInt32 = 5
  /// The publication word: 0 until another CPU can reach the page; then 1, or 2 plus the level at
  /// which it is linked.
  ///
  /// Invariant: the level never changes afterwards, so a later write to an entry need not know
  /// where the table is now. Only the owner of a page publishes it, and others can reach it only
  /// after that, so the level is a function of objects in their footprints.
  static let publishedOffset: UInt32 = 6
  /// Its value for a page that is reachable, but not through an entry of a table with a level.
  static let publishedWithoutLevel: UInt64 = 1
  static func published(atLevel level: Int) -> UInt64 { UInt64(level) + 2 }
  /// The level in that word, if it is valid for the geometry.
  func level(published: UInt64) -> Int? {
    guard published >= Layout.published(atLevel: 0) else { return nil }
    let level = Int(published - Layout.published(atLevel: 0))
    return level < geometry.levels ? level : nil
  }
  /// CPUs that were in a read-side section when the page was unlinked.
  static let readersAtUnlinkOffset: UInt32 = 7
  /// The page's own lock.
  static let lockOffset: UInt32 = 8

  let cpuCount: Int
  /// The layout of named words and table pages.
  ///
  /// They come first, so that their cells do not depend on the number of CPUs.
  let space: AddressSpace
  let callbacksPerCPU: Int
  /// The layout of memory management units.
  private(set) var hardware: HardwareLayout
  /// The number of CPUs with a store buffer, which are the first ones.
  let bufferedCPUs: Int
  /// Where store buffers begin.
  private var pendingBase: UInt32 = 0
  /// The name of the present order of stores, under Armv8.
  private(set) var orderName: UInt32 = 0

  init(
    cpuCount: Int, space: AddressSpace, unitCount: Int, namedCount: UInt32, bufferedCPUs: Int = 0
  ) {
    self.cpuCount = cpuCount
    self.bufferedCPUs = bufferedCPUs
    self.space = space.withCPUs(cpuCount)
    callbacksPerCPU = space.capacity.callbacksPerCPU
    hardware = HardwareLayout(
      base: 0, geometry: space.geometry, cpuCount: cpuCount, unitCount: 0, pageCells: 0..<0,
      namedCount: namedCount)
    hardware = HardwareLayout(
      base: masked(ofPage: pageCapacity), geometry: geometry, cpuCount: cpuCount,
      unitCount: unitCount, pageCells: self.space.pageCells, namedCount: namedCount)
    // They are asked for in every step.
    pendingBase = hardware.end
    orderName = pending(bufferedCPUs, 0)
  }

  // Page lookups for owners that include boot code.

  var geometry: Geometry { space.geometry }
  var pageCapacity: Int { space.pageCount }
  func page(_ id: Int) -> TablePage { space.page(id) }
  func owner(ofPage id: Int) -> Int? { space.owner(ofPage: id) }
  func pageID(at cell: UInt32) -> Int? { space.pageID(at: cell) }
  func offsetInPage(_ cell: UInt32) -> UInt32 { space.offsetInPage(cell) }
  func entry(at cell: UInt32) -> (page: Int, index: Int)? { space.entry(at: cell) }
  @inline(__always)
  func isNamed(_ cell: UInt32) -> Bool { space.isNamed(cell) }

  /// The `index`-th page that an owner allocates.
  func page(owner: Int, index: Int) -> TablePage {
    space.page(ofCPU: owner == bootOwner ? nil : owner, index: index)
  }

  // Per-CPU words.
  private func cpuBase(_ cpu: Int) -> UInt32 { space.pageEnd + UInt32(cpu) * Layout.cpuStride }

  /// The owner number of boot code, after those of the CPUs.
  var bootOwner: Int { cpuCount }

  /// Odd while the CPU is in a read-side section.
  func section(_ cpu: Int) -> UInt32 { cpuBase(cpu) }
  /// CPUs that the CPU's `synchronize` still waits for.
  func graceReaders(_ cpu: Int) -> UInt32 { cpuBase(cpu) + 1 }
  func callbacksQueued(_ cpu: Int) -> UInt32 { cpuBase(cpu) + 2 }
  func callbacksStarted(_ cpu: Int) -> UInt32 { cpuBase(cpu) + 3 }
  func callbacksFinished(_ cpu: Int) -> UInt32 { cpuBase(cpu) + 4 }
  func pagesAllocated(owner: Int) -> UInt32 { cpuBase(owner) + 5 }
  /// Operations completed, when an invariant watches the history.
  func history(_ cpu: Int) -> UInt32 { cpuBase(cpu) + 6 }
  /// Odd while the CPU is in a section or has its interrupts masked, if both delay grace periods.
  func reader(_ cpu: Int) -> UInt32 { cpuBase(cpu) + 7 }

  private var callbackBase: UInt32 { cpuBase(cpuCount + 1) }

  /// CPUs that the callback still waits for.
  func callbackReaders(_ cpu: Int, _ index: Int) -> UInt32 {
    callbackBase + UInt32(cpu * callbacksPerCPU + index) * Layout.callbackStride
  }

  /// The key of the callback's body.
  func callbackKey(_ cpu: Int, _ index: Int) -> UInt32 { callbackReaders(cpu, index) + 1 }

  /// The CPUs that the callback had to wait for when it was queued.
  func callbackReadersAtCall(_ cpu: Int, _ index: Int) -> UInt32 {
    callbackReaders(cpu, index) + 2
  }

  /// The object for the end of the callback; its word is never written.
  func callbackEnd(_ cpu: Int, _ index: Int) -> UInt32 { callbackReaders(cpu, index) + 3 }

  private var barrierBase: UInt32 {
    callbackBase + UInt32(cpuCount * callbacksPerCPU) * Layout.callbackStride
  }

  /// The number of callbacks of `other` that the CPU's barrier waits for, or 0.
  func barrierTarget(_ cpu: Int, _ other: Int) -> UInt32 {
    barrierBase + UInt32(cpu * cpuCount + other)
  }

  private var maskBase: UInt32 { barrierBase + UInt32(cpuCount * cpuCount) }

  /// Odd while the CPU's interrupts are masked; the boot CPU also has one.
  func mask(_ cpu: Int) -> UInt32 { maskBase + UInt32(cpu) }
  /// CPUs that have not yet taken the interrupt sent by the CPU.
  func interruptReceivers(_ cpu: Int) -> UInt32 { mask(cpuCount + 1) + UInt32(cpu) }

  private var maskedBase: UInt32 { interruptReceivers(cpuCount) }

  /// The CPUs in `maskedAtUnlink` whose interrupts have been masked ever since.
  func masked(ofPage id: Int) -> UInt32 { maskedBase + 2 * UInt32(id) }
  /// CPUs whose interrupts were masked when the page was unlinked.
  func maskedAtUnlink(ofPage id: Int) -> UInt32 { masked(ofPage: id) + 1 }

  var cellCount: Int { Int(orderName) + 1 }

  /// The maximum number of entries of a store buffer.
  static let pendingMax = 16
  static let pendingStride: UInt32 = 6

  /// The first word of an entry of a CPU's store buffer, the oldest entry first.
  ///
  /// Each kind of content has a word of its own: what the entry is and where it goes, its page's
  /// lifetime, two operands, and the CPUs and the callbacks that wait for the end of a section. The
  /// first word of the first one is the object for the whole buffer.
  func pending(_ cpu: Int, _ index: Int) -> UInt32 {
    pendingBase + UInt32(cpu * Layout.pendingMax + index) * Layout.pendingStride
  }

  // Words that every grace domain has.

  /// Odd while the CPU is inside.
  func sectionWord(_ domain: GraceDomain, _ cpu: Int) -> UInt32 {
    switch domain {
    case .sections: section(cpu)
    case .interrupts: mask(cpu)
    case .readers: reader(cpu)
    }
  }

  /// CPUs that the CPU still waits for.
  func awaited(_ domain: GraceDomain, _ cpu: Int) -> UInt32 {
    domain == .interrupts ? interruptReceivers(cpu) : graceReaders(cpu)
  }

  /// The CPUs in `readersAtUnlink` that have been inside ever since.
  func readers(_ domain: GraceDomain, ofPage id: Int) -> UInt32 {
    domain == .sections ? page(id).base + Layout.readersOffset : masked(ofPage: id)
  }

  /// CPUs that were inside when the page was unlinked.
  func readersAtUnlink(_ domain: GraceDomain, ofPage id: Int) -> UInt32 {
    domain == .sections ? page(id).base + Layout.readersAtUnlinkOffset : maskedAtUnlink(ofPage: id)
  }
}
