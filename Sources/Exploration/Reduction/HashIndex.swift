// Finds the number of something by its hash.

/// Numbers by hash: open addressing, the caller knows what the numbers stand for.
///
/// A slot is just a number, so that the index stays small beside what it finds.
final class HashIndex {
  static let empty: Int32 = -1
  private(set) var slots: UnsafeMutablePointer<Int32>
  private(set) var mask = 255
  private(set) var count = 0

  init() {
    slots = .allocate(capacity: 256)
    slots.initialize(repeating: HashIndex.empty, count: 256)
  }

  deinit { slots.deallocate() }

  var bytes: Int { (mask + 1) * MemoryLayout<Int32>.stride }

  func find(_ hash: UInt64, _ isSame: (Int) -> Bool) -> Int? {
    var index = Int(truncatingIfNeeded: hash) & mask
    while slots[index] != HashIndex.empty {
      if isSame(Int(slots[index])) { return Int(slots[index]) }
      index = (index + 1) & mask
    }
    return nil
  }

  /// Inserts the next number, counted from 0; `hashOf` tells the hashes of those before.
  func insert(_ hash: UInt64, hashOf: (Int) -> UInt64) {
    if (count + 1) * 4 > mask * 3 { grow(hashOf) }
    place(hash, Int32(count))
    count += 1
  }

  private func place(_ hash: UInt64, _ number: Int32) {
    var index = Int(truncatingIfNeeded: hash) & mask
    while slots[index] != HashIndex.empty { index = (index + 1) & mask }
    slots[index] = number
  }

  private func grow(_ hashOf: (Int) -> UInt64) {
    slots.deallocate()
    mask = mask * 2 + 1
    slots = .allocate(capacity: mask + 1)
    slots.initialize(repeating: HashIndex.empty, count: mask + 1)
    for number in 0..<count { place(hashOf(number), Int32(number)) }
    checkInvariants(hashOf)
  }
}
