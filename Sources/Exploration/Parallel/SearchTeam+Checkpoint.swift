// What a team knows between two rounds, to be saved and read back.

import GracewalkSupport

extension SearchTeam {
  var path: [Schedule.Step] { first.path }

  func willRetrace(_ step: Schedule.Step) { first.willRetrace(step) }

  func save(to writer: CheckpointWriter) {
    writer.write(isDivided)
    guard isDivided else { return first.save(to: writer) }
    writer.write(matches != nil)
    summaries.save(to: writer)
    matches?.save(to: writer)
    states.save(to: writer)
    exactStates?.save(to: writer)
    counts.save(to: writer)
    writer.write(statesTwice)
    writer.write(members.count)
    var tasks: [SharedTask] = []
    for member in members {
      let given = member.membership?.handedOver ?? []
      writer.write(given.count)
      for gift in given {
        writer.write(gift.node)
        gift.task.save(to: writer)
        tasks.append(gift.task)
      }
    }
    for (number, member) in members.enumerated() {
      writer.write(tasks.firstIndex { $0 === member.membership?.task } ?? -1)
      if number > 0 { Checkpointer.saveWay(of: member, member.system, to: writer) }
      member.save(to: writer)
      member.membership?.savePutOff(to: writer)
    }
  }

  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    isDivided = try reader.flag()
    guard isDivided else { return try first.restore(from: reader) }
    matches = try reader.flag() ? MatchTable() : nil
    guard matches == nil || first.matching != nil else { throw .malformed }
    first.join(self, number: 0)
    let (cpuCount, objectCount) = (first.cpuCount, first.system.objectCount)
    try summaries.restore(from: reader, cpuCount: cpuCount, objectCount: objectCount)
    try matches?.restore(
      setsBelow: summaries.readsCount, summariesBelow: max(summaries.setCount, 1), from: reader)
    try states.restore(from: reader, below: max(summaries.setCount, 1))
    try exactStates?.restore(from: reader)
    counts = try Statistics(from: reader)
    statesTwice = try reader.number(in: 0..<Int.max)
    let memberCount = try reader.number(in: 1..<Int(Int16.max))
    while members.count < memberCount { members.append(makeMember()) }
    var tasks: [SharedTask] = []
    for member in members {
      for _ in 0..<(try reader.count()) {
        let node = try reader.number(in: 0..<Int.max)
        let task = try SharedTask(from: reader, cpuCount: cpuCount)
        member.membership?.handedOver.append(TeamMembership.HandedOver(node: node, task: task))
        tasks.append(task)
      }
    }
    for (number, member) in members.enumerated() {
      let task = try reader.number(in: -1..<tasks.count)
      if task >= 0 {
        member.membership?.task = tasks[task]
        tasks[task].taker = member
      }
      if number > 0 { try Checkpointer.restoreWay(of: member, member.system, from: reader) }
      try member.restore(from: reader)
      try member.membership?.restorePutOff(from: reader, nodes: member.nodes.count, cpuCount)
      guard member.isBusy || task < 0 else { throw .malformed }
    }
    noteClaims()
  }
}

extension TeamMembership {
  func savePutOff(to writer: CheckpointWriter) {
    writer.write(putOff.count)
    for step in putOff {
      writer.write(step.node)
      writer.write(step.cpu)
      writer.write(step.key)
    }
  }

  func restorePutOff(
    from reader: CheckpointReader, nodes: Int, _ cpuCount: Int
  ) throws(CheckpointError) {
    for _ in 0..<(try reader.count(ofBytes: 24)) {
      putOff.append(
        PutOff(
          node: try reader.number(in: 0..<nodes), cpu: try reader.number(in: 0..<cpuCount),
          key: try reader.word()))
    }
  }
}

extension SharedTask {
  func save(to writer: CheckpointWriter) {
    writer.write(path.count)
    for node in path {
      for number in [node.cpu, node.choice, Int(node.permutation)] { writer.write(number) }
      for set in [node.enabled, node.backtrack, node.done, node.sleep] { writer.write(set) }
      writer.write(node.key)
      writer.write(node.isRevisit)
      writer.write(node.sleepers.count)
      for sleeper in node.sleepers { sleeper.save(to: writer) }
    }
    writer.write(enablers)
    writer.write(additions.map(\.bits))
    writer.write(Int(summary))
    writer.write(sleeper != nil)
    sleeper?.save(to: writer)
    writer.write(isDone)
  }

  convenience init(from reader: CheckpointReader, cpuCount: Int) throws(CheckpointError) {
    var path: [Node] = []
    for _ in 0..<(try reader.count(ofBytes: 80)) {
      path.append(try Node(from: reader, cpuCount: cpuCount))
    }
    guard !path.isEmpty else { throw .malformed }
    self.init(path: path, enablers: try reader.words())
    guard enablers.count == path.count * cpuCount else { throw .malformed }
    additions = try reader.words().map { CPUSet(bits: $0) }
    summary = UInt32(try reader.number(in: 0..<Int(Int32.max)))
    if try reader.flag() { sleeper = try Sleeper(from: reader, cpuCount: cpuCount) }
    isDone = try reader.flag()
  }
}

extension SharedTask.Node {
  init(from reader: CheckpointReader, cpuCount: Int) throws(CheckpointError) {
    cpu = try reader.number(in: 0..<cpuCount)
    choice = try reader.number(in: 0..<Int.max)
    permutation = Int16(try reader.number(in: 0..<Int(Int16.max)))
    enabled = try reader.cpus()
    backtrack = try reader.cpus()
    done = try reader.cpus()
    sleep = try reader.cpus()
    key = try reader.word()
    isRevisit = try reader.flag()
    sleepers = []
    for _ in 0..<(try reader.count(ofBytes: 24)) {
      sleepers.append(try SharedTask.Sleeper(from: reader, cpuCount: cpuCount))
    }
  }
}

extension SharedTask.Sleeper {
  func save(to writer: CheckpointWriter) {
    for number in [cpu, step, Int(set)] { writer.write(number) }
  }

  init(from reader: CheckpointReader, cpuCount: Int) throws(CheckpointError) {
    cpu = try reader.number(in: 0..<cpuCount)
    step = try reader.number(in: 0..<Int(Int32.max))
    set = UInt32(try reader.number(in: 0..<Int(Int32.max)))
  }
}
