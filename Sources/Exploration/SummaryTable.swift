// What ran below each state, interned: few distinct sets stand for very many states.

import Support

/// Sets of steps, each a CPU and a footprint, with numbers for the steps and for the sets.
///
/// A set is a row of bits, one per step that was ever seen. Rows get longer when more steps are
/// seen than they have bits for; that happens a few times in a search.
final class SummaryTable {
  /// The steps by number.
  private(set) var footprints: [Footprint] = []
  private(set) var cpus: [Int] = []
  private var stepIndex: HashIndex
  private var setIndex: HashIndex
  private let rows = GrowableBuffer<UInt64>(capacity: 1_024)
  /// Words per row.
  private(set) var stride = 2
  private(set) var setCount = 0

  init() {
    stepIndex = HashIndex()
    setIndex = HashIndex()
  }

  deinit { rows.deallocate() }

  /// The number of a step, new or known.
  func step(_ cpu: Int, _ footprint: Footprint) -> Int {
    var hash = StableHash.mix(UInt64(cpu))
    for index in 0..<footprint.count {
      let touch = footprint[index]
      hash = StableHash.extend(
        hash,
        with: UInt64(touch.object) << 3 | UInt64(touch.role.rawValue) << 1 | (touch.writes ? 1 : 0))
    }
    let known = stepIndex.find(hash) { cpus[$0] == cpu && footprints[$0].isEqual(to: footprint) }
    if let known { return known }
    let number = cpus.count
    cpus.append(cpu)
    footprints.append(footprint.copy())
    stepIndex.insert(hash, number)
    return number
  }

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
      setIndex.insert(hash(rows.pointer(to: start)), set)
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
    let number = setCount
    setCount += 1
    for word in 0..<stride { rows.append(row[word]) }
    setIndex.insert(hash, number)
    return number
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

/// Numbers by hash: open addressing, the caller compares what the numbers stand for.
private final class HashIndex {
  private struct Slot: BitwiseCopyable {
    var hash: UInt64
    var number: Int32
  }

  private var slots: UnsafeMutablePointer<Slot>
  private var mask = 255
  private var count = 0

  init() {
    slots = .allocate(capacity: 256)
    slots.initialize(repeating: Slot(hash: 0, number: -1), count: 256)
  }

  deinit { slots.deallocate() }

  var bytes: Int { (mask + 1) * MemoryLayout<Slot>.stride }

  func find(_ hash: UInt64, _ isSame: (Int) -> Bool) -> Int? {
    var index = Int(truncatingIfNeeded: hash) & mask
    while slots[index].number >= 0 {
      if slots[index].hash == hash && isSame(Int(slots[index].number)) {
        return Int(slots[index].number)
      }
      index = (index + 1) & mask
    }
    return nil
  }

  func insert(_ hash: UInt64, _ number: Int) {
    if (count + 1) * 2 > mask { grow() }
    place(Slot(hash: hash, number: Int32(number)))
    count += 1
  }

  private func place(_ slot: Slot) {
    var index = Int(truncatingIfNeeded: slot.hash) & mask
    while slots[index].number >= 0 { index = (index + 1) & mask }
    slots[index] = slot
  }

  private func grow() {
    let old = slots
    let oldCapacity = mask + 1
    mask = oldCapacity * 2 - 1
    slots = .allocate(capacity: oldCapacity * 2)
    slots.initialize(repeating: Slot(hash: 0, number: -1), count: oldCapacity * 2)
    for index in 0..<oldCapacity where old[index].number >= 0 { place(old[index]) }
    old.deallocate()
  }
}
