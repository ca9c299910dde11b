// What ran below each state, interned: few distinct sets stand for very many states.

import GracewalkSupport

/// Sets of steps, each a CPU and a footprint, with numbers for the steps and for the sets.
///
/// A set is a row of bits, one per step that was ever seen. Rows get longer when more steps are
/// seen than they have bits for; that happens a few times in a search.
final class SummaryTable {
  private let steps = StepTable()
  /// Set if other threads must understand the numbers; then steps have the numbers from there.
  private let shared: SharedSummaries?
  private let sharedStep = Renumbering()
  private let ownStep = Renumbering()
  private let sharedSet = Renumbering()
  private let ownSet = Renumbering()
  private var setIndex = HashIndex()
  private let rows = GrowableBuffer<UInt64>(capacity: 1_024)
  /// Words per row.
  private(set) var stride = 2
  private(set) var setCount = 0

  private let scratch = GrowableBuffer<UInt64>()

  init(shared: SharedSummaries? = nil) { self.shared = shared }

  deinit {
    rows.deallocate()
    scratch.deallocate()
  }

  /// How many steps have numbers, where no other threads number them.
  var stepCount: Int { steps.count }

  /// The number of a step, new or known.
  func step(_ cpu: Int, _ footprint: Footprint) -> Int {
    let own = steps.number(cpu, footprint)
    guard let shared else { return own }
    if let known = sharedStep[own] { return known }
    let number = shared.number(cpu, footprint)
    sharedStep.set(own, to: number)
    ownStep.set(number, to: own)
    return number
  }

  func cpu(of step: Int) -> Int { steps.cpu(of: own(step)) }
  func footprint(of step: Int) -> Footprint { steps.footprints[own(step)] }

  @inline(__always)
  private func own(_ step: Int) -> Int { shared == nil ? step : ownStep[step] ?? step }

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

  /// The number of the union of two sets.
  func union(_ one: Int, _ other: Int) -> Int {
    if one == other { return one }
    scratch.removeAll()
    let (a, b) = (row(one), row(other))
    for word in 0..<stride { scratch.append(a[word] | b[word]) }
    return intern(scratch.pointer(to: 0))
  }

  /// The number of a set given as a row of some other length; rows get longer if they must.
  func intern(_ row: UnsafeMutablePointer<UInt64>, words: Int) -> Int {
    while stride < words { lengthenRows() }
    scratch.removeAll()
    for word in 0..<stride { scratch.append(word < words ? row[word] : 0) }
    return intern(scratch.pointer(to: 0))
  }

  /// The number that all threads know a set by.
  func publish(_ set: Int) -> Int {
    if let known = sharedSet[set] { return known }
    guard let shared else { return set }
    let number = shared.intern(row(set), words: stride)
    sharedSet.set(set, to: number)
    ownSet.set(number, to: set)
    return number
  }

  /// The own number of a set that any thread has published.
  ///
  /// - Parameter lengthen: makes rows longer, here and wherever else the caller has rows.
  func adopt(_ number: Int, lengthen: () -> Void) -> Int {
    if let known = ownSet[number] { return known }
    guard let shared else { return number }
    let adopted = GrowableBuffer<UInt64>()
    defer { adopted.deallocate() }
    shared.append(rowOf: number, to: adopted)
    while stride < adopted.count { lengthen() }
    eachStep(of: adopted.pointer(to: 0), words: adopted.count) { adopt(step: $0, from: shared) }
    let set = intern(adopted.pointer(to: 0), words: adopted.count)
    ownSet.set(number, to: set)
    return set
  }

  private func adopt(step number: Int, from shared: SharedSummaries) {
    guard ownStep[number] == nil else { return }
    let (cpu, footprint) = shared.step(number)
    let own = steps.number(cpu, footprint)
    sharedStep.set(own, to: number)
    ownStep.set(number, to: own)
  }

  /// The row of a set, valid until the next set is interned.
  func row(_ set: Int) -> UnsafeMutablePointer<UInt64> { rows.pointer(to: set * stride) }

  /// Calls `body` with the number of each step in a row of so many words.
  @inline(__always)
  func eachStep(of row: UnsafeMutablePointer<UInt64>, words: Int, _ body: (Int) -> Void) {
    for word in 0..<words {
      var left = CPUSet(bits: row[word])
      while let bit = left.popLowest() { body(word * 64 + bit) }
    }
  }

  private func hash(_ row: UnsafeMutablePointer<UInt64>) -> UInt64 {
    var hash: UInt64 = 0
    for word in 0..<stride { hash = StableHash.extend(hash, with: row[word]) }
    return hash
  }

  /// Writes the steps and the sets in the order of their numbers.
  func save(to writer: CheckpointWriter) {
    steps.save(to: writer)
    writer.write(stride)
    writer.write(setCount)
    writer.write(rows, first: setCount * stride)
  }

  /// Reads what was saved, into a table that is empty.
  func restore(
    from reader: CheckpointReader, cpuCount: Int, objectCount: Int
  ) throws(CheckpointError) {
    try steps.restore(from: reader, cpuCount: cpuCount, objectCount: objectCount)
    let stride = try reader.number(in: 2..<Int.max)
    while self.stride < stride && self.stride * 64 < steps.count { lengthenRows() }
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

  /// Bytes held for sets, for reports on memory.
  var bytes: Int { rows.count * 8 + setIndex.bytes }
}
