// What is kept of a finished state: what ran below it, and which CPUs were asleep.

import GracewalkSupport

/// Pairs of a summary and a sleep set, with numbers: few pairs stand for very many states.
final class FinishedPairs {
  private let sets = GrowableBuffer<Int32>()
  private let sleeps = GrowableBuffer<UInt64>()
  private let index = HashIndex()
  /// Per set, the number of its pair with nobody asleep, the most frequent one; or -1.
  private let awake = GrowableBuffer<Int32>()

  deinit {
    sets.deallocate()
    sleeps.deallocate()
    awake.deallocate()
  }

  var count: Int { sets.count }
  var bytes: Int { count * 12 + index.bytes }

  /// The number of the set of steps that ran below.
  @inline(__always)
  func set(_ pair: Int) -> Int { Int(sets[pair]) }

  /// The CPUs that were asleep on arrival, so that nothing beginning with them was explored.
  @inline(__always)
  func sleep(_ pair: Int) -> CPUSet { CPUSet(bits: sleeps[pair]) }

  /// The number of a pair, new or known.
  @inline(__always)
  func number(_ set: Int, _ sleep: CPUSet) -> Int {
    guard sleep.isEmpty else { return find(set, sleep) }
    if set < awake.count, awake[set] >= 0 { return Int(awake[set]) }
    let number = find(set, sleep)
    if set >= awake.count { _ = awake.extend(by: set + 1 - awake.count, with: -1) }
    awake[set] = Int32(truncatingIfNeeded: number)
    return number
  }

  private func find(_ set: Int, _ sleep: CPUSet) -> Int {
    let hash = FinishedPairs.hash(set, sleep.bits)
    let known = index.find(hash) { sets[$0] == Int32(set) && sleeps[$0] == sleep.bits }
    if let known { return known }
    index.insert(hash) { FinishedPairs.hash(Int(sets[$0]), sleeps[$0]) }
    sets.append(Int32(set))
    sleeps.append(sleep.bits)
    return sets.count - 1
  }

  private static func hash(_ set: Int, _ sleep: UInt64) -> UInt64 {
    StableHash.extend(StableHash.mix(UInt64(set)), with: sleep)
  }

  func save(to writer: CheckpointWriter) {
    writer.write(count)
    for pair in 0..<count {
      writer.write(set(pair))
      writer.write(sleep(pair))
    }
  }

  /// Reads what was saved, into a table that is empty.
  func restore(from reader: CheckpointReader, setCount: Int) throws(CheckpointError) {
    for pair in 0..<(try reader.count(ofBytes: 16)) {
      let set = try reader.number(in: 0..<setCount)
      guard number(set, try reader.cpus()) == pair else { throw .malformed }
    }
  }
}
