// A set of table pages: entries can lead round in a circle, and whoever follows them must not.

/// Pages by their ids, in a value that needs no memory of its own.
struct PageSet {
  private var words = SIMD16<UInt64>()

  /// Adds a page; false if it was there.
  mutating func insert(_ id: Int) -> Bool {
    let bit: UInt64 = 1 << UInt64(id % 64)
    if words[id / 64] & bit != 0 { return false }
    words[id / 64] |= bit
    return true
  }
}
