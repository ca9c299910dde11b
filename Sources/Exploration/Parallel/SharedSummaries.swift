// Summaries that threads exchange: steps and sets with common numbers.

import GracewalkSupport

/// The steps and sets of steps of all threads.
///
/// Every thread keeps its own tables and comes here only for steps and sets that are new to it.
/// That is rare, since there are few steps, and few sets compared with states.
final class SharedSummaries: Sendable {
  private let steps = Locked(StepTable())
  private let sets = Locked(SummaryTable())

  /// The number of a step, for all threads.
  func number(_ cpu: Int, _ footprint: Footprint) -> Int {
    steps.withLock { $0.number(cpu, footprint) }
  }

  /// The step with a number; the footprint is a copy that the caller owns.
  func step(_ number: Int) -> (cpu: Int, footprint: Footprint) {
    steps.withLock { ($0.cpu(of: number), $0.footprints[number].copy()) }
  }

  /// The number of a set, for all threads, given as a row of words.
  func intern(_ row: UnsafeMutablePointer<UInt64>, words: Int, sleep: CPUSet) -> Int {
    sets.withLock { $0.intern(row, words: words, sleep: sleep) }
  }

  /// Appends the row of a set to a buffer; returns the CPUs that were asleep.
  func append(rowOf set: Int, to buffer: GrowableBuffer<UInt64>) -> CPUSet {
    sets.withLock { sets in
      let row = sets.row(set)
      for word in 0..<sets.stride { buffer.append(row[word]) }
      return sets.sleep(set)
    }
  }

  /// Steps that have numbers.
  var stepCount: Int { steps.withLock { $0.count } }

  /// Sets that have numbers.
  var setCount: Int { sets.withLock { $0.setCount } }

  /// Bytes held.
  var bytes: Int { sets.withLock { $0.bytes } }

  func save(to writer: CheckpointWriter) {
    steps.withLock { $0.save(to: writer) }
    sets.withLock { $0.save(to: writer) }
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
