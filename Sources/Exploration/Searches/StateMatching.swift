// Finding a finished state that differs from the current one only in what nobody reads any more.

import GracewalkSupport

/// Finished states by what is read below them.
///
/// A state counts as finished if, in some finished state, all CPUs with a next step are in the same
/// positions, and all words that steps, guards, footprints or judgements read below that state,
/// before they write them, have the same values. Then the same steps run below both. The argument
/// is in Docs/Search.md, rule 9.
final class StateMatching {
  private let system: TransitionSystem
  private let omitted: StatefulSearch.Omission
  let live: LiveWords
  /// Positions, with the latest set of words that was read below a state with these.
  private let candidates = SummaryMap(capacity: 256)
  private let candidateSets = GrowableBuffer<Int32>()
  /// Per candidate the next one with the same positions, or -1.
  private let nextCandidates = GrowableBuffer<Int32>()
  /// Positions, words read and their values, with the number of the summary.
  private let finished = SummaryMap(capacity: 256)
  private let accessed = GrowableBuffer<UInt32>()
  /// States that were looked up, and those that were found.
  private(set) var lookups = 0
  private(set) var matches = 0

  /// Nil if the system does not record what it reads.
  ///
  /// - Parameter omitted: parts of the rule to leave out.
  init?(_ system: TransitionSystem, without omitted: StatefulSearch.Omission) {
    guard system.startRecordingReads() else { return nil }
    self.system = system
    self.omitted = omitted
    live = LiveWords(wordCount: system.objectCount)
  }

  deinit {
    system.stopRecordingReads()
    candidateSets.deallocate()
    nextCandidates.deallocate()
    accessed.deallocate()
  }

  var bytes: Int {
    candidates.bytes + candidateSets.count * 8 + finished.bytes + live.bytes
  }

  /// False once many states were looked up and few were found.
  ///
  /// Where every state is new, recording reads costs as much as it could save.
  var isWorthwhile: Bool { lookups < 16_384 || matches * 64 > lookups }

  /// Set once something was read that is in no word and no position, so that what is read below the
  /// nodes of the stack is not known any more.
  private(set) var readsMore = false

  // MARK: What is read below a node

  /// Forgets what was read by steps that are not part of the search.
  func discardReads() {
    accessed.removeAll()
    _ = system.takeReads(into: accessed)
  }

  /// Adds to a row what was read since the last call.
  @inline(__always)
  func noteReads(inRow row: Int) {
    accessed.removeAll()
    if !system.takeReads(into: accessed) { readsMore = true }
    for index in 0..<accessed.count { live.insert(accessed[index], inRow: row) }
  }

  /// Adds to a node's row what is read below its latest step and was not written by that step.
  @inline(__always)
  func takeBack(toRow row: Int) {
    accessed.removeAll()
    system.addWordsWritten(to: accessed)
    for index in 0..<accessed.count { live.remove(accessed[index], fromRow: row &+ 1) }
    if omitted.contains(.laterReads) { return }
    live.merge(row: row &+ 1, into: row)
  }

  /// Adds the words of a set, with CPUs exchanged, to a row.
  func merge(_ set: Int, _ permutation: Int, intoRow row: Int) {
    if permutation == 0 { return live.merge(set: set, intoRow: row) }
    for word in live.words(of: set) {
      live.insert(system.image(ofObject: word, under: permutation), inRow: row)
    }
  }

  /// Makes a row the image of another with CPUs exchanged.
  func translate(_ row: Int, _ permutation: Int, toRow target: Int) {
    let set = live.set(ofRow: row)
    live.clear(row: target)
    merge(set, permutation, intoRow: target)
  }

  // MARK: States

  /// The number of the summary of a finished state that matches the current one, or nil.
  func find() -> Int? {
    guard let positions = system.positionsKey else { return nil }
    lookups += 1
    guard var candidate = candidates.find(positions).map({ Int($0) }) else { return nil }
    while candidate >= 0 {
      if let set = finished.find(key(positions, Int(candidateSets[candidate]))) {
        matches += 1
        return Int(set)
      }
      candidate = Int(nextCandidates[candidate])
    }
    return nil
  }

  /// Stores the summary of the current state, with the set of words that are read below it.
  func store(_ summary: Int, reading set: Int) {
    guard let positions = system.positionsKey else { return }
    finished.set(key(positions, set), UInt32(truncatingIfNeeded: summary))
    let first = candidates.find(positions).map { Int($0) } ?? -1
    var candidate = first
    while candidate >= 0 {
      if Int(candidateSets[candidate]) == set { return }
      candidate = Int(nextCandidates[candidate])
    }
    candidates.set(positions, UInt32(truncatingIfNeeded: candidateSets.count))
    candidateSets.append(Int32(truncatingIfNeeded: set))
    nextCandidates.append(Int32(truncatingIfNeeded: first))
  }

  @inline(__always)
  private func key(_ positions: UInt64, _ set: Int) -> UInt64 {
    let values = omitted.contains(.values) ? 0 : system.valuesKey(of: live.words(of: set))
    return StableHash.extend(StableHash.extend(positions, with: UInt64(set)), with: values)
  }

  // MARK: Checkpoints

  func save(rows: Int, to writer: CheckpointWriter) {
    live.save(rows: rows, to: writer)
    candidates.save(to: writer)
    writer.write(candidateSets.count)
    for index in 0..<candidateSets.count {
      writer.write(Int(candidateSets[index]))
      writer.write(Int(nextCandidates[index]))
    }
    finished.save(to: writer)
    writer.write(lookups)
    writer.write(matches)
  }

  /// - Parameter limit: greater than the number of every summary.
  func restore(
    rows: Int, summariesBelow limit: Int, from reader: CheckpointReader
  ) throws(CheckpointError) {
    try live.restore(rows: rows, from: reader)
    try candidates.restore(from: reader, below: Int(UInt32.max))
    for index in 0..<(try reader.count(ofBytes: 16)) {
      candidateSets.append(Int32(try reader.number(in: 0..<live.setCount)))
      nextCandidates.append(Int32(try reader.number(in: -1..<index)))
    }
    guard candidates.largestNumber < candidateSets.count else { throw .malformed }
    try finished.restore(from: reader, below: limit)
    lookups = try reader.number(in: 0..<Int.max)
    matches = try reader.number(in: 0..<Int.max)
    discardReads()
  }
}
