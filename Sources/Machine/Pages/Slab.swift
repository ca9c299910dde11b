// Type-safe memory: a freed object may be reused at once, for another object of the same type.

/// Pages of one type that are allocated, freed and reused, as in a SLAB_TYPESAFE_BY_RCU cache of
/// Linux.
///
/// The pages exist from the start. A free page may be accessed: a stale pointer leads to an object
/// of the right type, but perhaps another one. Its contents stay until they are overwritten. Pages
/// leave a slab with `VirtualCPU.shrink`; any later access is a use after free.
public struct Slab: Equatable, Sendable {
  /// The kind of a slab's pages.
  public enum Kind: Sendable {
    /// Tables, which a root must lead to while they are allocated.
    case tables
    /// Other objects with words, to which no root leads.
    case objects
  }

  /// One word has a bit for each free page.
  static let pagesMax = 64

  /// A bit for each page that is free.
  let freePages: Location
  let firstID: Int
  let count: Int
  let space: AddressSpace

  /// The slab's pages by number, whether free or not.
  public subscript(index: Int, file: String = #fileID, line: Int = #line) -> TablePage {
    let isKnown = index >= 0 && index < count
    if !isKnown {
      MisuseSink.note(
        "page \(index) of a slab does not exist: its pages go from 0 to \(count - 1)", file, line)
    }
    return space.page(firstID + (isKnown ? index : 0))
  }

  /// True if the page belongs to the slab, whether free or not.
  public func contains(_ page: TablePage) -> Bool {
    page.scenario == freePages.scenario && page.id >= firstID && page.id < firstID + count
  }

  /// The bit of one of the slab's pages.
  func bit(_ page: Int) -> UInt64 { 1 << UInt64(page - firstID) }

  // The slab's pages as a number, since actions are flat data.
  var packedPages: UInt64 { UInt64(firstID) << 32 | UInt64(count) }

  static func firstID(packed: UInt64) -> Int { Int(packed >> 32) }

  static func pages(packed: UInt64) -> Range<Int> {
    let first = firstID(packed: packed)
    return first..<(first + Int(packed & 0xFFFF_FFFF))
  }
}

extension Slab {
  /// The page at an address from `TablePage.address`, if it belongs to the slab.
  public func page(at address: UInt64, _ cpu: VirtualCPU) -> TablePage? {
    guard let page = cpu.page(at: address), contains(page) else { return nil }
    return page
  }
}

extension VirtualCPU {
  /// The page at an address of a page or of one of its entries (`TablePage.address`); nil for any
  /// other number.
  public func page(at address: UInt64) -> TablePage? {
    layout.space.entry(atAddress: address).map { layout.page($0.page) }
  }

  /// The entry at an address from `TablePage.address(ofEntry:)`; nil for any other number.
  public func entry(at address: UInt64) -> Location? {
    layout.space.entry(atAddress: address).map { layout.page($0.page)[$0.index] }
  }

  /// Allocates the free page with the lowest number of a slab; nil if none is free.
  ///
  /// One scheduling point. The page is not zeroed: it keeps its old contents, and readers of the
  /// old object may still access it, so the order of its first stores matters.
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

  /// Frees a page to its slab, which may reuse it at once.
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

  /// Removes all free pages from a slab for good, as the allocator does when memory is short.
  ///
  /// Readers that entered a section before a page was freed may still use it: the caller must
  /// ensure that a grace period has passed.
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
