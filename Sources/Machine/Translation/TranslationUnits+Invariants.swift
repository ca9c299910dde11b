// Invariants of memory management units: their owners, and the places of cached entries.

import GracewalkSupport

extension TranslationUnits {
  /// A unit belongs to a CPU and perhaps to a walker, each of which has no other unit.
  @inline(__always)
  func checkInvariants() {
    #if CHECKS_INVARIANTS
      mustHold(walkers.count == units.count, "\(walkers.count) walkers, \(units.count) units")
      for (number, unit) in units.enumerated() {
        mustHold(unitOfCPU[unit.cpu] == number, "a unit's CPU has another unit")
        mustHold(number == 0 || units[number - 1].cpu < unit.cpu, "units out of order")
        guard let walker = walkers[number] else { continue }
        mustHold(unitOfCPU[walker] == number, "a walker has another unit")
        mustHold(walker > unit.cpu, "a walker comes before its CPU")
      }
      let owned = units.count + walkers.count { $0 != nil }
      mustHold(unitOfCPU.count { $0 >= 0 } == owned, "a CPU without a unit has one")
    #endif
  }
}

extension Machine {
  /// Cached entries are in the order of their places, leaves before pointers to tables.
  ///
  /// Each is at the place of its level and address, and was read from a table.
  @inline(__always)
  func checkCaches() {
    #if CHECKS_INVARIANTS
      for unit in translation.units.indices { checkCache(of: unit) }
    #endif
  }

  #if CHECKS_INVARIANTS
    private func checkCache(of unit: Int) {
      var last: UInt32 = 0
      let leaves = layout.hardware.leafCells(unit)
      for place in cachedEntries(of: unit) {
        mustHold(place.cell > last, "cached entries are not in the order of their places")
        last = place.cell
        let isLeaf = leaves.contains(place.cell)
        let addresses = layout.hardware.addresses(ofPrefix: place.prefix, at: place.level)
        let own =
          isLeaf
          ? leafPlace(unit, place.level, of: addresses.lowerBound)
          : tablePlace(unit, place.level, of: addresses.lowerBound)
        mustHold(own.cell == place.cell, "a cached entry is not where its address belongs")
        mustHold(bits(of: place).isValid, "an invalid entry is cached")
        mustHold(
          isLeaf || linkedPage(by: memory[place.cell]) != nil,
          "what is cached as a pointer to a table is none")
        mustHold(
          layout.entry(at: UInt32(memory[place.source])) != nil,
          "a cached entry was not read from a table")
      }
    }
  #endif
}
