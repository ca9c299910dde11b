// What CPUs learn from each other about entries, through words that are written after a change.

import GracewalkExploration
import GracewalkSupport

/// An entry that a CPU has restricted, or was told about.
struct TakenEntry: Hashable {
  var cell: UInt32
  var old: Descriptor
  var new: Descriptor
  /// The CPU that changed it.
  var cpu: Int

  var share: UInt64 {
    StableHash.share(of: StableHash.extend(old.bits, with: new.bits), at: UInt64(cell))
      &+ StableHash.share(of: UInt64(cpu) + 1, at: ~UInt64(cell))
  }
}

/// Sets of restricted entries by a hash of their contents, so that a word of memory can name one.
struct TakenSets {
  private var sets: [UInt64: [TakenEntry]] = [:]
  /// Set if it detects collisions, with sets of other machines, too; this costs time in each step.
  var identities: Identities?
  /// True if two different sets have had the same hash.
  private(set) var hasCollision = false

  func entries(_ name: UInt64) -> [TakenEntry] { name == 0 ? [] : sets[name] ?? [] }

  /// The hash of a set after replacing its entry for a cell.
  mutating func replacing(
    _ cell: UInt32, with new: TakenEntry?, in name: UInt64
  ) -> UInt64 {
    let old = entries(name).first { $0.cell == cell }
    guard old != new else { return name }
    let result = name &- (old?.share ?? 0) &+ (new?.share ?? 0)
    if identities == nil, sets[result] != nil || result == 0 { return result }
    var entries = entries(name).filter { $0.cell != cell }
    if let new { entries.append(new) }
    entries.sort { $0.cell < $1.cell }
    if result != 0 { sets[result] = entries }
    let isOnly = result == 0 ? entries.isEmpty : identities?.isOnly(result, for: entries) ?? true
    if !isOnly { hasCollision = true }
    return result
  }

  mutating func union(_ a: UInt64, _ b: UInt64) -> UInt64 {
    entries(b).reduce(a) { replacing($1.cell, with: $1, in: $0) }
  }
}

extension Machine {
  /// Whether an invariant needs to know what CPUs have been told.
  var followsWords: Bool { hasHardware && watched.contains(.staleUse) }

  private func isFollowed(_ action: Action, by cpu: Int) -> Bool {
    followsWords && layout.isNamed(action.cell) && cpu < cpuCount
  }

  // MARK: Taking and telling

  /// Records that a CPU has restricted an entry, or allowed everything again.
  func noteTaken(_ old: Descriptor, _ new: Descriptor, in cell: UInt32, by cpu: Int) {
    guard followsWords, cpu < cpuCount else { return }
    let gone = layout.hardware.gone(cpu)
    // An earlier restriction stays until the entry allows the access again.
    let known = takenSets.entries(memory[gone]).first { $0.cell == cell }
    let before = known?.old ?? old
    let isLoss = before.isValid && loss(of: before, to: new) != .nothing
    let entry = TakenEntry(cell: cell, old: before, new: new, cpu: cpu)
    setGone(cpu, takenSets.replacing(cell, with: isLoss ? entry : nil, in: memory[gone]))
  }

  private func setGone(_ cpu: Int, _ name: UInt64) {
    if memory[layout.hardware.gone(cpu)] != name { memory[layout.hardware.gone(cpu)] = name }
    if takenSets.hasCollision {
      fail(.collision("two sets of entries have one 64-bit hash: states cannot be told apart"))
    }
  }

  /// A word that a CPU releases tells of all entries that it has restricted, or was told about, and
  /// not flushed.
  func tell(_ action: Action, by cpu: Int) {
    guard isFollowed(action, by: cpu) else { return }
    let gone = action.ordering.releases ? memory[layout.hardware.gone(cpu)] : 0
    if memory[layout.hardware.told(action.cell)] != gone {
      memory[layout.hardware.told(action.cell)] = gone
    }
  }

  /// A CPU that waits for a word, or acquires it, is told about the word's entries.
  func hear(_ action: Action, by cpu: Int) {
    guard isFollowed(action, by: cpu), action.kind == .access(.wait) || action.ordering.acquires
    else {
      return
    }
    let told = memory[layout.hardware.told(action.cell)]
    if told != 0 {
      setGone(cpu, takenSets.union(memory[layout.hardware.gone(cpu)], told))
    }
  }

  // MARK: Using and forgetting

  /// Reports the use of a cached leaf for an access that, as the CPU was told, is no longer
  /// allowed.
  ///
  /// If the entry allowed the access again in between, and was then changed in the same way once
  /// more, that counts as the change that the CPU was told about.
  func reportStaleUse(_ action: Action, of place: CachePlace, _ unit: Int, by cpu: Int) {
    if isGone(action, place, unit, cpu) {
      report(.staleUse, cpu, cell: UInt32(memory[place.source]))
    }
  }

  /// True if an entry of the walk to a cached leaf no longer leads there, and the CPU was told so.
  ///
  /// A CPU may defer the flush of entries that it restricted itself.
  private func isGone(
    _ action: Action, _ place: CachePlace, _ unit: Int, _ cpu: Int,
    _ visit: (UInt32) -> Void = { _ in }
  ) -> Bool {
    guard isTold(cpu) else { return false }
    let entries = takenSets.entries(memory[layout.hardware.gone(cpu)])
    let kept = bits(of: place)
    let source = UInt32(memory[place.source])
    var isGone = false
    for entry in entries where entry.cell == source && entry.cpu != cpu {
      visit(source)
      let loss = loss(of: kept, to: entry.new)
      let isLost = loss == .all || loss == .writing && action.isWrite
      isGone = isGone || isLost && isStillTaken(entry)
    }
    var table = translation.units[unit].mmu.root.id
    for level in 0..<place.level {
      let cell = layout.page(table)[layout.geometry.index(of: action.address, at: level)].cell
      visit(cell)
      for entry in entries where entry.cell == cell && entry.cpu != cpu && !entry.new.isTable {
        isGone = isGone || isStillTaken(entry)
      }
      guard let next = linkedPage(by: memory[cell]) else { break }
      table = next
    }
    return isGone
  }

  private func isTold(_ cpu: Int) -> Bool {
    guard followsWords, cpu < cpuCount, memory[layout.hardware.gone(cpu)] != 0 else { return false }
    return takenSets.entries(memory[layout.hardware.gone(cpu)]).contains { $0.cpu != cpu }
  }

  /// True if the entry has not changed since, except for its access flag.
  private func isStillTaken(_ entry: TakenEntry) -> Bool {
    let now = Descriptor(bits: memory[entry.cell])
    guard entry.new.isValid else { return !now.isValid }
    return now.withAccessFlag == entry.new.withAccessFlag
  }

  /// After an invalidation, forgets entries that no unit has cached any more.
  func forgetTaken(_ invalidation: TLBInvalidation, _ unpublished: [UInt32], by cpu: Int) {
    guard followsWords, cpu < cpuCount, !invalidation.isLocal else { return }
    let gone = layout.hardware.gone(cpu)
    for entry in takenSets.entries(memory[gone])
    where !unpublished.contains(entry.cell) && !isCached(entry) {
      setGone(cpu, takenSets.replacing(entry.cell, with: nil, in: memory[gone]))
    }
  }

  private func isCached(_ entry: TakenEntry) -> Bool {
    for unit in translation.units.indices {
      for place in cachedEntries(of: unit) {
        let source = UInt32(memory[place.source])
        if source == entry.cell, loss(of: bits(of: place), to: entry.new) != .nothing {
          return true
        }
        // A leaf below the table that the entry led to; with more levels, any leaf may be one.
        if let table = entry.old.tableID, bits(of: place).isLeaf,
          layout.geometry.levels > 2 || layout.pageID(at: source) == table
        {
          return true
        }
      }
      if isOnWay(entry, of: translation.units[unit].cpu) { return true }
      if let walker = translation.walkers[unit], isOnWay(entry, of: walker) { return true }
    }
    return false
  }

  /// True if a walk in flight has read the entry.
  private func isOnWay(_ entry: TakenEntry, of cpu: Int) -> Bool {
    guard walkedPage(by: cpu) != nil else { return false }
    let register = layout.hardware.register(cpu)
    return (0..<layout.geometry.lastLevel).contains {
      memory[layout.hardware.way(register, $0)] == UInt64(entry.cell)
    }
  }

  /// An access that an old entry allows and a new one does not.
  enum Loss: Int {
    case nothing, writing, all
  }

  func loss(of kept: Descriptor, to now: Descriptor) -> Loss {
    guard now.tableID == kept.tableID, now.dataFrame == kept.dataFrame else { return .all }
    return kept.isWritable && !now.isWritable ? .writing : .nothing
  }

  // MARK: Footprints

  /// Adds the footprint of judging a stale use, which reads the present table.
  func addStaleUse(
    _ action: Action, of place: CachePlace, _ unit: Int, by cpu: Int, to footprint: Footprint
  ) {
    _ = isGone(action, place, unit, cpu) { footprint.read($0) }
  }

  func addPotentialStaleUse(by cpu: Int, to footprint: Footprint) {
    if isTold(cpu) { addAllEntries(to: footprint) }
  }

  /// Adds the footprint of forgetting, which reads the contents of all units.
  func addForgetting(by cpu: Int, to footprint: Footprint) {
    if followsWords, cpu < cpuCount, memory[layout.hardware.gone(cpu)] != 0 { addUnits(footprint) }
  }
}
