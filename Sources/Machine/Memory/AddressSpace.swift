// Where what code can name lies in memory, and by which numbers code keeps it.

/// The named words and the table pages of a scenario: where each has its cells, who owns a page,
/// and which address stands for what.
///
/// A cell is a word's place in the machine's memory; an address is a number that code may keep in a
/// word. Both are the same in every interleaving. Only here is it decided which are whose, and that
/// nothing is beyond its bounds.
struct AddressSpace: Equatable, Sendable {
  let geometry: Geometry
  /// The number of the scenario.
  let scenario: UInt32
  let capacity: Capacity
  /// Who may have pages: what is there from the start, then each CPU.
  private let ownerCount: Int
  private let pagesPerOwner: Int
  /// The first cell that is no named word's; those begin with 1.
  private let pageBase: UInt32
  private let pageStride: UInt32
  /// The first cell behind all pages.
  let pageEnd: UInt32

  /// `cpuCount`: the CPUs of a machine; none while a scenario is put together.
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

  /// The same with pages for the CPUs of a machine.
  func withCPUs(_ cpuCount: Int) -> AddressSpace {
    AddressSpace(geometry, capacity, cpuCount: cpuCount, scenario: scenario)
  }

  // MARK: Cells

  /// True for the cell of a named word or lock, and false for a page's and for all behind.
  @inline(__always)
  func isNamed(_ cell: UInt32) -> Bool { cell < pageBase }

  /// True if so many more named words fit behind those there are.
  func hasRoom(for cells: UInt32, at next: UInt32) -> Bool { next + cells < pageBase }

  /// Pages, whoever owns them.
  var pageCount: Int { ownerCount * pagesPerOwner }

  /// The cells of all pages: headers and entries.
  var pageCells: Range<UInt32> { pageBase..<pageEnd }

  /// The page with an id; ids count owner by owner, what exists from the start first.
  func page(_ id: Int) -> TablePage {
    TablePage(
      id: id, base: pageBase + UInt32(id) * pageStride, scenario: scenario, geometry: geometry)
  }

  /// The `index`-th page of a CPU, or of what exists from the start.
  func page(ofCPU cpu: Int?, index: Int) -> TablePage {
    page((cpu.map { $0 + 1 } ?? 0) * pagesPerOwner + index)
  }

  /// The CPU that allocates pages with this id, or nil for what exists from the start.
  func owner(ofPage id: Int) -> Int? { id < pagesPerOwner ? nil : id / pagesPerOwner - 1 }

  /// Which of its owner's pages it is.
  func index(ofPage id: Int) -> Int { id % pagesPerOwner }

  /// The page a cell lies in, header or entry; nil if it lies in none.
  func pageID(at cell: UInt32) -> Int? {
    guard cell >= pageBase, cell < pageEnd else { return nil }
    return Int((cell - pageBase) / pageStride)
  }

  /// The cell's offset from the base of the page it lies in.
  func offsetInPage(_ cell: UInt32) -> UInt32 { (cell - pageBase) % pageStride }

  /// The page and entry a cell lies in, or nil if it is not a table entry.
  func entry(at cell: UInt32) -> (page: Int, index: Int)? {
    guard let page = pageID(at: cell), offsetInPage(cell) >= Layout.pageHeader else { return nil }
    return (page, Int(offsetInPage(cell) - Layout.pageHeader))
  }

  // MARK: Addresses

  /// The entry that an address stands for, the first of its page if it is the page's own; nil if
  /// it is no such address.
  func entry(atAddress address: UInt64) -> (page: Int, index: Int)? {
    guard let id = Self.pageID(at: address), id < pageCount else { return nil }
    let index = Int(address & Self.offsetMask) >> Self.entryShift
    guard address & 3 == 0, index < geometry.entries else { return nil }
    return (id, index)
  }

  // An address has the number of a page or of a frame above its 12 lowest bits. Page numbers begin
  // with 1, as nothing is at 0, and end where those of data frames begin.

  /// Data frames have numbers from here on; smaller ones, from 1, are table pages.
  static let firstFrame: UInt64 = 0x10000
  /// The largest number of a data frame that an entry has room for, blocks included.
  static let framesMax = 0xFF_FFFF

  private static let pageShift: UInt64 = 12
  private static let offsetMask: UInt64 = (1 << pageShift) - 1
  /// Two low bits are for code to keep a small number in.
  private static let entryShift = 2

  static func address(ofPage id: Int) -> UInt64 { UInt64(id + 1) << pageShift }

  static func address(ofEntry index: Int, inPage id: Int) -> UInt64 {
    address(ofPage: id) | UInt64(index) << UInt64(entryShift)
  }

  static func address(ofFrame number: Int) -> UInt64 {
    (firstFrame + UInt64(number)) << pageShift
  }

  /// The id of the table page that an address lies in, whether or not there is one; nil for data.
  @inline(__always)
  static func pageID(at address: UInt64) -> Int? {
    let number = address >> pageShift
    return number > 0 && number < firstFrame ? Int(number) - 1 : nil
  }

  /// The number of the data frame that an address lies in; nil if it is below all of them.
  @inline(__always)
  static func frame(at address: UInt64) -> Int? {
    let number = address >> pageShift
    return number >= firstFrame ? Int(number - firstFrame) : nil
  }

  // Contexts lie above all that a descriptor can point to, at multiples of eight and more.
  private static let firstContext: UInt64 = 1 << 40
  private static let contextStride: UInt64 = 64
  /// Bits that are free in a context's address.
  static let contextTagMask: UInt64 = 7

  static func address(ofContext number: Int) -> UInt64 {
    firstContext + UInt64(number) * contextStride
  }

  /// The number of the context at an address, whether or not there is one.
  static func context(at address: UInt64) -> Int? {
    guard address >= firstContext, (address - firstContext) % contextStride == 0 else { return nil }
    return Int((address - firstContext) / contextStride)
  }
}

extension TablePage {
  /// The page's address as a plain number, which links nothing when it is stored in an entry: not
  /// valid as a descriptor.
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
