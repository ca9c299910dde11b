// Finished states by the positions of CPUs and the values of what is read below them.

import GracewalkSupport

/// A state that matched no other when it was finished.
struct MatchableState: BitwiseCopyable {
  var positions: UInt64
  /// A hash of positions, of the words that are read below, and of their values.
  var key: UInt64
  /// The number of the set of these words.
  var reads: Int32
  /// The number of its summary.
  var summary: UInt32
}

/// Finished states that others may match.
final class MatchTable {
  /// Positions, with the latest set of words that was read below a state with these.
  private let candidates = SummaryMap(capacity: 256)
  private let candidateSets = GrowableBuffer<Int32>()
  /// Per candidate the next one with the same positions, or -1.
  private let nextCandidates = GrowableBuffer<Int32>()
  /// Keys, with the number of the summary.
  private let finished = SummaryMap(capacity: 256)
  /// What was touched, so that touching is not optimised away.
  var touched: UInt64 = 0

  deinit {
    candidateSets.deallocate()
    nextCandidates.deallocate()
  }

  var bytes: Int { candidates.bytes + candidateSets.count * 8 + finished.bytes }

  /// The number of the summary of a state with the same positions and values, or nil.
  ///
  /// - Parameter key: the key of the current state if a set of words is read below it.
  @inline(__always)
  func find(_ positions: UInt64, key: (Int) -> UInt64) -> Int? {
    guard var candidate = candidates.find(positions).map({ Int($0) }) else { return nil }
    while candidate >= 0 {
      if let set = finished.find(key(Int(candidateSets[candidate]))) { return Int(set) }
      candidate = Int(nextCandidates[candidate])
    }
    return nil
  }

  /// Reads what storing a state will need (`SummaryMap.touch`).
  @inline(__always)
  func touch(_ state: MatchableState) -> UInt64 {
    finished.touch(state.key) &+ candidates.touch(state.positions)
  }

  func store(_ state: MatchableState) {
    finished.set(state.key, state.summary)
    let first = candidates.find(state.positions).map { Int($0) } ?? -1
    var candidate = first
    while candidate >= 0 {
      if candidateSets[candidate] == state.reads { return }
      candidate = Int(nextCandidates[candidate])
    }
    candidates.set(state.positions, UInt32(truncatingIfNeeded: candidateSets.count))
    candidateSets.append(state.reads)
    nextCandidates.append(Int32(truncatingIfNeeded: first))
  }

  /// Forgets everything, and keeps the memory.
  func removeAll() {
    candidates.removeAll()
    candidateSets.removeAll()
    nextCandidates.removeAll()
    finished.removeAll()
  }

  /// Moves everything to an empty table, with other numbers of sets and summaries.
  func move(to other: MatchTable, reads: (Int) -> Int, summary: (Int) -> Int) {
    other.candidates.exchange(with: candidates)
    other.finished.exchange(with: finished)
    other.finished.renumber { UInt32(truncatingIfNeeded: summary(Int($0))) }
    for index in 0..<candidateSets.count {
      other.candidateSets.append(Int32(truncatingIfNeeded: reads(Int(candidateSets[index]))))
      other.nextCandidates.append(nextCandidates[index])
    }
    removeAll()
  }

  func save(to writer: CheckpointWriter) {
    candidates.save(to: writer)
    writer.write(candidateSets.count)
    for index in 0..<candidateSets.count {
      writer.write(Int(candidateSets[index]))
      writer.write(Int(nextCandidates[index]))
    }
    finished.save(to: writer)
  }

  /// Reads a saved table into an empty one.
  ///
  /// - Parameters:
  ///   - setLimit: greater than the number of every set of words.
  ///   - limit: greater than the number of every summary.
  func restore(
    setsBelow setLimit: Int, summariesBelow limit: Int, from reader: CheckpointReader
  ) throws(CheckpointError) {
    try candidates.restore(from: reader, below: Int(UInt32.max))
    for index in 0..<(try reader.count(ofBytes: 16)) {
      candidateSets.append(Int32(try reader.number(in: 0..<setLimit)))
      nextCandidates.append(Int32(try reader.number(in: -1..<index)))
    }
    guard candidates.largestNumber < candidateSets.count else { throw .malformed }
    try finished.restore(from: reader, below: limit)
  }
}
