// Rounds of a team that other processes play: what is sent to them, and what they answer.

import GracewalkSupport

/// Plays rounds of a divided search elsewhere.
package struct DistantRounds {
  /// Rounds with fewer transitions of a member are played here.
  package var turnsMin: Int
  /// Plays a round: gets what all members need, and what each needs, and returns an answer for
  /// each; nil to interrupt the search.
  package var play: (_ common: [UInt8], _ members: [[UInt8]]) -> [[UInt8]]?

  package init(
    turnsMin: Int, play: @escaping (_ common: [UInt8], _ members: [[UInt8]]) -> [[UInt8]]?
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
  /// only on what is sent. A member that finds something, or cannot be saved, plays its part here
  /// again, so that this process sees how the search ended.
  func playElsewhere(_ numbers: [Int], _ distant: DistantRounds) -> Bool {
    let turns = turns
    let common = Self.bytes {
      summaries.save(to: $0)
      states.save(to: $0)
    }
    let parts = numbers.map { number in Self.bytes { savePart(of: number, turns, to: $0) } }
    guard let answers = distant.play(common, parts), answers.count == parts.count else {
      return false
    }
    for (number, answer) in zip(numbers, answers) {
      let isTaken = (try? takeOver(number, from: answer)) ?? false
      if !isTaken { members[number].playRound(turns) }
    }
    return true
  }

  private static func bytes(_ body: (CheckpointWriter) -> Void) -> [UInt8] {
    var bytes: [UInt8] = []
    let writer = CheckpointWriter { bytes.append(contentsOf: $0) }
    body(writer)
    writer.finish()
    return bytes
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
      gift.task.save(to: writer)
    }
    writer.write(membership.task != nil)
    membership.task?.save(to: writer)
    writer.write(membership.isNew)
    Checkpointer.saveWay(of: member, member.system, to: writer)
    member.save(to: writer)
  }

  /// Reads what an answer says of a member, which then replaces it; false if it has to play here.
  private func takeOver(_ number: Int, from bytes: [UInt8]) throws(CheckpointError) -> Bool {
    guard let reader = CheckpointReader(bytes) else { throw .malformed }
    guard try reader.flag(), let old = members[number].membership else { return false }
    let new = makeMember(number)
    let (_, sets) = try summaries.adopt(
      from: reader, cpuCount: new.cpuCount, objectCount: new.system.objectCount)
    guard let membership = new.membership else { throw .malformed }
    membership.isActive = true
    membership.isDone = try reader.flag()
    for _ in 0..<(try reader.count()) {
      membership.handedOver.append(old.handedOver[try reader.number(in: 0..<old.handedOver.count)])
    }
    let result = try reader.flag() ? try TaskResult(from: reader, sets, new.cpuCount) : nil
    for _ in 0..<(try reader.count(ofBytes: 32)) {
      new.log.append(
        FinishedState(
          key: try reader.word(),
          set: UInt32(try sets.new(try reader.number(in: 0..<Int(UInt32.max)))),
          stateCount: Int32(try reader.number(in: 0..<Int(Int32.max))), isEnd: try reader.flag()))
    }
    try Checkpointer.restoreWay(of: new, new.system, from: reader)
    try new.restore(from: reader)
    guard reader.left == 0 else { throw .malformed }
    membership.task = old.task
    if let task = old.task, let result { result.note(in: task) }
    old.task?.taker = new
    members[number] = new
    return true
  }
}

/// The results of a task, as a member elsewhere has found them.
private struct TaskResult {
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

extension ParallelSearch {
  /// Plays one member's part of a round that was sent here; returns the answer, or nothing if the
  /// observer of the search has ended it.
  package static func play(
    common: [UInt8], member: [UInt8], _ options: SearchOptions, _ division: Division,
    makeSystem: @escaping () -> TransitionSystem
  ) throws(CheckpointError) -> [UInt8] {
    guard let common = CheckpointReader(common), let part = CheckpointReader(member) else {
      throw .malformed
    }
    return try SearchTeam(options, division, makeSystem: makeSystem).play(common, part)
  }
}

extension SearchTeam {
  fileprivate func play(
    _ common: CheckpointReader, _ part: CheckpointReader
  ) throws(CheckpointError) -> [UInt8] {
    isDivided = true
    let number = try part.number(in: 0..<Int(Int16.max))
    let turns = try part.number(in: 1..<Int.max)
    // Only this member plays; the others are placeholders, and never run.
    let member = makeMember(number)
    let (cpuCount, objectCount) = (member.cpuCount, member.system.objectCount)
    guard let membership = member.membership else { throw .malformed }
    try summaries.restore(from: common, cpuCount: cpuCount, objectCount: objectCount)
    try states.restore(from: common, below: max(summaries.setCount, 1))
    let (stepCount, setCount) = (summaries.stepCount, summaries.setCount)
    for _ in 0..<(try part.count()) {
      let node = try part.number(in: 0..<Int.max)
      let task = try SharedTask(from: part, cpuCount: cpuCount)
      membership.handedOver.append(TeamMembership.HandedOver(node: node, task: task))
    }
    let given = membership.handedOver
    if try part.flag() { membership.task = try SharedTask(from: part, cpuCount: cpuCount) }
    membership.isNew = try part.flag()
    try Checkpointer.restoreWay(of: member, member.system, from: part)
    try member.restore(from: part)
    if let watch = options.watch {
      let start = ContinuousClock.now
      member.shouldContinue = { [unowned member] in
        watch(
          SearchProgress(
            statistics: member.statistics, depth: member.nodes.count,
            seconds: (ContinuousClock.now - start).inSeconds))
      }
    }
    member.playRound(turns)
    if member.isStopped { return [] }
    return Self.bytes { writer in
      let isWhole = member.ending == nil && member.system.isFitToSave()
      writer.write(isWhole)
      if !isWhole { return }
      summaries.save(after: stepCount, setCount, to: writer)
      writer.write(membership.isDone)
      writer.write(membership.handedOver.count)
      for gift in membership.handedOver {
        writer.write(given.firstIndex { $0.task === gift.task } ?? 0)
      }
      saveResult(of: membership, to: writer)
      writer.write(member.log.count)
      for index in 0..<member.log.count {
        let state = member.log[index]
        writer.write(state.key)
        writer.write(Int(state.set))
        writer.write(Int(state.stateCount))
        writer.write(state.isEnd)
      }
      Checkpointer.saveWay(of: member, member.system, to: writer)
      member.save(to: writer)
    }
  }

  private func saveResult(of membership: TeamMembership, to writer: CheckpointWriter) {
    let task = membership.isDone ? membership.task : nil
    writer.write(task != nil)
    guard let task else { return }
    writer.write(task.additions.map(\.bits))
    writer.write(Int(task.summary))
    writer.write(task.sleeper != nil)
    task.sleeper?.save(to: writer)
  }
}
