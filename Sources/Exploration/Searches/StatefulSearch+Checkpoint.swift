// Saving and restoring the state of a stateful search other than its path.

import GracewalkSupport

extension StatefulSearch {
  func willRetrace(_ step: Schedule.Step) { happensBefore.retrace(step.cpu, of: system) }

  func save(to writer: CheckpointWriter) {
    saveStack(to: writer)
    summaries.save(to: writer)
    knowledge.save(to: writer)
    saveFacts(to: writer) { $0 }
    writer.write(matching != nil)
    matching?.save(rows: nodes.count, to: writer)
    // The path was gone along again to save it, which is no part of the search.
    matching?.discardReads()
    if isInTeam { return }
    finished.save(to: writer)
    exact?.save(to: writer)
  }

  private func saveStack(to writer: CheckpointWriter) {
    statistics.save(to: writer)
    writer.write(finalStates)
    writer.write(nodes.count)
    for index in 0..<nodes.count {
      let node = nodes[index]
      for set in [node.enabled, node.backtrack, node.done, node.lent, node.sleep] {
        writer.write(set)
      }
      writer.write(node.key)
      let numbers = [
        Int(node.permutation), node.cpu, node.choice, Int(node.choiceCount), node.step,
        Int(node.stateCount), node.begun,
      ]
      for number in numbers { writer.write(number) }
      writer.write(node.isRevisit)
      writer.write(node.isContested)
    }
    writer.write(enablers, first: nodes.count * cpuCount)
  }

  /// Writes what is known of steps at each node.
  ///
  /// - Parameter number: the number by which a set is known to whoever reads it.
  private func saveFacts(to writer: CheckpointWriter, number: (Int) -> Int) {
    for index in 0..<nodes.count {
      for cpu in 0..<cpuCount { saveSleeper(cpu, at: index, to: writer, number: number) }
    }
    for index in 0..<nodes.count * cpuCount {
      writer.write(Int(pending[index]))
      writer.write(Int(disabledSteps[index]))
    }
    writer.write(ranBelow, first: nodes.count * summaries.stride)
  }

  /// Writes a member for another process that has the team's steps and sets.
  func saveMember(to writer: CheckpointWriter) {
    saveStack(to: writer)
    saveFacts(to: writer) { summaries.publish($0) }
    knowledge.saveFutures(to: writer)
  }

  /// Writes the recorded facts about a CPU asleep, done or between choices at a node; -1 for
  /// others.
  private func saveSleeper(
    _ cpu: Int, at index: Int, to writer: CheckpointWriter, number: (Int) -> Int
  ) {
    let node = nodes[index]
    let isBegun = node.cpu == cpu && node.choice > 0
    // On the way to where a task begins, nobody asks for those that are done.
    let isPath = index < membership?.base ?? 0
    let known = isPath ? node.sleep : node.sleep.union(node.done)
    let isKnown = known.contains(cpu) || (isBegun && !isPath)
    let place = index * cpuCount + cpu
    writer.write(isKnown ? Int(sleeperSteps[place]) : -1)
    writer.write(isKnown ? number(Int(sleeperSets[place])) : -1)
  }

  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    try restoreStack(from: reader)
    try summaries.restore(from: reader, cpuCount: cpuCount, objectCount: system.objectCount)
    try knowledge.restore(from: reader, of: summaries)
    try restoreFacts(from: reader, below: summaries.stepCount) { number throws(CheckpointError) in
      guard number < summaries.setCount else { throw .malformed }
      return number
    }
    try restoreMatching(from: reader)
    exact?.collisions = statistics.collisions
    if isInTeam { return }
    try finished.restore(from: reader, below: max(summaries.setCount, 1))
    try exact?.restore(from: reader)
  }

  private func restoreMatching(from reader: CheckpointReader) throws(CheckpointError) {
    if try !reader.flag() { return stopMatching() }
    guard let matching else { throw .malformed }
    try matching.restore(
      rows: nodes.count, summariesBelow: max(summaries.setCount, 1), from: reader)
    guard (0..<summaries.setCount).allSatisfy({ summaries.reads($0) < matching.live.setCount })
    else { throw .malformed }
  }

  /// Reads a member that another process has written.
  ///
  /// - Parameter sets: the numbers of sets that the other process has numbered.
  func restoreMember(
    from reader: CheckpointReader, _ sets: NewNumbers, _ shared: SharedSummaries
  ) throws(CheckpointError) {
    try restoreStack(from: reader)
    let (stepCount, setCount) = (shared.stepCount, shared.setCount)
    while summaries.stride * 64 < stepCount { lengthenRows() }
    try restoreFacts(from: reader, below: stepCount) { number throws(CheckpointError) in
      let number = try sets.new(number)
      guard number < setCount else { throw .malformed }
      return adopt(UInt32(number))
    }
    try knowledge.learnFutures(from: reader, of: summaries)
  }

  private func restoreStack(from reader: CheckpointReader) throws(CheckpointError) {
    statistics = try Statistics(from: reader)
    finalStates = try reader.words()
    for _ in 0..<(try reader.count(ofBytes: 120)) { nodes.append(try node(from: reader)) }
    // A member of a team may have nothing to do.
    let isIdle = isInTeam && nodes.isEmpty && happensBefore.count == 0
    guard nodes.count == happensBefore.count + 1 || isIdle else { throw .malformed }
    try reader.words(into: enablers, expected: nodes.count * cpuCount)
  }

  private func restoreFacts(
    from reader: CheckpointReader, below stepCount: Int,
    set: (Int) throws(CheckpointError) -> Int
  ) throws(CheckpointError) {
    guard nodes.all.allSatisfy({ $0.step < max(stepCount, 1) }) else { throw .malformed }
    let perCPU = nodes.count * cpuCount
    for _ in 0..<perCPU {
      sleeperSteps.append(Int32(try reader.step(below: stepCount)))
      let number = try reader.number(in: -1..<Int(Int32.max))
      sleeperSets.append(Int32(number < 0 ? -1 : try set(number)))
    }
    for _ in 0..<perCPU {
      pending.append(Int32(try reader.step(below: stepCount)))
      disabledSteps.append(Int32(try reader.step(below: stepCount)))
    }
    try reader.rows(nodes.count, ofWords: summaries.stride, into: ranBelow)
  }

  private func node(from reader: CheckpointReader) throws(CheckpointError) -> Node {
    var node = Node(
      enabled: try reader.cpus(), backtrack: try reader.cpus(), done: try reader.cpus(),
      lent: try reader.cpus(), sleep: try reader.cpus(), key: try reader.word(),
      permutation: Int16(try reader.number(in: 0..<system.permutationCount)))
    node.cpu = try reader.number(in: 0..<cpuCount)
    node.choice = try reader.number(in: 0..<Int.max)
    node.choiceCount = Int32(try reader.number(in: 0..<Int(Int32.max)))
    node.step = max(try reader.step(below: Int(Int32.max)), 0)
    node.stateCount = Int32(try reader.number(in: 1..<Int(Int32.max)))
    node.begun = try reader.number(in: 0..<Int.max)
    node.isRevisit = try reader.flag()
    node.isContested = try reader.flag()
    return node
  }
}
