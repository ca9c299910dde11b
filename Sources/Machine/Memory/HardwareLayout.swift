// The layout of the state of memory management units in the array of words.

/// Cells of cached entries and of walks in flight.
///
/// A scenario without a memory management unit has none. A cached entry is identified by the level
/// of the entry it was read from and by an address prefix: the leading digits of the addresses that
/// it translates, down to that level.
struct HardwareLayout {
  /// Words per cached entry: its bits, the cell they were read from, and the permissions that
  /// directories deny.
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
    // Without units there may be more addresses than cached entries could have room for.
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

  /// The object for everything that a unit holds: cached entries, and walks in flight.
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

  /// The cells of all cached leaves, followed by those of all cached pointers to tables.
  func entryCells(_ unit: Int) -> Range<UInt32> { leaf(unit, 0, 0)..<object(unit + 1) }

  private var registerBase: UInt32 { base + UInt32(unitCount) * unitStride }

  /// Words of a walk: two, plus one for each level that it may have passed.
  var registerStride: UInt32 { 2 + UInt32(geometry.lastLevel) }

  /// A CPU's walk in flight: its state, its current table, and the cells it read on the way there.
  func register(_ cpu: Int) -> UInt32 { registerBase + UInt32(cpu) * registerStride }

  /// The cell that a walk read at a level, or whose cached entry it started from; 0 if neither.
  func way(_ register: UInt32, _ level: Int) -> UInt32 { register + 2 + UInt32(level) }

  /// The units whose walks may still see an entry's old, invalid value.
  func unobserved(_ cell: UInt32) -> UInt32 {
    registerBase + UInt32(cpuCount) * registerStride + (cell - pageCells.lowerBound)
  }

  private var goneBase: UInt32 { unobserved(pageCells.upperBound) }

  /// The set of entries that a CPU has restricted, or was told of, and not flushed: see
  /// `TakenSets`.
  func gone(_ cpu: Int) -> UInt32 { goneBase + UInt32(cpu) }

  /// The set that a named word passes to CPUs that acquire it.
  func told(_ cell: UInt32) -> UInt32 { goneBase + UInt32(cpuCount) + cell }

  var end: UInt32 { unitCount == 0 ? base : told(namedCount) }
}
