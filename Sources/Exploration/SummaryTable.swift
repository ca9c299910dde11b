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
    let hash = hash(cpu, footprint)
    let known = stepIndex.find(hash) { cpus[$0] == cpu && footprints[$0].isEqual(to: footprint) }
    if let known { return known }
    stepIndex.insert(hash) { self.hash(cpus[$0], footprints[$0]) }
    cpus.append(cpu)
    footprints.append(footprint.copy())
    return cpus.count - 1
  }

  private func hash(_ cpu: Int, _ footprint: Footprint) -> UInt64 {
    var hash = StableHash.mix(UInt64(cpu))
    for index in 0..<footprint.count {
      hash = StableHash.extend(hash, with: SummaryTable.code(footprint[index]))
    }
    return hash
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

  /// Writes the steps and the sets in the order of their numbers.
  func save(to writer: CheckpointWriter) {
    writer.write(cpus.count)
    for (cpu, footprint) in zip(cpus, footprints) {
      writer.write(cpu)
      writer.write(footprint.count)
      for index in 0..<footprint.count { writer.write(SummaryTable.code(footprint[index])) }
    }
    writer.write(stride)
    writer.write(setCount)
    writer.write(rows, first: setCount * stride)
  }

  /// Reads what was saved, into a table that is empty.
  func restore(
    from reader: CheckpointReader, cpuCount: Int, objectCount: Int
  ) throws(CheckpointError) {
    let stepCount = try reader.count(ofBytes: 16)
    for number in 0..<stepCount {
      let cpu = try reader.number(in: 0..<cpuCount)
      let footprint = Footprint()
      for _ in 0..<(try reader.count()) {
        let code = try reader.word()
        guard code >> 3 < objectCount, let role = TouchRole(rawValue: UInt8(code >> 1 & 3)) else {
          throw .malformed
        }
        footprint.touches.append(
          Touch(object: UInt32(code >> 3), writes: code & 1 == 1, role: role))
      }
      guard step(cpu, footprint) == number else { throw .malformed }
    }
    let stride = try reader.number(in: 2..<Int.max)
    while self.stride < stride && self.stride * 64 < stepCount { lengthenRows() }
    guard self.stride == stride else { throw .malformed }
    let setCount = try reader.count(ofBytes: stride * 8)
    guard try reader.count() == setCount * stride else { throw .malformed }
    let row = UnsafeMutablePointer<UInt64>.allocate(capacity: stride)
    defer { row.deallocate() }
    for number in 0..<setCount {
      for word in 0..<stride { row[word] = try reader.word() }
      guard intern(row) == number else { throw .malformed }
    }
  }

  /// A touch as a word.
  private static func code(_ touch: Touch) -> UInt64 {
    UInt64(touch.object) << 3 | UInt64(touch.role.rawValue) << 1 | (touch.writes ? 1 : 0)
  }

  /// Bytes held for sets, for reports on memory.
  var bytes: Int { rows.count * 8 + setIndex.bytes }
}

/// Numbers by hash: open addressing, the caller knows what the numbers stand for.
///
/// A slot is just a number, so that the index stays small beside what it finds.
private final class HashIndex {
  private static let empty: Int32 = -1
  private var slots: UnsafeMutablePointer<Int32>
  private var mask = 255
  private var count = 0

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
  }
}
