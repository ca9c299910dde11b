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
  private let summaries: SummaryTable
  let live: LiveWords
  /// In a team, what was finished in this round.
  let table = MatchTable()
  /// In a team, what was finished in earlier rounds, by shared numbers.
  var teamTable: Unmanaged<MatchTable>?
  /// In a team, what was finished in this round, in order.
  let log = GrowableBuffer<MatchableState>()
  private let accessed = GrowableBuffer<UInt32>()
  /// States that were looked up, and those that were found.
  private(set) var lookups = 0
  private(set) var matches = 0

  /// Nil if the system does not record what it reads.
  ///
  /// - Parameter omitted: parts of the rule to leave out.
  init?(
    _ system: TransitionSystem, _ summaries: SummaryTable, without omitted: StatefulSearch.Omission
  ) {
    guard system.startRecordingReads() else { return nil }
    self.system = system
    self.summaries = summaries
    self.omitted = omitted
    live = LiveWords(wordCount: system.objectCount)
    summaries.live = live
  }

  deinit {
    system.stopRecordingReads()
    summaries.live = nil
    accessed.deallocate()
    log.deallocate()
  }

  var bytes: Int { table.bytes + live.bytes }

  /// False once many states were looked up and few were found.
  ///
  /// Where every state is new, recording reads costs as much as it could save.
  var isWorthwhile: Bool { Self.isWorthwhile(lookups, matches) }

  static func isWorthwhile(_ lookups: Int, _ matches: Int) -> Bool {
    lookups < 16_384 || matches * 64 > lookups
  }

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

  /// A finished state that matches the current one.
  enum Match {
    /// By the number of its summary.
    case own(Int)
    /// In a team, by the shared number.
    case shared(Int)
  }

  func find() -> Match? {
    guard let positions = system.positionsKey else { return nil }
    lookups += 1
    if let set = table.find(positions, key: { key(positions, $0) }) {
      matches += 1
      return .own(set)
    }
    guard let teamTable else { return nil }
    let set = teamTable._withUnsafeGuaranteedRef {
      $0.find(positions, key: { key(positions, summaries.adopt(reads: $0)) })
    }
    guard let set else { return nil }
    matches += 1
    return .shared(set)
  }

  /// Stores the summary of the current state, with the set of words that are read below it.
  func store(_ summary: Int, reading set: Int) {
    guard let positions = system.positionsKey else { return }
    let state = MatchableState(
      positions: positions, key: key(positions, set), reads: Int32(truncatingIfNeeded: set),
      summary: UInt32(truncatingIfNeeded: summary))
    table.store(state)
    if teamTable != nil { log.append(state) }
  }

  @inline(__always)
  private func key(_ positions: UInt64, _ set: Int) -> UInt64 {
    let values = omitted.contains(.values) ? 0 : system.valuesKey(of: live.words(of: set))
    return StableHash.extend(StableHash.extend(positions, with: live.hash(of: set)), with: values)
  }

  // MARK: Rounds

  /// Gives the states that were finished in a round the numbers that all members use.
  func publishLog() {
    for index in 0..<log.count {
      let state = log.pointer(to: index)
      let reads = summaries.publish(reads: Int(state.pointee.reads))
      state.pointee.reads = Int32(truncatingIfNeeded: reads)
      state.pointee.summary = UInt32(summaries.publish(Int(state.pointee.summary)))
    }
  }

  /// Adds what was finished in a round to what was finished before.
  func addLog(to team: MatchTable) {
    var touched: UInt64 = 0
    for index in 0..<log.count { touched &+= team.touch(log[index]) }
    team.touched &+= touched
    for index in 0..<log.count { team.store(log[index]) }
  }

  /// Forgets what was finished in a round.
  func roundHasEnded() {
    log.removeAll()
    table.removeAll()
  }

  // MARK: Checkpoints

  func save(rows: Int, to writer: CheckpointWriter) {
    live.save(rows: rows, to: writer)
    // A team is saved between two rounds.
    if teamTable == nil { table.save(to: writer) }
    writer.write(lookups)
    writer.write(matches)
  }

  /// - Parameter limit: greater than the number of every summary.
  func restore(
    rows: Int, summariesBelow limit: Int, from reader: CheckpointReader
  ) throws(CheckpointError) {
    try live.restore(rows: rows, from: reader)
    if teamTable == nil {
      try table.restore(setsBelow: live.setCount, summariesBelow: limit, from: reader)
    }
    lookups = try reader.number(in: 0..<Int.max)
    matches = try reader.number(in: 0..<Int.max)
    discardReads()
  }
}
