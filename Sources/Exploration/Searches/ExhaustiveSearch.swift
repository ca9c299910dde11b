// Every interleaving, without reduction: the oracle for all reductions.

import GracewalkSupport

/// Depth-first search over all steps of all enabled CPUs.
///
/// It shares no code with the reductions. It may merge equal states; otherwise it enumerates plain
/// interleavings. Bounds on preemptions or steps are exact: a state is explored again whenever more
/// of the budget is left than at every earlier visit.
public final class ExhaustiveSearch: ResumableSearch {
  private struct Node: SearchNode {
    var left: CPUSet
    var enabled: CPUSet
    /// The CPU that took the step leading here, or -1.
    var arrivedBy: Int
    var preemptions: Int
    var cpu = 0
    var choice = 0
    var choiceCount = 0
  }

  private let system: TransitionSystem
  private let options: SearchOptions
  private let budget: Budget
  private let visited: StateTable?
  /// Set if states are to be compared in full.
  private let exact: ExactStates?
  private let nodes = GrowableBuffer<Node>()
  private var statistics = Statistics()
  private var finalStates: [UInt64] = []
  private var prunedByPreemptions = false

  public init(
    _ system: TransitionSystem, _ options: SearchOptions, mergesStates: Bool = true
  ) {
    self.system = system
    self.options = options
    budget = Budget(options)
    visited = mergesStates ? StateTable() : nil
    exact = mergesStates && options.isExact ? ExactStates() : nil
  }

  deinit { nodes.deallocate() }

  /// Explores until everything is explored, a violation is found or a limit is reached.
  ///
  /// Call it once.
  ///
  /// On a violation the system is left at the end of the schedule; otherwise at its start.
  public func run() -> SearchResult {
    let begun = budget.begin(self, system) { arrive(by: -1, preemptions: 0) }
    if let begun { return result(begun) }
    while !nodes.isEmpty {
      if let bound = budget.exceeded(
        statistics, depth: nodes.count, bytes: bytes, explored: explored)
      {
        unwind()
        return result(.bounded(bound))
      }
      guard chooseStep() else {
        nodes.truncate(to: nodes.count - 1)
        if !nodes.isEmpty { system.undo() }
        continue
      }
      if let stop = takeStep() { return result(stop) }
    }
    if prunedByPreemptions { return result(.bounded(.preemptions)) }
    return result(statistics.truncated > 0 ? .bounded(.depth) : .complete)
  }

  private var bytes: Int { (visited?.bytes ?? 0) + (exact?.bytes ?? 0) }

  private func chooseStep() -> Bool {
    let node = nodes.pointer(to: nodes.count - 1)
    if node.pointee.choice + 1 < node.pointee.choiceCount {
      node.pointee.choice += 1
      return true
    }
    guard let cpu = node.pointee.left.popLowest() else { return false }
    node.pointee.cpu = cpu
    node.pointee.choice = 0
    node.pointee.choiceCount = system.choiceCount(of: cpu)
    return true
  }

  private func takeStep() -> Ending? {
    let node = nodes[nodes.count - 1]
    let leaves = node.arrivedBy >= 0 && node.arrivedBy != node.cpu
    let preempts =
      leaves && node.enabled.contains(node.arrivedBy)
      && system.isPreemption(leaving: node.arrivedBy)
    let preemptions = node.preemptions + (preempts ? 1 : 0)
    if let limit = budget.limits.preemptions, preemptions > limit {
      prunedByPreemptions = true
      return nil
    }
    statistics.transitions += 1
    if let stop = system.step(node.cpu, choice: node.choice).ending {
      if stop == .violation { statistics.executions += 1 }
      return stop
    }
    let deeper = nodes.count
    if let stop = arrive(by: node.cpu, preemptions: preemptions) { return stop }
    if nodes.count == deeper { system.undo() }
    return nil
  }

  private func arrive(by cpu: Int, preemptions: Int) -> Ending? {
    let depth = nodes.count
    statistics.depthMax = max(statistics.depthMax, depth)
    guard isNew(arrivedBy: cpu, preemptions: preemptions, depth: depth) else { return nil }
    let enabled = system.enabledCPUs()
    if enabled.isEmpty {
      statistics.executions += 1
      if options.collectsFinalStates { finalStates.append(system.stateKey) }
      return system.judgeEnd().ending
    }
    if depth >= budget.limits.depth {
      statistics.truncated += 1
      return nil
    }
    nodes.append(Node(left: enabled, enabled: enabled, arrivedBy: cpu, preemptions: preemptions))
    return nil
  }

  private func isNew(arrivedBy cpu: Int, preemptions: Int, depth: Int) -> Bool {
    guard let visited else { return true }
    var key = system.stateKey
    var left = StateTable.Budget(preemptions: 0, steps: Int32(budget.limits.depth - depth))
    var context: UInt64 = 0
    if let limit = budget.limits.preemptions {
      context = UInt64(bitPattern: Int64(cpu))
      key = StableHash.extend(key, with: context)
      left.preemptions = Int32(limit - preemptions)
    }
    if let exact {
      key = exact.key(of: key, context: context, in: system)
      statistics.collisions = exact.collisions
    }
    defer { statistics.states = visited.count }
    return visited.visit(key, budget: left)
  }

  private func unwind() {
    for _ in 1..<nodes.count { system.undo() }
  }

  /// The explored part, estimated from the stack; nil when it is empty.
  private var explored: Double? {
    guard !nodes.isEmpty else { return nil }
    var part = ExploredPart(ratio: visited == nil ? 1 : ExploredPart.mergingRatio)
    for index in 0..<nodes.count where !part.isSettled {
      let node = nodes[index]
      let known = node.enabled.count
      if node.choiceCount == 0 {
        part.add(done: 0, known: known)
      } else {
        // The last step taken at the top node has been undone.
        let isDone = index == nodes.count - 1
        part.add(
          done: known - node.left.count - 1, known: known,
          choice: node.choice + (isDone ? 1 : 0), of: node.choiceCount)
      }
    }
    return part.explored
  }

  // MARK: Checkpoints

  /// All steps on the stack except that of the top node, which has not been taken yet.
  var path: [Schedule.Step] { nodes.steps(first: nodes.count - 1) }

  func willRetrace(_ step: Schedule.Step) {}

  func save(to writer: CheckpointWriter) {
    statistics.save(to: writer)
    writer.write(finalStates)
    writer.write(prunedByPreemptions)
    writer.write(nodes.count)
    for index in 0..<nodes.count {
      let node = nodes[index]
      for set in [node.left, node.enabled] { writer.write(set) }
      for number in [node.arrivedBy, node.preemptions, node.cpu, node.choice, node.choiceCount] {
        writer.write(number)
      }
    }
    writer.write(visited != nil)
    visited?.save(to: writer)
    exact?.save(to: writer)
  }

  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    statistics = try Statistics(from: reader)
    finalStates = try reader.words()
    prunedByPreemptions = try reader.flag()
    for _ in 0..<(try reader.count(ofBytes: 56)) {
      var node = Node(
        left: try reader.cpus(), enabled: try reader.cpus(),
        arrivedBy: try reader.number(in: -1..<system.cpuCount),
        preemptions: try reader.number(in: 0..<Int.max))
      node.cpu = try reader.number(in: 0..<system.cpuCount)
      node.choice = try reader.number(in: 0..<Int.max)
      node.choiceCount = try reader.number(in: 0..<Int.max)
      nodes.append(node)
    }
    guard !nodes.isEmpty, try reader.flag() == (visited != nil) else { throw .malformed }
    try visited?.restore(from: reader)
    try exact?.restore(from: reader)
  }

  private func result(_ ending: Ending) -> SearchResult {
    SearchResult(
      ending, statistics, finalStates: finalStates, explored: explored,
      steps: nodes.steps(first: nodes.count))
  }
}
