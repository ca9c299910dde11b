// Type-safe memory: a freed object may come back at once, as another object of the same type.

/// Pages of one type that are handed out, taken back and handed out again, as by a slab cache of
/// type SLAB_TYPESAFE_BY_RCU in Linux.
///
/// The pages exist from the start. A free one may be accessed: whoever holds a stale pointer finds
/// an object of the right type, only perhaps another one. What they contain stays as it was until
/// somebody writes to it. Memory leaves a slab with `VirtualCPU.shrink`, and what touches it then
/// is a use after free.
public struct Slab: Equatable, Sendable {
  /// What the pages of a slab are.
  public enum Kind: Sendable {
    /// Tables, which a root must lead to while they are allocated.
    case tables
    /// Something else that has words: no root leads to it.
    case objects
  }

  /// Which are free is told by the bits of a word.
  static let pagesMax = 64

  /// A bit for each page that is free.
  let freePages: Location
  let firstID: Int
  let count: Int
  let space: AddressSpace

  /// The slab's pages, by number, free or not.
  public subscript(index: Int, file: String = #fileID, line: Int = #line) -> TablePage {
    let isKnown = index >= 0 && index < count
    if !isKnown {
      MisuseSink.note(
        "page \(index) of a slab does not exist: its pages go from 0 to \(count - 1)", file, line)
    }
    return space.page(firstID + (isKnown ? index : 0))
  }

  /// True if the page is one of the slab's, free or not.
  public func contains(_ page: TablePage) -> Bool {
    page.scenario == freePages.scenario && page.id >= firstID && page.id < firstID + count
  }

  /// The slab's bit for a page of its own.
  func bit(_ page: Int) -> UInt64 { 1 << UInt64(page - firstID) }

  // Actions are flat data, so which pages a slab has goes along as a number.
  var packedPages: UInt64 { UInt64(firstID) << 32 | UInt64(count) }

  static func firstID(packed: UInt64) -> Int { Int(packed >> 32) }

  static func pages(packed: UInt64) -> Range<Int> {
    let first = firstID(packed: packed)
    return first..<(first + Int(packed & 0xFFFF_FFFF))
  }
}

extension Slab {
  /// The page at an address that `TablePage.address` gave, if it is one of the slab's.
  public func page(at address: UInt64, _ cpu: VirtualCPU) -> TablePage? {
    guard let page = cpu.page(at: address), contains(page) else { return nil }
    return page
  }
}

extension VirtualCPU {
  /// The page at an address that `TablePage.address` gave, of the page or of one of its entries;
  /// nil for any other number.
  public func page(at address: UInt64) -> TablePage? {
    layout.space.entry(atAddress: address).map { layout.page($0.page) }
  }

  /// The entry at an address that `TablePage.address(ofEntry:)` gave; nil for any other number.
  public func entry(at address: UInt64) -> Location? {
    layout.space.entry(atAddress: address).map { layout.page($0.page)[$0.index] }
  }

  /// Takes the free page with the lowest number out of a slab; nil if none is free.
  ///
  /// One scheduling point. The page is not zeroed: it holds what it held when it was free, and
  /// readers of what it was before may still look at it, so its first stores matter.
  public func allocate(
    from slab: Slab, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) -> TablePage? {
    let site = SourceSite(file: file, line: line)
    try admit(slab.freePages, "a slab", site)
    var action = Action(.slab(.allocate), slab.freePages)
    action.packedSlab = slab.packedPages
    let found = try issue(action, site)
    return found == 0 ? nil : layout.page(Int(found) - 1)
  }

  /// Gives a page back to its slab, which may hand it out again at once.
  public func free(
    _ page: TablePage, to slab: Slab, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    let site = SourceSite(file: file, line: line)
    try admit(slab.freePages, "a slab", site)
    try admit(page, site)
    guard slab.contains(page) else {
      throw misuse(
        "\(machine.name(ofPage: page.id)) is given back to "
          + "\(machine.name(ofCell: slab.freePages.cell)), which it did not come from", site)
    }
    var action = Action(.slab(.free), slab.freePages)
    action.freedPage = page.id
    action.packedSlab = slab.packedPages
    _ = try issue(action, site)
  }

  /// Takes all free pages out of a slab for good, as the allocator does when memory is short.
  ///
  /// Readers that entered a section before a page was given back may still be in it: that there has
  /// been a grace period in between is the caller's business.
  public func shrink(
    _ slab: Slab, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    let site = SourceSite(file: file, line: line)
    try admit(slab.freePages, "a slab", site)
    var action = Action(.slab(.shrink), slab.freePages)
    action.packedSlab = slab.packedPages
    _ = try issue(action, site)
  }
}
