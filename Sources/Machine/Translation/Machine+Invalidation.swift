// The effect of an invalidation on cached entries and walks in flight.

import GracewalkExploration
import GracewalkSupport

extension Action {
  /// The invalidation and its table.
  var packedInvalidation: UInt64 {
    get { a }
    set { a = newValue }
  }
  var invalidation: TLBInvalidation { TLBInvalidation(packed: a) }
  /// The id of the root of its table.
  var invalidatedRoot: Int { TLBInvalidation.root(packed: a) }
  /// The number of the entries that the CPU had written when it issued the invalidation.
  var writtenNumber: Int {
    get { Int(b) }
    set { b = UInt64(newValue) }
  }
}

extension Machine {
  /// Performs an invalidation on all CPUs that it covers: removes cached entries, and restarts
  /// walks in flight that read them.
  ///
  /// An entry that the issuing CPU has changed, and no barrier has published, could be cached again
  /// at once with its old value, so it stays.
  func invalidate(_ action: Action, by cpu: Int) {
    let invalidation = action.invalidation
    let unpublished = writtenEntries[action.writtenNumber].unpublished
    for (number, unit) in translation.units.enumerated()
    where unit.mmu.root.id == action.invalidatedRoot {
      guard !invalidation.isLocal || unit.cpu == cpu else { continue }
      for place in cachedEntries(of: number)
      where survival(of: place, invalidation, unpublished) == nil { clear(place) }
      restartWalk(of: unit.cpu, invalidation, unpublished)
      if let walker = translation.walkers[number] {
        restartWalk(of: walker, invalidation, unpublished)
      }
    }
    forgetTaken(invalidation, unpublished, by: cpu)
  }

  /// Why an invalidation does not remove a cached entry; nil if it does.
  private func survival(
    of place: CachePlace, _ invalidation: TLBInvalidation, _ unpublished: [UInt32]
  ) -> Survival? {
    let entry = CachedEntry(
      level: place.level,
      addresses: layout.hardware.addresses(ofPrefix: place.prefix, at: place.level),
      source: UInt32(memory[place.source]), isLeaf: bits(of: place).isLeaf)
    return invalidation.survival(of: entry, unpublished)
  }

  /// Restarts a walk that read, or started at, an entry that the invalidation removes.
  ///
  /// Each entry on its path counts with all addresses below it, not only the walk's own.
  private func restartWalk(
    of cpu: Int, _ invalidation: TLBInvalidation, _ unpublished: [UInt32]
  ) {
    let register = layout.hardware.register(cpu)
    let state = memory[register]
    guard state & 3 == TranslationUnits.WalkState.inFlight else { return }
    let address = Int(state >> 16 & 0xFFFF)
    for level in 0..<Int(state >> 8 & 0xFF) {
      let source = UInt32(memory[layout.hardware.way(register, level)])
      guard source != 0 else { continue }
      let prefix = address / layout.hardware.span(at: level)
      let entry = CachedEntry(
        level: level, addresses: layout.hardware.addresses(ofPrefix: prefix, at: level),
        source: source, isLeaf: false)
      guard invalidation.survival(of: entry, unpublished) == nil else { continue }
      memory[register] = state | TranslationUnits.WalkState.restart
      return
    }
  }
}

/// An entry that hardware has read, with its addresses.
struct CachedEntry {
  var level: Int
  var addresses: Range<Int>
  /// The cell from which it was read.
  var source: UInt32
  var isLeaf: Bool
}

/// Why an invalidation did not remove a cached entry.
public enum Survival: UInt64, Sendable {
  /// The invalidation named another level.
  case wrongLevel = 1
  /// The invalidation was for leaves only, and the entry points to a table.
  case lastLevelOnly
  /// The entry had been changed, but no barrier had published the change before the invalidation.
  case unpublished
  /// The invalidation was for the CPU that issued it.
  case local
  /// The invalidation was for other addresses.
  case otherAddress
}

extension TLBInvalidation {
  /// Why it does not remove an entry of a CPU that it covers; nil if it does.
  func survival(of entry: CachedEntry, _ unpublished: [UInt32]) -> Survival? {
    if !covers(entry.addresses) { return .otherAddress }
    if entry.isLeaf {
      if !removesLeaf(at: entry.level) { return .wrongLevel }
    } else if !removesTable(at: entry.level) {
      return isLastLevelOnly ? .lastLevelOnly : .wrongLevel
    }
    return unpublished.contains(entry.source) ? .unpublished : nil
  }
}
