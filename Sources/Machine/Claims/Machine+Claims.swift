// Claims: code relies on a translation being gone, and the machine checks whether anything still
// leads there.

import GracewalkExploration
import GracewalkSupport

/// A claim about all later hardware accesses to some addresses.
public enum TranslationClaim: UInt64, Sendable {
  /// The addresses are not translated.
  case untranslated
  /// The addresses are not written, unless the entry is changed first.
  case readOnly
  /// Accesses do no more than the table allows.
  case current
}

extension Action {
  /// A claim packed into a word.
  var packedClaim: UInt64 { a }
  var claim: TranslationClaim { TranslationClaim(rawValue: a >> 40 & 0xFF) ?? .untranslated }
  var claimedRoot: Int { Int(a >> 48) }
  var claimedAddresses: Range<Int> {
    let first = Int(a & 0xFFFF)
    let count = Int(a >> 16 & 0xFFFF)
    return first..<(first + (count == 0 ? 1 << 16 : count))
  }

  init(packedClaim: UInt64) {
    self.init(.claim)
    a = packedClaim
  }

  /// Addresses have 16 bits; a count of 2¹⁶ is encoded as 0.
  init(_ claim: TranslationClaim, root: Int, _ addresses: Range<Int>) {
    self.init(.claim)
    a =
      UInt64(root) << 48 | claim.rawValue << 40 | UInt64(addresses.count & 0xFFFF) << 16
      | UInt64(addresses.lowerBound)
  }
}

/// The thing that breaks a claim.
struct ClaimBreach {
  enum Way {
    /// The table itself.
    case table
    /// A cached leaf, or a cached pointer to a table that leads there.
    case cached(Machine.CachePlace)
    /// A walk in flight, in a table that leads there.
    case walk(cpu: Int, level: Int)
  }

  var way: Way
  /// The CPU of the unit; nil for the table.
  var cpu: Int?
  var address: Int
  /// The cell of the last entry on the cached part of the walk.
  var source: UInt32
  var leaf: FoundLeaf
}

/// A leaf that a walk through memory reaches.
struct FoundLeaf {
  var entry: Descriptor
  var level: Int
  var cell: UInt32
  /// The permissions that directories on the way deny.
  var denied: UInt64
}

extension Machine {
  // MARK: Walks through memory

  /// The leaf that a walk would reach from a table of a level, in the present state.
  ///
  /// - Parameters:
  ///   - denied: the permissions that directories above the table deny.
  ///   - visit: called with each entry that is read.
  func leaf(
    for address: Int, from table: Int, at first: Int, denied: UInt64 = 0,
    _ visit: (UInt32) -> Void = { _ in }
  ) -> FoundLeaf? {
    var (id, denied) = (table, denied)
    for level in first..<layout.geometry.levels {
      let cell = layout.page(id)[layout.geometry.index(of: address, at: level)].cell
      visit(cell)
      let entry = Descriptor(bits: memory[cell])
      switch meaning(of: entry, at: level) {
      case .table(let next):
        id = next
        denied |= self.denied(by: entry)
      case .leaf: return FoundLeaf(entry: entry, level: level, cell: cell, denied: denied)
      case .notPresent, .malformed: return nil
      }
    }
    return nil
  }

  /// A leaf in memory that an access could use: nil if it faults on the access flag.
  private func usable(_ leaf: FoundLeaf?) -> FoundLeaf? {
    guard let leaf, leaf.entry.hasAccessFlag || format.accessFlagRule(features) != .faults
    else { return nil }
    return leaf
  }

  // MARK: Judging

  func performClaim(_ action: Action, by cpu: Int) {
    guard watched.contains(.claimBroken), breach(of: action) != nil else { return }
    report(.claimBroken, cpu, value: action.packedClaim)
  }

  /// The first thing that breaks a claim now, or nil.
  ///
  /// - Parameter visit: called with each entry in memory that is read.
  func breach(
    of claim: Action, _ visit: (UInt32) -> Void = { _ in }
  ) -> ClaimBreach? {
    var found: ClaimBreach?
    for address in claim.claimedAddresses {
      let now = usable(leaf(for: address, from: claim.claimedRoot, at: 0, visit))
      if found == nil, claim.claim != .current, let now, breaks(claim, now, address, now) {
        found = ClaimBreach(way: .table, cpu: nil, address: address, source: now.cell, leaf: now)
      }
      for unit in translation.units.indices
      where translation.units[unit].mmu.root.id == claim.claimedRoot {
        let broken = breach(of: claim, by: unit, address, now, visit)
        if found == nil { found = broken }
      }
    }
    return found
  }

  private func breach(
    of claim: Action, by unit: Int, _ address: Int, _ now: FoundLeaf?, _ visit: (UInt32) -> Void
  ) -> ClaimBreach? {
    let cpu = translation.units[unit].cpu
    var found: ClaimBreach?
    for level in 0..<layout.geometry.levels {
      let place = leafPlace(unit, level, of: address)
      guard memory[place.cell] != 0 else { continue }
      let source = UInt32(memory[place.source])
      let leaf = FoundLeaf(
        entry: bits(of: place), level: level, cell: source, denied: memory[place.denied])
      if found == nil, breaks(claim, leaf, address, now) {
        found = ClaimBreach(
          way: .cached(place), cpu: cpu, address: address, source: source, leaf: leaf)
      }
    }
    for level in 0..<layout.geometry.lastLevel {
      let place = tablePlace(unit, level, of: address)
      guard let id = linkedPage(by: memory[place.cell]),
        let leaf = usable(
          leaf(for: address, from: id, at: level + 1, denied: memory[place.denied], visit))
      else { continue }
      if found == nil, breaks(claim, leaf, address, now) {
        found = ClaimBreach(
          way: .cached(place), cpu: cpu, address: address, source: UInt32(memory[place.source]),
          leaf: leaf)
      }
    }
    let walk = breach(of: claim, byWalkOf: cpu, unit, address, now, visit)
    if found == nil { found = walk }
    if let walker = translation.walkers[unit] {
      let walk = breach(of: claim, byWalkOf: walker, unit, address, now, visit)
      if found == nil { found = walk }
    }
    return found
  }

  /// A walk to another address counts as long as the entries that it will still read are the same.
  private func breach(
    of claim: Action, byWalkOf cpu: Int, _ unit: Int, _ address: Int, _ now: FoundLeaf?,
    _ visit: (UInt32) -> Void
  ) -> ClaimBreach? {
    guard let id = walkedPage(by: cpu) else { return nil }
    let state = memory[layout.hardware.register(cpu)]
    let (level, target) = (Int(state >> 8 & 0xFF), Int(state >> 16 & 0xFFFF))
    let span = layout.hardware.span(at: level)
    guard level > 0, address / span == target / span,
      let leaf = usable(leaf(for: address, from: id, at: level, denied: state >> 32, visit)),
      breaks(claim, leaf, address, now)
    else { return nil }
    let way = layout.hardware.way(layout.hardware.register(cpu), level - 1)
    return ClaimBreach(
      way: .walk(cpu: cpu, level: level), cpu: translation.units[unit].cpu, address: address,
      source: UInt32(memory[way]), leaf: leaf)
  }

  /// - Parameter now: the table's present leaf for the address.
  private func breaks(
    _ claim: Action, _ leaf: FoundLeaf, _ address: Int, _ now: FoundLeaf?
  ) -> Bool {
    switch claim.claim {
    case .untranslated: return true
    case .readOnly: return allowsWrites(leaf)
    case .current:
      guard let now else { return true }
      return frame(of: leaf.entry, at: leaf.level, for: address)
        != frame(of: now.entry, at: now.level, for: address)
        || allowsWrites(leaf) && !allowsWrites(now)
    }
  }

  /// True if a write needs no change of the leaf first.
  private func allowsWrites(_ leaf: FoundLeaf) -> Bool {
    if leaf.denied & Machine.writesDenied != 0 { return false }
    let isIgnored = format.dirtyRule(features) == .isIgnored
    return leaf.entry.isWritable || leaf.entry.isDirtyModifiable && isIgnored
  }

  // MARK: Footprints

  /// A claim reads the caches of the table's units, and the entries in memory that they would read.
  func addClaim(_ action: Action, to footprint: Footprint) {
    guard watched.contains(.claimBroken) else { return }
    for (number, unit) in translation.units.enumerated()
    where unit.mmu.root.id == action.claimedRoot {
      footprint.read(layout.hardware.object(number))
    }
    _ = breach(of: action) { footprint.read($0) }
  }

  /// The potential footprint: entries of all pages.
  func addPotentialClaim(_ action: Action, to footprint: Footprint) {
    if watched.contains(.claimBroken) { addAllEntries(to: footprint) }
  }

  /// Adds the entries of all pages as read.
  func addAllEntries(to footprint: Footprint) {
    eachAllocatedPage { page in
      for index in 0..<layout.geometry.entries { footprint.read(page[index].cell) }
    }
  }
}
