// Finds the number of something by its hash.

/// Numbers by hash, with open addressing; the caller knows the things that are numbered.
///
/// A slot holds half of the hash next to the number. So a search for something new does not touch
/// known entries, and growing needs no hashes from the caller.
final class HashIndex {
  /// Zero if empty; otherwise the high half of the hash, then the number plus 1.
  private(set) var slots: UnsafeMutablePointer<UInt64>
  private(set) var mask = 255
  private(set) var count = 0

  init() {
    slots = .allocate(capacity: 256)
    slots.initialize(repeating: 0, count: 256)
  }

  deinit { slots.deallocate() }

  var bytes: Int { (mask + 1) * MemoryLayout<UInt64>.stride }

  func removeAll() {
    slots.update(repeating: 0, count: mask + 1)
    count = 0
  }

  /// The number with the hash that the caller confirms as a match.
  @inline(__always)
  func find(_ hash: UInt64, _ isSame: (Int) -> Bool) -> Int? {
    let half = hash &>> 32
    var index = Int(truncatingIfNeeded: half) & mask
    while slots[index] != 0 {
      let slot = slots[index]
      if slot &>> 32 == half {
        let number = Int(truncatingIfNeeded: slot & 0xFFFF_FFFF) &- 1
        if isSame(number) { return number }
      }
      index = (index &+ 1) & mask
    }
    return nil
  }

  /// Inserts the next number, counted from 0.
  func insert(_ hash: UInt64) {
    if (count + 1) * 4 > mask * 3 { grow() }
    count += 1
    place(hash & 0xFFFF_FFFF_0000_0000 | UInt64(truncatingIfNeeded: count))
  }

  private func place(_ slot: UInt64) {
    var index = Int(truncatingIfNeeded: slot &>> 32) & mask
    while slots[index] != 0 { index = (index &+ 1) & mask }
    slots[index] = slot
  }

  private func grow() {
    let old = slots
    let capacity = mask + 1
    mask = mask * 2 + 1
    slots = .allocate(capacity: mask + 1)
    slots.initialize(repeating: 0, count: mask + 1)
    for index in 0..<capacity where old[index] != 0 { place(old[index]) }
    old.deallocate()
    checkInvariants()
  }
}
