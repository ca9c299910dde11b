// The contents of memory management units: cached entries and walks in flight, and lookups of both.

import GracewalkExploration
import GracewalkSupport

/// The memory management units of a machine.
struct TranslationUnits {
  struct Unit {
    var cpu: Int
    var mmu: MMU
  }

  /// The states of a walk.
  struct WalkState {
    static let inFlight: UInt64 = 1
    /// It must start again: an entry that it read was invalidated.
    static let restart: UInt64 = 2
  }

  let units: [Unit]
  /// Per CPU, its unit or, for a walker, that of its CPU; or -1.
  let unitOfCPU: [Int]
  /// For each unit, the CPU that takes its speculative walks and evictions.
  let walkers: [Int?]

  init(_ programs: [Program], firstWalker: Int, cpuCount: Int) {
    var units: [Unit] = []
    var walkers: [Int?] = []
    var unitOfCPU = Array(repeating: -1, count: cpuCount)
    var next = firstWalker
    for (cpu, program) in programs.enumerated() {
      guard let mmu = program.mmu else { continue }
      unitOfCPU[cpu] = units.count
      if mmu.times > 0 {
        unitOfCPU[next] = units.count
        walkers.append(next)
        next += 1
      } else {
        walkers.append(nil)
      }
      units.append(Unit(cpu: cpu, mmu: mmu))
    }
    self.units = units
    self.unitOfCPU = unitOfCPU
    self.walkers = walkers
    checkInvariants()
  }
}

/// The cached entries of a unit, in the order of their places.
struct CachedEntries: Sequence, IteratorProtocol {
  private let memory: Memory
  private let layout: HardwareLayout
  private var cell: UInt32
  private let end: UInt32
  private var level = 0
  private var prefix = 0

  /// - Parameter cells: places, starting with those of the root's level.
  init(_ memory: Memory, _ layout: HardwareLayout, _ cells: Range<UInt32>) {
    self.memory = memory
    self.layout = layout
    cell = cells.lowerBound
    end = cells.upperBound
  }

  mutating func next() -> Machine.CachePlace? {
    while cell < end {
      let place = Machine.CachePlace(cell: cell, level: level, prefix: prefix)
      cell += HardwareLayout.placeStride
      prefix += 1
      if prefix == layout.prefixCount(at: level) {
        prefix = 0
        level = level == layout.geometry.lastLevel ? 0 : level + 1
      }
      if memory[place.cell] != 0 { return place }
    }
    return nil
  }
}

extension Machine {
  /// Why actions cannot name the addresses of a table, which have 16 bits there; nil if they can.
  func addressCountText(for what: String) -> String? {
    let count = layout.geometry.addressCount
    guard count > Machine.addressCountMax else { return nil }
    return "\(what) is about a table of at most \(Machine.addressCountMax) addresses, and this has "
      + "\(count): use fewer levels or entries"
  }

  var hasHardware: Bool { !translation.units.isEmpty }

  /// The words of a cached entry.
  struct CachePlace {
    var cell: UInt32
    var level: Int
    var prefix: Int

    var source: UInt32 { cell + 1 }
    /// The permissions that directories on the walk deny.
    var denied: UInt32 { cell + 2 }
  }

  func bits(of place: CachePlace) -> Descriptor { Descriptor(bits: memory[place.cell]) }

  func leafPlace(_ unit: Int, _ level: Int, of address: Int) -> CachePlace {
    let prefix = address / layout.hardware.span(at: level)
    return CachePlace(
      cell: layout.hardware.leaf(unit, level, prefix), level: level, prefix: prefix)
  }

  func tablePlace(_ unit: Int, _ level: Int, of address: Int) -> CachePlace {
    let prefix = address / layout.hardware.span(at: level)
    return CachePlace(
      cell: layout.hardware.table(unit, level, prefix), level: level, prefix: prefix)
  }

  /// The cached leaf that translates an address; of several, the one of the lowest level.
  func cachedLeaf(_ unit: Int, of address: Int) -> CachePlace? {
    for level in (0..<layout.geometry.levels).reversed() {
      let place = leafPlace(unit, level, of: address)
      if memory[place.cell] != 0 { return place }
    }
    return nil
  }

  /// All cached entries of a unit: leaves, from the root's level down, then pointers to tables.
  func cachedEntries(of unit: Int) -> CachedEntries {
    CachedEntries(memory, layout.hardware, layout.hardware.entryCells(unit))
  }

  /// The leaves among them.
  func cachedLeaves(of unit: Int) -> CachedEntries {
    CachedEntries(memory, layout.hardware, layout.hardware.leafCells(unit))
  }

  func clear(_ place: CachePlace) {
    memory[place.cell] = 0
    memory[place.source] = 0
    memory[place.denied] = 0
  }

  /// The data frame to which a leaf of a level leads for an address.
  func frame(of leaf: Descriptor, at level: Int, for address: Int) -> Int? {
    leaf.dataFrame.map { $0 + address % layout.hardware.span(at: level) }
  }

  // MARK: Lookups of cached entries

  /// CPUs that have a pointer to a table page cached, or walk it now.
  func cpusCaching(table id: Int) -> CPUSet {
    var found = CPUSet()
    for (number, unit) in translation.units.enumerated() where refers(number, to: id) {
      found.insert(unit.cpu)
    }
    return found
  }

  /// True if a unit has a pointer to a table page cached, or walks it now.
  func refers(_ unit: Int, to id: Int) -> Bool {
    for place in cachedEntries(of: unit) where bits(of: place).tableID == id { return true }
    if walks(translation.units[unit].cpu, table: id) { return true }
    return translation.walkers[unit].map { walks($0, table: id) } ?? false
  }

  private func walks(_ cpu: Int, table id: Int) -> Bool { walkedPage(by: cpu) == id }

  /// The id of the table that a CPU's walk is in, if one is in flight.
  func walkedPage(by cpu: Int) -> Int? {
    let register = layout.hardware.register(cpu)
    guard memory[register] & 3 == TranslationUnits.WalkState.inFlight else { return nil }
    return Int(memory[register + 1]) - 1
  }

  /// CPUs that have an entry cached which needs an invalidation before this one may replace it.
  func cpusCaching(entryAt cell: UInt32, unlike new: Descriptor) -> CPUSet {
    var found = CPUSet()
    for (number, unit) in translation.units.enumerated() {
      for place in cachedEntries(of: number) where memory[place.source] == UInt64(cell) {
        if needsBreak(bits(of: place), new) { found.insert(unit.cpu) }
      }
    }
    return found
  }

  /// CPUs with cached leaves through which an owner's guests reach a frame.
  func cpusCaching(frame: Int, of owner: UInt64) -> CPUSet {
    var found = CPUSet()
    for (number, unit) in translation.units.enumerated() where UInt64(unit.mmu.owner.id) == owner {
      for place in cachedLeaves(of: number) {
        guard let first = bits(of: place).dataFrame else { continue }
        let span = layout.hardware.span(at: place.level)
        if (first..<(first + span)).contains(frame) { found.insert(unit.cpu) }
      }
    }
    return found
  }

  /// True if replacing one valid entry by another needs break-before-make.
  ///
  /// Permissions, flags and software bits may change (Arm ARM, "Using break-before-make when
  /// updating translation table entries"); output address and type may not. A block may replace a
  /// table, and a table a block, if FEAT_BBM allows it; whether both translate alike is checked
  /// when both are cached.
  func needsBreak(_ old: Descriptor, _ new: Descriptor) -> Bool {
    guard format.needsBreakBeforeMake,
      old.tableID != new.tableID || old.dataFrame != new.dataFrame
        || old.hasTableBit != new.hasTableBit
    else { return false }
    return old.isTable == new.isTable || !mayDifferInSize(old, new)
  }

  /// True if FEAT_BBM allows cached entries of different sizes for the same range.
  func mayDifferInSize(_ a: Descriptor, _ b: Descriptor) -> Bool {
    let isMarked = a.isMarkedForSizeChange || b.isMarkedForSizeChange
    return features.breakBeforeMakeLevel >= (isMarked ? 1 : 2)
  }
}
