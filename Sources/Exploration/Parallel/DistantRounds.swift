// Rounds of a team that other processes play: what is sent to them, and what they answer.

import GracewalkSupport

/// Plays rounds of a divided search elsewhere.
package struct DistantRounds {
  /// Rounds with fewer transitions of a member are played here.
  package var turnsMin: Int
  /// Plays a round: gets what all members need and were not told before, and what each needs, and
  /// returns an answer for each; nil to interrupt the search.
  package var play: (_ news: [UInt8], _ members: [[UInt8]]) -> [[UInt8]]?

  package init(
    turnsMin: Int, play: @escaping (_ news: [UInt8], _ members: [[UInt8]]) -> [[UInt8]]?
  ) {
    self.turnsMin = turnsMin
    self.play = play
  }
}

extension SearchTeam {
  /// Has a round played elsewhere, and takes over each member as it is then; false if that was
  /// interrupted.
  ///
  /// The result is that of playing it here, whoever does it: a member's part of a round depends
  /// only on what was sent. A member that finds something, or cannot be saved, plays its part here
  /// again, so that this process sees how the search ended.
  func playElsewhere(_ numbers: [Int], _ distant: DistantRounds) -> Bool {
    let turns = turns
    // Parts first: they may give numbers to more sets.
    let parts = numbers.map { number in Self.bytes { savePart(of: number, turns, to: $0) } }
    let news = Self.bytes { saveNews(to: $0) }
    guard let answers = distant.play(news, parts), answers.count == parts.count else {
      return false
    }
    for (number, answer) in zip(numbers, answers) {
      guard let reader = CheckpointReader(answer), (try? reader.flag()) == true else {
        members[number].playRound(turns)
        continue
      }
      do throws(CheckpointError) { try takeOver(number, from: reader) } catch { return false }
    }
    return true
  }

  static func bytes(_ body: (CheckpointWriter) -> Void) -> [UInt8] {
    var bytes: [UInt8] = []
    let writer = CheckpointWriter { bytes.append(contentsOf: $0) }
    body(writer)
    writer.finish()
    return bytes
  }

  /// Writes what has changed since the last time: steps and sets, finished states, and all claims.
  private func saveNews(to writer: CheckpointWriter) {
    summaries.save(after: stepsTold, setsTold, to: writer)
    (stepsTold, setsTold) = (summaries.stepCount, summaries.setCount)
    if keepsJournal {
      writer.write(journal.count)
      for index in 0..<journal.count {
        writer.write(journal[index].key)
        writer.write(journal[index].set)
      }
      journal.removeAll()
    } else {
      keepsJournal = true
      writer.write(states)
    }
    writer.write(claims)
  }

  /// Writes what only one member needs.
  private func savePart(of number: Int, _ turns: Int, to writer: CheckpointWriter) {
    let member = members[number]
    guard let membership = member.membership else { return }
    writer.write(number)
    writer.write(turns)
    writer.write(membership.handedOver.count)
    for gift in membership.handedOver {
      writer.write(gift.node)
      gift.task.saveResult(to: writer)
    }
    membership.savePutOff(to: writer)
    writer.write(membership.task != nil)
    membership.task?.save(to: writer)
    writer.write(membership.isNew)
    Checkpointer.saveWay(of: member, member.system, to: writer)
    member.saveMember(to: writer)
  }

  /// Reads what an answer says of a member, which then replaces it.
  private func takeOver(
    _ number: Int, from reader: CheckpointReader
  ) throws(CheckpointError) {
    let member = members[number]
    let new = makeMember(number, insteadOf: member)
    let (_, sets) = try summaries.adopt(
      from: reader, cpuCount: new.cpuCount, objectCount: new.system.objectCount)
    guard let old = member.membership, let membership = new.membership else { throw .malformed }
    membership.isActive = true
    membership.isDone = try reader.flag()
    for _ in 0..<(try reader.count()) {
      membership.handedOver.append(old.handedOver[try reader.number(in: 0..<old.handedOver.count)])
    }
    let result = try reader.flag() ? try TaskResult(from: reader, sets, new.cpuCount) : nil
    for _ in 0..<(try reader.count(ofBytes: 16)) {
      new.log.append(try FinishedState(from: reader, sets))
    }
    try Checkpointer.restoreWay(of: new, new.system, from: reader)
    try new.restoreMember(from: reader, sets, summaries)
    try membership.restorePutOff(from: reader, nodes: new.nodes.count, new.cpuCount)
    guard reader.left == 0 else { throw .malformed }
    membership.task = old.task
    if let task = old.task, let result { result.note(in: task) }
    old.task?.taker = new
    members[number] = new
    member.happensBefore.unwind(member.system)
    spare = member.system
  }
}

extension CheckpointWriter {
  /// Writes keys with their numbers.
  fileprivate func write(_ map: SummaryMap) {
    write(map.count)
    map.forEach { key, number in
      write(key)
      write(number)
    }
  }
}

extension FinishedState {
  func save(to writer: CheckpointWriter) {
    writer.write(key)
    writer.write(set)
    writer.write(UInt32(bitPattern: stateCount) << 2 | (isEnd ? 1 : 0) | (isRevisit ? 2 : 0))
  }

  init(from reader: CheckpointReader, _ sets: NewNumbers) throws(CheckpointError) {
    key = try reader.word()
    set = UInt32(try sets.new(Int(try reader.half())))
    let rest = try reader.half()
    stateCount = Int32(rest >> 2)
    (isEnd, isRevisit) = (rest & 1 != 0, rest & 2 != 0)
  }
}

/// The results of a task.
struct TaskResult {
  private let additions: [CPUSet]
  private let summary: UInt32
  private var sleeper: SharedTask.Sleeper?

  init(
    from reader: CheckpointReader, _ sets: NewNumbers, _ cpuCount: Int
  ) throws(CheckpointError) {
    additions = try reader.words().map { CPUSet(bits: $0) }
    summary = UInt32(try sets.new(try reader.number(in: 0..<Int(Int32.max))))
    guard try reader.flag() else { return }
    var sleeper = try SharedTask.Sleeper(from: reader, cpuCount: cpuCount)
    sleeper.step = try reader.steps?.new(sleeper.step) ?? sleeper.step
    sleeper.set = UInt32(try sets.new(Int(sleeper.set)))
    self.sleeper = sleeper
  }

  func note(in task: SharedTask) {
    task.additions = additions
    task.summary = summary
    task.sleeper = sleeper
  }
}

extension SharedTask {
  /// Writes whether the task is done, and then its results.
  func saveResult(to writer: CheckpointWriter) {
    writer.write(isDone)
    if isDone { saveOutcome(to: writer) }
  }

  func saveOutcome(to writer: CheckpointWriter) {
    writer.write(additions.map(\.bits))
    writer.write(Int(summary))
    writer.write(sleeper != nil)
    sleeper?.save(to: writer)
  }

  /// A task that another member has, of which only the results matter.
  convenience init(
    resultFrom reader: CheckpointReader, _ sets: NewNumbers, cpuCount: Int
  ) throws(CheckpointError) {
    self.init(path: [], enablers: [])
    isDone = try reader.flag()
    if isDone { try TaskResult(from: reader, sets, cpuCount).note(in: self) }
  }
}
