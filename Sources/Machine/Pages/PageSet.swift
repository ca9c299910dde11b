// A set of table pages, for following entries that may form a cycle.

/// Pages by their ids, in a value that allocates nothing for the first thousand.
struct PageSet {
  private static let inPlace = 1_024

  private var words = SIMD16<UInt64>()
  private var more: [UInt64] = []

  /// Adds a page; false if it was already in the set.
  mutating func insert(_ id: Int) -> Bool {
    let bit: UInt64 = 1 << UInt64(id % 64)
    if id < PageSet.inPlace {
      if words[id / 64] & bit != 0 { return false }
      words[id / 64] |= bit
      return true
    }
    let index = (id - PageSet.inPlace) / 64
    while more.count <= index { more.append(0) }
    if more[index] & bit != 0 { return false }
    more[index] |= bit
    return true
  }
}
