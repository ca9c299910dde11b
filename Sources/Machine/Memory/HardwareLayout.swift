// Where the state of memory management units lies in the array of words.

/// Cells of cached entries and of walks in flight.
///
/// There are none in a scenario without a memory management unit. A cached entry is known by the
/// level of the entry it was read from and by the addresses this translates, as a prefix: the
/// leading digits of the address, down to that level.
struct HardwareLayout {
  /// Words per cached entry: the bits, the cell they were read from, what directories deny.
  static let placeStride: UInt32 = 3

  let base: UInt32
  let geometry: Geometry
  let cpuCount: Int
  let unitCount: Int
  /// Cells of table pages.
  let pageCells: Range<UInt32>
  /// Named words, and cells of locks between them.
  let namedCount: UInt32
  /// Cached entries of one kind: one for each level and prefix.
  let placeCount: Int

  init(
    base: UInt32, geometry: Geometry, cpuCount: Int, unitCount: Int, pageCells: Range<UInt32>,
    namedCount: UInt32
  ) {
    self.namedCount = namedCount
    self.pageCells = pageCells
    self.base = base
    self.geometry = geometry
    self.cpuCount = cpuCount
    self.unitCount = unitCount
    // Without units there may be more addresses than there is room for entries.
    placeCount =
      unitCount == 0
      ? 0
      : (0..<geometry.levels).reduce(0) { count, level in
        count + geometry.addressCount / geometry.spanOfEntry(at: level)
      }
  }

  func prefixCount(at level: Int) -> Int { geometry.addressCount / span(at: level) }

  /// Addresses that an entry at a level translates.
  func span(at level: Int) -> Int { geometry.spanOfEntry(at: level) }

  func addresses(ofPrefix prefix: Int, at level: Int) -> Range<Int> {
    let span = span(at: level)
    return (prefix * span)..<((prefix + 1) * span)
  }

  private var unitStride: UInt32 { 1 + UInt32(2 * placeCount) * HardwareLayout.placeStride }

  /// Stands for all that a unit holds: cached entries, and walks in flight.
  func object(_ unit: Int) -> UInt32 { base + UInt32(unit) * unitStride }

  private func place(_ level: Int, _ prefix: Int) -> Int {
    var place = prefix
    for above in 0..<level { place += prefixCount(at: above) }
    return place
  }

  /// A cached leaf.
  func leaf(_ unit: Int, _ level: Int, _ prefix: Int) -> UInt32 {
    object(unit) + 1 + UInt32(place(level, prefix)) * HardwareLayout.placeStride
  }

  /// A cached pointer to a table.
  func table(_ unit: Int, _ level: Int, _ prefix: Int) -> UInt32 {
    leaf(unit, level, prefix) + UInt32(placeCount) * HardwareLayout.placeStride
  }

  /// Cells of all cached leaves of a unit, in the order of levels and prefixes.
  func leafCells(_ unit: Int) -> Range<UInt32> { leaf(unit, 0, 0)..<table(unit, 0, 0) }

  /// The same followed by those of all cached pointers to tables.
  func entryCells(_ unit: Int) -> Range<UInt32> { leaf(unit, 0, 0)..<object(unit + 1) }

  private var registerBase: UInt32 { base + UInt32(unitCount) * unitStride }

  /// Words of a walk: two, and one for each level that it may have passed.
  var registerStride: UInt32 { 2 + UInt32(geometry.lastLevel) }

  /// The walk a CPU has in flight: its state, the table it is in, where it read the way there.
  func register(_ cpu: Int) -> UInt32 { registerBase + UInt32(cpu) * registerStride }

  /// The cell that a walk read at a level on its way, or had cached of it; 0 if it did neither.
  func way(_ register: UInt32, _ level: Int) -> UInt32 { register + 2 + UInt32(level) }

  /// Units whose walks may still see an entry as it was before it was made valid.
  func unseen(_ cell: UInt32) -> UInt32 {
    registerBase + UInt32(cpuCount) * registerStride + (cell - pageCells.lowerBound)
  }

  private var goneBase: UInt32 { unseen(pageCells.upperBound) }

  /// Which entries a CPU has taken something from, or was told of, and not flushed: `TakenSets`.
  func gone(_ cpu: Int) -> UInt32 { goneBase + UInt32(cpu) }

  /// Which of them a named word tells who acquires it.
  func told(_ cell: UInt32) -> UInt32 { goneBase + UInt32(cpuCount) + cell }

  var end: UInt32 { unitCount == 0 ? base : told(namedCount) }
}
