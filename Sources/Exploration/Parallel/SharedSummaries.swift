// Summaries that threads exchange: steps and sets with common numbers.

import GracewalkSupport

/// The steps and sets of steps of all threads.
///
/// Every thread keeps its own tables and comes here only for steps and sets that are new to it.
/// That is rare, since there are few steps, and few sets compared with states.
final class SharedSummaries: Sendable {
  private let steps = Locked(StepTable())
  private let sets = Locked(SummaryTable())
  /// The sets of words that were read below states.
  private let reads = Locked(LiveWords(wordCount: 0))

  /// The number of a step, for all threads.
  func number(_ cpu: Int, _ footprint: Footprint) -> Int {
    steps.withLock { $0.number(cpu, footprint) }
  }

  /// The step with a number; the footprint is a copy that the caller owns.
  func step(_ number: Int) -> (cpu: Int, footprint: Footprint) {
    steps.withLock { ($0.cpu(of: number), $0.footprints[number].copy()) }
  }

  /// The number of a set, for all threads, given as a row of words.
  ///
  /// - Parameter reading: the number, for all threads, of the set of words that were read below.
  func intern(
    _ row: UnsafeMutablePointer<UInt64>, words: Int, sleep: CPUSet, reading: Int = LiveWords.none
  ) -> Int {
    sets.withLock { $0.intern(row, words: words, sleep: sleep, reading: reading) }
  }

  /// Appends the row of a set to a buffer; returns the CPUs that were asleep, and the number of the
  /// set of words that were read below.
  func append(rowOf set: Int, to buffer: GrowableBuffer<UInt64>) -> (sleep: CPUSet, reading: Int) {
    sets.withLock { sets in
      let row = sets.row(set)
      for word in 0..<sets.stride { buffer.append(row[word]) }
      return (sets.sleep(set), sets.reads(set))
    }
  }

  /// The number of a set of words, for all threads.
  func intern(reads words: UnsafeBufferPointer<UInt32>) -> Int {
    reads.withLock { $0.set(of: words) }
  }

  /// Appends the words of a set to a buffer.
  func append(reads set: Int, to buffer: GrowableBuffer<UInt32>) {
    reads.withLock { reads in
      for word in reads.words(of: set) { buffer.append(word) }
    }
  }

  /// Steps that have numbers.
  var stepCount: Int { steps.withLock { $0.count } }

  /// Sets that have numbers.
  var setCount: Int { sets.withLock { $0.setCount } }

  /// Sets of words that have numbers.
  var readsCount: Int { reads.withLock { $0.setCount } }

  /// Bytes held.
  var bytes: Int { sets.withLock { $0.bytes } }

  /// Writes the steps and sets that got their numbers after others.
  func save(after stepCount: Int, _ setCount: Int, to writer: CheckpointWriter) {
    steps.withLock { steps in
      writer.write(stepCount)
      writer.write(steps.count - stepCount)
      for step in stepCount..<max(steps.count, stepCount) { steps.save(step, to: writer) }
    }
    sets.withLock { sets in
      writer.write(setCount)
      writer.write(sets.setCount - setCount)
      writer.write(sets.stride)
      for set in setCount..<max(sets.setCount, setCount) {
        let row = sets.row(set)
        for word in 0..<sets.stride { writer.write(row[word]) }
        writer.write(sets.sleep(set))
      }
    }
  }

  /// Reads steps and sets that another process has numbered; returns the numbers they have here.
  func adopt(
    from reader: CheckpointReader, cpuCount: Int, objectCount: Int
  ) throws(CheckpointError) -> (steps: NewNumbers, sets: NewNumbers) {
    var steps = NewNumbers(base: try reader.number(in: 0..<stepCount + 1))
    for _ in 0..<(try reader.count(ofBytes: 24)) {
      let (cpu, _, footprint) = try StepTable.step(
        from: reader, cpuCount: cpuCount, objectCount: objectCount)
      steps.table.append(number(cpu, footprint))
    }
    var sets = NewNumbers(base: try reader.number(in: 0..<setCount + 1))
    let count = try reader.count()
    let words = try reader.number(in: 1..<Int.max)
    guard reader.left / 8 / (words + 1) >= count else { throw .malformed }
    let stride = max(words, steps.limit / 64 + 1)
    reader.steps = steps
    for _ in 0..<count {
      var row = try reader.row(ofWords: words, inWords: stride)
      let sleep = try reader.cpus()
      let number = row.withUnsafeMutableBufferPointer { row in
        row.baseAddress.map { intern($0, words: stride, sleep: sleep) }
      }
      guard let number else { throw .malformed }
      sets.table.append(number)
    }
    return (steps, sets)
  }

  /// Reads what another process has numbered after the same steps and sets; they get the same
  /// numbers here.
  func extend(
    from reader: CheckpointReader, cpuCount: Int, objectCount: Int
  ) throws(CheckpointError) {
    let (steps, sets) = (stepCount, setCount)
    let new = try adopt(from: reader, cpuCount: cpuCount, objectCount: objectCount)
    reader.steps = nil
    guard new.steps.base == steps, new.steps.table == Array(steps..<stepCount),
      new.sets.base == sets, new.sets.table == Array(sets..<setCount)
    else { throw .malformed }
  }

  /// Forgets the steps and sets that were entered last.
  func truncate(steps stepCount: Int, sets setCount: Int) {
    steps.withLock { $0.truncate(to: stepCount) }
    sets.withLock { $0.truncate(to: setCount) }
  }

  func save(to writer: CheckpointWriter) {
    steps.withLock { $0.save(to: writer) }
    sets.withLock { $0.save(to: writer) }
    reads.withLock { $0.save(rows: 0, to: writer) }
  }

  /// Reads what was saved, where nothing has a number yet.
  func restore(
    from reader: CheckpointReader, cpuCount: Int, objectCount: Int
  ) throws(CheckpointError) {
    let result = steps.withLock { steps in
      sets.withLock { sets in
        Result<Void, CheckpointError> { () throws(CheckpointError) in
          try steps.restore(from: reader, cpuCount: cpuCount, objectCount: objectCount)
          try sets.restore(
            from: reader, cpuCount: cpuCount, objectCount: objectCount, of: steps.count)
        }
      }
    }
    try result.get()
    try reads.withLock { reads in
      Result<Void, CheckpointError> { () throws(CheckpointError) in
        try reads.restore(rows: 0, wordCount: objectCount, from: reader)
      }
    }.get()
    let (known, count) = (readsCount, setCount)
    guard sets.withLock({ table in (0..<count).allSatisfy { table.reads($0) < known } }) else {
      throw .malformed
    }
  }
}

/// A thread's mapping between shared numbers and its own, in either direction.
final class Renumbering {
  private let numbers = GrowableBuffer<Int32>()

  deinit { numbers.deallocate() }

  /// The number on the other side, or nil if unknown.
  @inline(__always)
  subscript(number: Int) -> Int? {
    guard number < numbers.count, numbers[number] >= 0 else { return nil }
    return Int(numbers[number])
  }

  func set(_ number: Int, to other: Int) {
    while numbers.count <= number { numbers.append(-1) }
    numbers[number] = Int32(truncatingIfNeeded: other)
  }
}
