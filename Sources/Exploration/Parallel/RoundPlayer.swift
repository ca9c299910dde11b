// Plays members' parts of rounds that another process has sent.

import GracewalkSupport

/// A process that plays parts of the rounds of one search.
///
/// It keeps what all members know, so that it needs to be told only what is new.
package final class RoundPlayer {
  private let team: SearchTeam

  package init(
    _ options: SearchOptions, _ division: ParallelSearch.Division,
    makeSystem: @escaping () -> TransitionSystem
  ) {
    team = SearchTeam(options, division, makeSystem: makeSystem)
    team.isDivided = true
  }

  /// Takes in what all members are told before a round; if it throws, the player is worth nothing.
  package func learn(_ news: [UInt8]) throws(CheckpointError) {
    guard let reader = CheckpointReader(news) else { throw .malformed }
    try team.learn(from: reader)
  }

  /// Plays one member's part; returns the answer, or nothing if `watch` has ended it.
  package func play(
    _ member: [UInt8], watch: ((SearchProgress) -> Bool)? = nil
  ) throws(CheckpointError) -> [UInt8] {
    guard let reader = CheckpointReader(member) else { throw .malformed }
    return try team.play(reader, watch)
  }
}

extension SearchTeam {
  fileprivate func learn(from reader: CheckpointReader) throws(CheckpointError) {
    let system = spare ?? makeMember().system
    spare = system
    try summaries.extend(
      from: reader, cpuCount: system.cpuCount, objectCount: system.objectCount)
    for _ in 0..<(try reader.count(ofBytes: 12)) {
      let key = try reader.word()
      let set = try reader.half()
      guard set < summaries.setCount else { throw .malformed }
      states.set(key, set)
    }
    claims.removeAll()
    for _ in 0..<(try reader.count(ofBytes: 12)) {
      claims.set(try reader.word(), try reader.half())
    }
    guard reader.left == 0 else { throw .malformed }
  }

  fileprivate func play(
    _ part: CheckpointReader, _ watch: ((SearchProgress) -> Bool)?
  ) throws(CheckpointError) -> [UInt8] {
    let (stepCount, setCount) = (summaries.stepCount, summaries.setCount)
    // The next part is played by a player that knows what this one did.
    defer { summaries.truncate(steps: stepCount, sets: setCount) }
    let number = try part.number(in: 0..<Int(Int16.max))
    let turns = try part.number(in: 1..<Int.max)
    let member = makeMember(number)
    guard let membership = member.membership else { throw .malformed }
    let known = NewNumbers(base: setCount)
    for _ in 0..<(try part.count()) {
      let node = try part.number(in: 0..<Int.max)
      let task = try SharedTask(resultFrom: part, known, cpuCount: member.cpuCount)
      membership.handedOver.append(TeamMembership.HandedOver(node: node, task: task))
    }
    let given = membership.handedOver
    try membership.restorePutOff(from: part, nodes: Int.max, member.cpuCount)
    if try part.flag() {
      membership.task = try SharedTask(from: part, cpuCount: member.cpuCount)
    }
    membership.isNew = try part.flag()
    try Checkpointer.restoreWay(of: member, member.system, from: part)
    try member.restoreMember(from: part, known, summaries)
    guard part.left == 0 else { throw .malformed }
    if let watch {
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
    let answer = Self.bytes { saveAnswer(member, given, stepCount, setCount, to: $0) }
    if member.ending == nil {
      member.happensBefore.unwind(member.system)
      spare = member.system
    }
    return answer
  }

  private func saveAnswer(
    _ member: StatefulSearch, _ given: [TeamMembership.HandedOver], _ stepCount: Int,
    _ setCount: Int, to writer: CheckpointWriter
  ) {
    guard let membership = member.membership else { return }
    let isWhole = member.ending == nil && member.system.isFitToSave()
    writer.write(isWhole)
    if !isWhole { return }
    // What is written below may give numbers to more sets.
    let rest = Self.bytes { writer in
      writer.write(membership.isDone)
      writer.write(membership.handedOver.count)
      for gift in membership.handedOver {
        writer.write(given.firstIndex { $0.task === gift.task } ?? 0)
      }
      let task = membership.isDone ? membership.task : nil
      writer.write(task != nil)
      task?.saveOutcome(to: writer)
      writer.write(member.log.count)
      for index in 0..<member.log.count { member.log[index].save(to: writer) }
      Checkpointer.saveWay(of: member, member.system, to: writer)
      member.saveMember(to: writer)
      membership.savePutOff(to: writer)
    }
    summaries.save(after: stepCount, setCount, to: writer)
    rest.dropLast(8).withUnsafeBytes { writer.write($0) }
  }
}
