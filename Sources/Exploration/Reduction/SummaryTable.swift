// Interned summaries of finished states: very many states share few distinct summaries.

import GracewalkSupport

/// Sets of steps, each a CPU and a footprint, with numbers for the steps and for the sets.
///
/// A set is a row of bits, one per step ever seen. Rows are lengthened when there are more steps
/// than bits, which happens a few times in a search. A set includes the sleep set with which a
/// state was explored, and the number of the set of words that were read below it: sets that differ
/// in these have different numbers.
final class SummaryTable {
  private let steps = StepTable()
  /// Set in a team; then steps have shared numbers.
  private var shared: SharedSummaries?
  private let sharedStep = Renumbering()
  private let ownStep = Renumbering()
  private let sharedSet = Renumbering()
  private let ownSet = Renumbering()
  private let sharedReads = Renumbering()
  private let ownReads = Renumbering()
  /// Knows the words that were read below; nil if nobody asks.
  var live: LiveWords?
  private let setIndex = HashIndex()
  let rows = GrowableBuffer<UInt64>(capacity: 1_024)
  /// Per set, the CPUs that were asleep.
  let sleeps = GrowableBuffer<UInt64>()
  /// Per set, the number of the set of words that were read below.
  private let readSets = GrowableBuffer<Int32>()
  /// Words per row.
  private(set) var stride = 2
  private(set) var setCount = 0

  private let scratch = GrowableBuffer<UInt64>()

  deinit {
    rows.deallocate()
    sleeps.deallocate()
    readSets.deallocate()
    scratch.deallocate()
  }

  /// Uses shared numbers from now on: those of all steps and sets that are known here, if any.
  func share(through shared: SharedSummaries) {
    if self.shared != nil { return }
    self.shared = shared
    for step in 0..<steps.count {
      note(step, isShared: shared.number(steps.cpu(of: step), steps.footprints[step]))
    }
    for set in 0..<setCount { _ = publish(set) }
  }

  /// An upper bound of the shared numbers of steps that this table knows.
  private var sharedLimit = 0

  /// An upper bound of the numbers of steps that this table knows.
  var stepCount: Int { shared == nil ? steps.count : sharedLimit }

  /// The number of a step, new or known.
  func step(_ cpu: Int, _ footprint: Footprint) -> Int {
    let own = steps.number(cpu, footprint)
    guard let shared else { return own }
    if let known = sharedStep[own] { return known }
    let number = shared.number(cpu, footprint)
    note(own, isShared: number)
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
    setIndex.removeAll()
    for set in 0..<setCount {
      let start = rows.extend(by: stride, with: 0)
      for word in 0..<old { rows[start + word] = copies[set * old + word] }
      setIndex.insert(hash(rows.pointer(to: start), CPUSet(bits: sleeps[set]), reads(set)))
    }
  }

  /// The number of a set given as a row.
  ///
  /// - `sleep`: the CPUs asleep on arrival; sequences that begin with them were not explored from
  ///   this state.
  /// - `reading`: the number of the set of words that were read below.
  func intern(
    _ row: UnsafeMutablePointer<UInt64>, sleep: CPUSet = CPUSet(), reading: Int = LiveWords.none
  ) -> Int {
    let hash = hash(row, sleep, reading)
    let known = setIndex.find(hash) { number in
      if sleeps[number] != sleep.bits || reads(number) != reading { return false }
      let stored = rows.pointer(to: number &* stride)
      for word in 0..<stride where stored[word] != row[word] { return false }
      return true
    }
    if let known { return known }
    setIndex.insert(hash)
    for word in 0..<stride { rows.append(row[word]) }
    sleeps.append(sleep.bits)
    readSets.append(Int32(truncatingIfNeeded: reading))
    setCount += 1
    checkInvariants()
    return setCount - 1
  }

  /// The sleep set of a set.
  @inline(__always)
  func sleep(_ set: Int) -> CPUSet { CPUSet(bits: sleeps[set]) }

  /// The number of the set of words that were read below a state with a set.
  @inline(__always)
  func reads(_ set: Int) -> Int { Int(readSets[set]) }

  /// The number of the union of two sets, with an empty sleep set.
  func union(_ one: Int, _ other: Int) -> Int {
    if one == other { return one }
    scratch.removeAll()
    let (a, b) = (row(one), row(other))
    for word in 0..<stride { scratch.append(a[word] | b[word]) }
    return intern(scratch.pointer(to: 0))
  }

  /// The number of a set given as a row of some other length; rows get longer if they must.
  func intern(
    _ row: UnsafeMutablePointer<UInt64>, words: Int, sleep: CPUSet, reading: Int = LiveWords.none
  ) -> Int {
    while stride < words { lengthenRows() }
    scratch.removeAll()
    for word in 0..<stride { scratch.append(word < words ? row[word] : 0) }
    return intern(scratch.pointer(to: 0), sleep: sleep, reading: reading)
  }

  /// The shared number of a set.
  func publish(_ set: Int) -> Int {
    if let known = sharedSet[set] { return known }
    guard let shared else { return set }
    let reading = live == nil ? LiveWords.none : publish(reads: reads(set))
    let number = shared.intern(row(set), words: stride, sleep: sleep(set), reading: reading)
    sharedSet.set(set, to: number)
    ownSet.set(number, to: set)
    return number
  }

  /// This table's number for a set that any thread has published.
  ///
  /// - Parameter lengthen: lengthens rows, here and elsewhere in the caller.
  func adopt(_ number: Int, lengthen: () -> Void) -> Int {
    if let known = ownSet[number] { return known }
    guard let shared else { return number }
    let adopted = GrowableBuffer<UInt64>()
    defer { adopted.deallocate() }
    let (sleep, reading) = shared.append(rowOf: number, to: adopted)
    while stride < adopted.count { lengthen() }
    eachStep(of: adopted.pointer(to: 0), words: adopted.count) { adopt(step: $0, from: shared) }
    let set = intern(
      adopted.pointer(to: 0), words: adopted.count, sleep: sleep,
      reading: live == nil ? LiveWords.none : adopt(reads: reading))
    ownSet.set(number, to: set)
    return set
  }

  /// The shared number of a set of words that were read.
  func publish(reads set: Int) -> Int {
    if let known = sharedReads[set] { return known }
    guard let shared, let live else { return LiveWords.none }
    let number = shared.intern(reads: live.words(of: set))
    noteReads(set, areShared: number)
    return number
  }

  /// This table's number for a set of words that any thread has read.
  @inline(__always)
  func adopt(reads number: Int) -> Int { ownReads[number] ?? adoptNew(reads: number) }

  private func adoptNew(reads number: Int) -> Int {
    guard let shared, let live else { return LiveWords.none }
    let words = GrowableBuffer<UInt32>()
    defer { words.deallocate() }
    shared.append(reads: number, to: words)
    let set = live.set(of: words.all)
    noteReads(set, areShared: number)
    return set
  }

  private func noteReads(_ own: Int, areShared number: Int) {
    sharedReads.set(own, to: number)
    ownReads.set(number, to: own)
  }

  private func adopt(step number: Int, from shared: SharedSummaries) {
    guard ownStep[number] == nil else { return }
    let (cpu, footprint) = shared.step(number)
    note(steps.number(cpu, footprint), isShared: number)
  }

  /// Forgets the sets that were entered last; only for a table that nobody shares.
  func truncate(to count: Int) {
    guard count < setCount else { return }
    rows.truncate(to: count * stride)
    sleeps.truncate(to: count)
    readSets.truncate(to: count)
    setCount = count
    setIndex.removeAll()
    for set in 0..<count { setIndex.insert(hash(row(set), sleep(set), reads(set))) }
    checkInvariants()
  }

  /// Gives steps the numbers that they have in another table, which has the same first ones; for
  /// tables without shared numbers.
  func numberSteps(as other: SummaryTable, after count: Int) {
    steps.truncate(to: count)
    for step in count..<max(other.steps.count, count) {
      let number = steps.number(other.steps.cpu(of: step), other.steps.footprints[step])
      demand(number == step, "[internal] a step has two numbers")
    }
  }

  private func note(_ own: Int, isShared number: Int) {
    sharedStep.set(own, to: number)
    ownStep.set(number, to: own)
    sharedLimit = max(sharedLimit, number + 1)
  }

  /// Ensures that this table knows a step that some thread has numbered.
  func meet(_ step: Int) {
    if let shared { adopt(step: step, from: shared) }
  }

  /// The row of a set, valid until the next set is interned.
  func row(_ set: Int) -> UnsafeMutablePointer<UInt64> { rows.pointer(to: set * stride) }

  /// Calls `body` with the number of each step in a row of words.
  @inline(__always)
  func eachStep(of row: UnsafeMutablePointer<UInt64>, words: Int, _ body: (Int) -> Void) {
    for word in 0..<words {
      var left = CPUSet(bits: row[word])
      while let bit = left.popLowest() { body(word * 64 + bit) }
    }
  }

  private func hash(
    _ row: UnsafeMutablePointer<UInt64>, _ sleep: CPUSet, _ reading: Int
  ) -> UInt64 {
    var hash = StableHash.extend(sleep.bits, with: UInt64(reading))
    for word in 0..<stride { hash = StableHash.extend(hash, with: row[word]) }
    return hash
  }

  /// Writes the steps and the sets in the order of their numbers.
  func save(to writer: CheckpointWriter) {
    steps.save(to: writer)
    writer.write(stride)
    writer.write(setCount)
    writer.write(rows, first: setCount * stride)
    for set in 0..<setCount {
      writer.write(sleeps[set])
      writer.write(reads(set))
    }
  }

  /// Reads saved sets into an empty table.
  ///
  /// - Parameter stepsMax: how many steps there are, where another table has them.
  func restore(
    from reader: CheckpointReader, cpuCount: Int, objectCount: Int, of stepsMax: Int = 0
  ) throws(CheckpointError) {
    try steps.restore(from: reader, cpuCount: cpuCount, objectCount: objectCount)
    if let shared {
      for step in 0..<steps.count {
        note(step, isShared: shared.number(steps.cpu(of: step), steps.footprints[step]))
      }
    }
    let stride = try reader.number(in: 2..<Int.max)
    let numbers = max(steps.count, shared?.stepCount ?? stepsMax)
    while self.stride < stride && self.stride * 64 < numbers { lengthenRows() }
    guard self.stride == stride else { throw .malformed }
    let setCount = try reader.count(ofBytes: stride * 8)
    guard try reader.count() == setCount * stride else { throw .malformed }
    var words: [UInt64] = []
    for _ in 0..<setCount * stride { words.append(try reader.word()) }
    for number in 0..<setCount {
      let sleep = try reader.cpus()
      let reading = try reader.number(in: 0..<Int(Int32.max))
      let isNew = words.withUnsafeMutableBufferPointer { words in
        words.baseAddress.map {
          intern($0 + number * stride, sleep: sleep, reading: reading) == number
        } ?? false
      }
      guard isNew else { throw .malformed }
    }
  }

  /// Bytes held for sets, for reports on memory.
  var bytes: Int { (rows.count + sleeps.count) * 8 + readSets.count * 4 + setIndex.bytes }
}
