// What a search in pieces knows between two rounds, or two parts of one, to be saved and read back.

import GracewalkSupport

extension PieceTeam {
  var path: [Schedule.Step] { first.path }

  func willRetrace(_ step: Schedule.Step) { first.willRetrace(step) }

  func save(to writer: CheckpointWriter) {
    writer.write(isDivided)
    guard isDivided else { return first.save(to: writer) }
    let junctions = numberedJunctions
    writer.write(junctions.count)
    for junction in junctions { save(junction, to: writer) }
    let open = omitted.contains(.savedBranches) ? [] : open
    writer.write(open.count)
    for junction in open { writer.write(junction.number ?? 0) }
    writer.write(members.count)
    for (number, member) in members.enumerated() {
      if number > 0 { Checkpointer.saveWay(of: member, member.system, to: writer) }
      member.save(to: writer)
      member.savePiece(to: writer, findings: !omitted.contains(.savedFindings))
    }
    for junction in junctions { junction.number = nil }
  }

  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    guard try reader.flag() else { return try first.restore(from: reader) }
    let junctions = try junctions(from: reader)
    for _ in 0..<(try reader.count()) {
      let junction = junctions[try reader.number(in: 0..<junctions.count)]
      guard !junction.isOpen else { throw .malformed }
      junction.isOpen = true
      open.append(junction)
    }
    let memberCount = try reader.number(in: 1..<max(division.pieces, 1) + 1)
    while members.count < memberCount { addMember() }
    for (number, member) in members.enumerated() {
      if number > 0 { try Checkpointer.restoreWay(of: member, member.system, from: reader) }
      try member.restoreMember(from: reader)
      try member.restorePiece(from: reader, junctions, turns: division.pieceTurns)
      guard memberCount == 1 || member.needsNoTrail || !member.piece.trail.isEmpty else {
        throw .malformed
      }
    }
    isDivided = true
  }

  // MARK: Shared states

  /// The shared states that are still needed, each after its parent.
  private var numberedJunctions: [Junction] {
    var all: [Junction] = []
    let ends = open + members.compactMap { $0.needsNoTrail ? nil : $0.piece.trail.last }
    for end in ends where end.number == nil {
      for junction in end.trail where junction.number == nil {
        junction.number = all.count
        all.append(junction)
      }
    }
    return all
  }

  private func save(_ junction: Junction, to writer: CheckpointWriter) {
    writer.write(junction.parent?.number ?? -1)
    if let step = junction.step {
      writer.write(step.cpu)
      writer.write(step.choice)
    }
    junction.node.save(to: writer)
    writer.write(junction.begun.count)
    for begun in junction.begun {
      writer.write(begun.cpu)
      writer.write(begun.choiceCount)
    }
    writer.write(junction.choicesLeft.count)
    for branch in junction.choicesLeft { branch.save(to: writer) }
  }

  /// Reads shared states, and goes to each of them to see that it is there.
  private func junctions(from reader: CheckpointReader) throws(CheckpointError) -> [Junction] {
    let system = first.system
    let path = first.retracedPath
    for _ in path { system.undo() }
    var junctions: [Junction] = []
    /// The steps that the system has taken.
    var way: [Schedule.Step] = []
    for number in 0..<(try reader.count(ofBytes: 80)) {
      let parent = try reader.number(in: -1..<number)
      guard (parent < 0) == (number == 0) else { throw .malformed }
      var step: Schedule.Step?
      if parent >= 0 {
        step = Schedule.Step(
          cpu: try reader.number(in: 0..<system.cpuCount),
          choice: try reader.number(in: 0..<Int.max))
      }
      let above = parent < 0 ? nil : junctions[parent]
      let steps = (above?.trail.compactMap(\.step) ?? []) + [step].compactMap(\.self)
      try system.go(along: steps, from: &way)
      junctions.append(try Junction(below: above, by: step, system, from: reader))
    }
    try system.go(along: path, from: &way)
    return junctions
  }
}

extension TransitionSystem {
  /// Goes from one state to another, given the steps to both from the initial one.
  fileprivate func go(
    along steps: [Schedule.Step], from way: inout [Schedule.Step]
  ) throws(CheckpointError) {
    while !steps.starts(with: way) {
      undo()
      way.removeLast()
    }
    for step in steps[way.count...] {
      guard enabledCPUs().contains(step.cpu), step.choice < choiceCount(of: step.cpu) else {
        throw .malformed
      }
      guard self.step(step.cpu, choice: step.choice) == .clean else {
        throw .systemChanged(depth: way.count + 1)
      }
      way.append(step)
    }
  }
}

extension Junction {
  /// Reads a state that the system is in.
  fileprivate convenience init(
    below parent: Junction?, by step: Schedule.Step?, _ system: TransitionSystem,
    from reader: CheckpointReader
  ) throws(CheckpointError) {
    let node = try SourceSearch.Node(from: reader, cpuCount: system.cpuCount)
    guard node.enabled == system.enabledCPUs() else {
      throw .systemChanged(depth: (parent?.depth ?? -1) + 1)
    }
    var begun: [Begun] = []
    for _ in 0..<(try reader.count(ofBytes: 16)) {
      let cpu = try reader.number(in: 0..<system.cpuCount)
      guard node.enabled.contains(cpu) else { throw .malformed }
      let choiceCount = try reader.number(in: 1..<system.choiceCount(of: cpu) + 1)
      begun.append(Begun(cpu: cpu, choiceCount: choiceCount))
    }
    var choicesLeft: [Piece.Branch] = []
    for _ in 0..<(try reader.count(ofBytes: 24)) {
      let branch = try Piece.Branch(from: reader, cpuCount: system.cpuCount)
      choicesLeft.append(branch)
    }
    self.init(node, below: parent, by: step, begun: begun, choicesLeft: choicesLeft)
    guard choicesLeft.allSatisfy(hasBegun) else { throw .malformed }
  }

  /// True if a branch can be one of a step that a piece has begun with here.
  fileprivate func hasBegun(_ branch: Piece.Branch) -> Bool {
    guard branch.sleep.subtracting(node.enabled).isEmpty else { return false }
    return begun.contains { $0.cpu == branch.cpu && branch.choice < $0.choiceCount }
  }
}

extension Piece.Branch {
  func save(to writer: CheckpointWriter) {
    writer.write(cpu)
    writer.write(choice)
    writer.write(sleep)
  }

  init(from reader: CheckpointReader, cpuCount: Int) throws(CheckpointError) {
    cpu = try reader.number(in: 0..<cpuCount)
    choice = try reader.number(in: 0..<Int.max)
    sleep = try reader.cpus()
  }
}

// MARK: Pieces

extension SourceSearch {
  /// True for one that is done, and whose findings have been added.
  fileprivate var needsNoTrail: Bool { piece.isDone && piece.goal == nil }

  fileprivate func savePiece(to writer: CheckpointWriter, findings saves: Bool) {
    writer.write(piece.isDone)
    writer.write(piece.goal ?? -1)
    if needsNoTrail { return }
    writer.write(piece.trail.last?.number ?? -1)
    writer.write(piece.branch != nil)
    piece.branch?.save(to: writer)
    let count = saves ? findings.count : 0
    writer.write(count)
    for index in 0..<count {
      writer.write(findings[index].node)
      writer.write(findings[index].initials)
    }
  }

  fileprivate func restorePiece(
    from reader: CheckpointReader, _ junctions: [Junction], turns: Int
  ) throws(CheckpointError) {
    piece.isDone = try reader.flag()
    let goal = try reader.number(in: -1..<Int.max)
    piece.goal = goal < 0 ? nil : goal
    guard goal - statistics.transitions <= turns else { throw .malformed }
    if needsNoTrail { return }
    let last = try reader.number(in: -1..<junctions.count)
    if last >= 0 { piece.trail = junctions[last].trail }
    if try reader.flag() {
      piece.branch = try Piece.Branch(from: reader, cpuCount: system.cpuCount)
    }
    guard piece.branch == nil ? isOnTrail : canStart else { throw .malformed }
    for _ in 0..<(try reader.count(ofBytes: 16)) {
      let node = try reader.number(in: 0..<piece.trail.count)
      findings.append(Piece.Finding(node: node, initials: try reader.cpus()))
    }
    guard piece.goal != nil || findings.isEmpty else { throw .malformed }
    sharedCount = piece.branch == nil ? piece.trail.count : 0
  }

  /// True if the stack leads along the shared states, and then along a branch that was begun.
  private var isOnTrail: Bool {
    guard nodes.count >= max(piece.trail.count, 1) else { return false }
    for (index, junction) in piece.trail.enumerated() {
      guard junction.node.enabled == nodes[index].enabled else { return false }
      guard let step = junction.step else { continue }
      let before = nodes[index - 1]
      guard step.cpu == before.cpu, step.choice == before.choice else { return false }
    }
    guard let last = piece.trail.last else { return true }
    return last.begun.contains { $0.cpu == nodes[piece.trail.count - 1].cpu }
  }

  /// True if the branch with which the piece is to start is one of its last shared state.
  private var canStart: Bool {
    guard let branch = piece.branch, let last = piece.trail.last else { return false }
    return last.hasBegun(branch) && !piece.isDone && piece.goal != nil
  }
}
