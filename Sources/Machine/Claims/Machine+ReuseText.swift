// Why a page or a frame that changes hands is still cached, in words.

import GracewalkSupport

extension Machine {
  /// Why the caches that an event is about still lead to its table page or data frame.
  ///
  /// Follows from the steps taken so far; nil if only a walk in flight leads there.
  public func reasonForCaching(in event: Event) -> String? {
    let cpus = CPUSet(bits: event.value)
    let frame = scenario.dataFrames.first { $0.owner.cell == event.cell }?.number
    for (number, unit) in translation.units.enumerated() where cpus.contains(unit.cpu) {
      for place in cachedEntries(of: number) {
        let bits = bits(of: place)
        let isMeant =
          event.kind == .frameGivenWhileCached
          ? leads(bits, at: place.level, toFrame: frame) : bits.tableID == event.page
        guard isMeant else { continue }
        let addresses = layout.hardware.addresses(ofPrefix: place.prefix, at: place.level)
        let entry = CachedEntry(
          level: place.level, addresses: addresses, source: UInt32(memory[place.source]),
          isLeaf: bits.isLeaf)
        return reason(
          for: entry, of: unit.cpu, unit.mmu.root.id, cachedBy: latestWrite(to: place.cell))
      }
    }
    return nil
  }

  private func leads(_ bits: Descriptor, at level: Int, toFrame frame: Int?) -> Bool {
    guard bits.isLeaf, let frame, let first = bits.dataFrame else { return false }
    return (first..<first + layout.hardware.span(at: level)).contains(frame)
  }
}
