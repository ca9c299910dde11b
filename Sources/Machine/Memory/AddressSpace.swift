// The cells of words and pages in memory, and the addresses by which code names them.

/// The named words and table pages of a scenario: their cells, the owners of pages, and the
/// addresses of objects.
///
/// A cell is a word's index in the machine's memory; an address is a number that code may keep in a
/// word. Both are the same in every interleaving. Only this type maps cells and addresses to
/// objects and checks bounds.
struct AddressSpace: Equatable, Sendable {
  let geometry: Geometry
  /// The number of the scenario.
  let scenario: UInt32
  let capacity: Capacity
  /// Owners of pages: the initial state, then each CPU.
  private let ownerCount: Int
  private let pagesPerOwner: Int
  /// The first cell after the named words, which start at 1.
  private let pageBase: UInt32
  private let pageStride: UInt32
  /// The first cell after all pages.
  let pageEnd: UInt32

  /// `cpuCount`: the CPUs of a machine; 0 while a scenario is being built.
  init(_ geometry: Geometry, _ capacity: Capacity, cpuCount: Int = 0, scenario: UInt32) {
    self.geometry = geometry
    self.scenario = scenario
    self.capacity = capacity
    ownerCount = cpuCount + 1
    pagesPerOwner = capacity.pagesPerCPU
    pageBase = UInt32(capacity.words) + 2
    pageStride = Layout.pageHeader + UInt32(geometry.entries)
    pageEnd = pageBase + UInt32(ownerCount * pagesPerOwner) * pageStride
  }

  /// The same space with pages for the CPUs of a machine.
  func withCPUs(_ cpuCount: Int) -> AddressSpace {
    AddressSpace(geometry, capacity, cpuCount: cpuCount, scenario: scenario)
  }

  // MARK: Cells

  /// True for the cell of a named word or lock; false for all later cells.
  @inline(__always)
  func isNamed(_ cell: UInt32) -> Bool { cell < pageBase }

  /// True if that many more named words fit.
  func hasRoom(for cells: UInt32, at next: UInt32) -> Bool { next + cells < pageBase }

  /// The pages of all owners.
  var pageCount: Int { ownerCount * pagesPerOwner }

  /// The cells of all pages: headers and entries.
  var pageCells: Range<UInt32> { pageBase..<pageEnd }

  /// The page with an id; ids are counted owner by owner, initial pages first.
  func page(_ id: Int) -> TablePage {
    TablePage(
      id: id, base: pageBase + UInt32(id) * pageStride, scenario: scenario, geometry: geometry)
  }

  /// The `index`-th page of a CPU, or of the initial pages.
  func page(ofCPU cpu: Int?, index: Int) -> TablePage {
    page((cpu.map { $0 + 1 } ?? 0) * pagesPerOwner + index)
  }

  /// The CPU that allocates the page with this id, or nil for an initial page.
  func owner(ofPage id: Int) -> Int? { id < pagesPerOwner ? nil : id / pagesPerOwner - 1 }

  /// The index of the page among those of its owner.
  func index(ofPage id: Int) -> Int { id % pagesPerOwner }

  /// The page that contains a cell, header or entry, or nil.
  func pageID(at cell: UInt32) -> Int? {
    guard cell >= pageBase, cell < pageEnd else { return nil }
    return Int((cell - pageBase) / pageStride)
  }

  /// The cell's offset in its page.
  func offsetInPage(_ cell: UInt32) -> UInt32 { (cell - pageBase) % pageStride }

  /// The page and index of an entry, or nil if the cell is not a table entry.
  func entry(at cell: UInt32) -> (page: Int, index: Int)? {
    guard let page = pageID(at: cell), offsetInPage(cell) >= Layout.pageHeader else { return nil }
    return (page, Int(offsetInPage(cell) - Layout.pageHeader))
  }

  // MARK: Addresses

  /// The entry with an address, the first one for the address of a page; nil for other numbers.
  func entry(atAddress address: UInt64) -> (page: Int, index: Int)? {
    guard let id = Self.pageID(at: address), id < pageCount else { return nil }
    let index = Int(address & Self.offsetMask) >> Self.entryShift
    guard address & 3 == 0, index < geometry.entries else { return nil }
    return (id, index)
  }

  // An address has the number of a page or of a frame above its 12 lowest bits. Page numbers start
  // at 1, since address 0 is never used, and end where those of data frames start.

  /// The first number of a data frame; smaller ones, from 1, are table pages.
  static let firstFrame: UInt64 = 0x10000
  /// The largest number of a data frame that an entry has room for, blocks included.
  static let framesMax = 0xFF_FFFF

  private static let pageShift: UInt64 = 12
  private static let offsetMask: UInt64 = (1 << pageShift) - 1
  /// The two lowest bits are free for model code.
  private static let entryShift = 2

  static func address(ofPage id: Int) -> UInt64 { UInt64(id + 1) << pageShift }

  static func address(ofEntry index: Int, inPage id: Int) -> UInt64 {
    address(ofPage: id) | UInt64(index) << UInt64(entryShift)
  }

  static func address(ofFrame number: Int) -> UInt64 {
    (firstFrame + UInt64(number)) << pageShift
  }

  /// The id of the table page at an address, whether or not it exists; nil for data.
  @inline(__always)
  static func pageID(at address: UInt64) -> Int? {
    let number = address >> pageShift
    return number > 0 && number < firstFrame ? Int(number) - 1 : nil
  }

  /// The number of the data frame at an address; nil if it is below all of them.
  @inline(__always)
  static func frame(at address: UInt64) -> Int? {
    let number = address >> pageShift
    return number >= firstFrame ? Int(number - firstFrame) : nil
  }

  // The address of the first context, above everything that a descriptor can point to.
  private static let firstContext: UInt64 = 1 << 40
  private static let contextStride: UInt64 = 64
  /// The bits of a context's address that are free for model code.
  static let contextTagMask: UInt64 = 7

  static func address(ofContext number: Int) -> UInt64 {
    firstContext + UInt64(number) * contextStride
  }

  /// The number of the context at an address, whether or not it exists.
  static func context(at address: UInt64) -> Int? {
    guard address >= firstContext, (address - firstContext) % contextStride == 0 else { return nil }
    return Int((address - firstContext) / contextStride)
  }
}

extension TablePage {
  /// The page's address as a plain number.
  ///
  /// As a descriptor it is invalid, so storing it in an entry links nothing.
  public var address: UInt64 { AddressSpace.address(ofPage: id) }

  /// The address of an entry as a plain number: that of the page, with the index in bits that
  /// descriptors do not use.
  public func address(
    ofEntry index: Int, file: String = #fileID, line: Int = #line
  ) -> UInt64 {
    guard index >= 0, index < entries else {
      MisuseSink.note(
        "a table page has no entry \(index): entries go from 0 to \(entries - 1)", file, line)
      return address
    }
    return AddressSpace.address(ofEntry: index, inPage: id)
  }
}
