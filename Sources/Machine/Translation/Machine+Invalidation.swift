// What an invalidation removes when it takes effect: cached entries, and walks in flight.

import GracewalkExploration
import GracewalkSupport

extension Action {
  /// Which invalidation it is, and of which table.
  var packedInvalidation: UInt64 {
    get { a }
    set { a = newValue }
  }
  var invalidation: TLBInvalidation { TLBInvalidation(packed: a) }
  /// The id of the root of the table it is about.
  var invalidatedRoot: Int { TLBInvalidation.root(packed: a) }
  /// The number of what the CPU had written when it issued the invalidation.
  var writtenNumber: Int {
    get { Int(b) }
    set { b = UInt64(newValue) }
  }
}

extension Machine {
  /// An invalidation takes effect, on all CPUs it is for: what it removes is gone, and walks in
  /// flight that read what it removes begin anew.
  ///
  /// An entry that the issuing CPU has changed, and no barrier has published, may be cached again
  /// at once as it was: so it stays.
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

  /// Why an invalidation leaves an entry that is cached where it takes effect; nil if it does not.
  private func survival(
    of place: CachePlace, _ invalidation: TLBInvalidation, _ unpublished: [UInt32]
  ) -> Survival? {
    let entry = CachedEntry(
      level: place.level,
      addresses: layout.hardware.addresses(ofPrefix: place.prefix, at: place.level),
      source: UInt32(memory[place.source]), isLeaf: bits(of: place).isLeaf)
    return invalidation.survival(of: entry, unpublished)
  }

  /// The walk begins anew if it read, or began at, an entry that the invalidation removes.
  ///
  /// Each entry on its way counts with all addresses it is for, and not only with the walk's own.
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

/// An entry that hardware has read, and what it is for.
struct CachedEntry {
  var level: Int
  var addresses: Range<Int>
  /// Where it was read.
  var source: UInt32
  var isLeaf: Bool
}

/// Why a cached entry was not removed by an invalidation.
public enum Survival: UInt64, Sendable {
  /// The invalidation named another level.
  case wrongLevel = 1
  /// The invalidation was for leaves, the entry points to a table.
  case lastLevelOnly
  /// The entry had been changed, but no barrier had published that before the invalidation.
  case unpublished
  /// The invalidation was for the CPU that issued it.
  case local
  /// The invalidation was for other addresses.
  case otherAddress
}

extension TLBInvalidation {
  /// Why it leaves an entry of a CPU that it is for; nil if it removes the entry.
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
