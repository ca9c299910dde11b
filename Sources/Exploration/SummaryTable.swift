// What ran below each state, interned: few distinct sets stand for very many states.

import Support

/// Sets of steps, each a CPU and a footprint, with numbers for the steps and for the sets.
///
/// A set is a row of bits, one per step that was ever seen. Rows get longer when more steps are
/// seen than they have bits for; that happens a few times in a search.
final class SummaryTable {
  private let steps = StepTable()
  private var setIndex = HashIndex()
  private let rows = GrowableBuffer<UInt64>(capacity: 1_024)
  /// Words per row.
  private(set) var stride = 2
  private(set) var setCount = 0

  deinit { rows.deallocate() }

  /// The number of a step, new or known.
  func step(_ cpu: Int, _ footprint: Footprint) -> Int { steps.number(cpu, footprint) }

  func cpu(of step: Int) -> Int { steps.cpu(of: step) }
  func footprint(of step: Int) -> Footprint { steps.footprints[step] }

  /// True if rows must get longer before the step's bit fits.
  func needsLongerRows(for step: Int) -> Bool { step >= stride * 64 }

  /// Doubles the length of all rows.
  func lengthenRows() {
    let old = stride
    let copies = (0..<setCount * old).map { rows[$0] }
    rows.removeAll()
    stride = old * 2
    setIndex = HashIndex()
    for set in 0..<setCount {
      let start = rows.extend(by: stride, with: 0)
      for word in 0..<old { rows[start + word] = copies[set * old + word] }
      setIndex.insert(hash(rows.pointer(to: start))) { self.hash(row($0)) }
    }
  }

  /// The number of a set given as a row.
  func intern(_ row: UnsafeMutablePointer<UInt64>) -> Int {
    let hash = hash(row)
    let known = setIndex.find(hash) { number in
      let stored = rows.pointer(to: number * stride)
      for word in 0..<stride where stored[word] != row[word] { return false }
      return true
    }
    if let known { return known }
    setIndex.insert(hash) { self.hash(self.row($0)) }
    for word in 0..<stride { rows.append(row[word]) }
    setCount += 1
    return setCount - 1
  }

  /// The row of a set, valid until the next set is interned.
  func row(_ set: Int) -> UnsafeMutablePointer<UInt64> { rows.pointer(to: set * stride) }

  private func hash(_ row: UnsafeMutablePointer<UInt64>) -> UInt64 {
    var hash: UInt64 = 0
    for word in 0..<stride { hash = StableHash.extend(hash, with: row[word]) }
    return hash
  }

  /// Bytes held for sets, for reports on memory.
  var bytes: Int { rows.count * 8 + setIndex.bytes }
}
