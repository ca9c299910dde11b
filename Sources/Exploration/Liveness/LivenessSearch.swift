// Explores every state once, then looks for livelocks: for systems whose CPUs repeat.

import GracewalkSupport

/// Depth-first search over all states that keeps the graph of them, and looks for livelocks in it.
///
/// It judges steps and ends as `ExhaustiveSearch` does, and stops at the first violation. If there
/// is none, an execution may still loop forever: see `Livelocks`. States are merged, so the length
/// of an execution depends on the path that the search happens to take.
public final class LivenessSearch: ResumableSearch {
  private struct Node: BitwiseCopyable {
    var state: Int
    /// The next edge to follow, and the end of the state's edges.
    var next: Int
    var end: Int
  }

  private let system: TransitionSystem
  private let options: SearchOptions
  private let looksForLivelocks: Bool
  private let budget: Budget
  private let graph: StateGraph
  private let numbers = SummaryMap()
  /// Set if states are to be compared in full.
  private let exact: ExactStates?
  private let nodes = GrowableBuffer<Node>()
  private var statistics = Statistics()
  private var finalStates: [UInt64] = []

  /// `looksForLivelocks`: whether to look for executions that loop forever.
  public init(
    _ system: TransitionSystem, _ options: SearchOptions, looksForLivelocks: Bool = true
  ) {
    self.system = system
    self.options = options
    self.looksForLivelocks = looksForLivelocks
    budget = Budget(options)
    graph = StateGraph(cpuCount: system.cpuCount)
    exact = options.isExact ? ExactStates() : nil
  }

  deinit { nodes.deallocate() }

  /// Explores until everything is explored, a violation is found or a limit is reached.
  ///
  /// Call it once. On a violation that is no livelock the system is left at the end of the
  /// schedule; otherwise at its start. If a limit is reached, livelocks among the visited states
  /// are found.
  public func run() -> SearchResult {
    if let begun = budget.begin(self, system, begin) { return result(begun) }
    while !nodes.isEmpty {
      if let bound = budget.exceeded(
        statistics, depth: nodes.count, bytes: bytes, explored: explored)
      {
        for _ in 1..<nodes.count { system.undo() }
        return finish(.bounded(bound))
      }
      let node = nodes.pointer(to: nodes.count - 1)
      guard node.pointee.next < node.pointee.end else {
        nodes.truncate(to: nodes.count - 1)
        if !nodes.isEmpty { system.undo() }
        continue
      }
      node.pointee.next += 1
      if let stop = goAlong(node.pointee.next - 1) { return result(stop) }
    }
    return finish(statistics.truncated > 0 ? .bounded(.depth) : .complete)
  }

  private var bytes: Int { numbers.bytes + graph.bytes + (exact?.bytes ?? 0) }

  private func begin() -> Ending? {
    statistics.states = 1
    numbers.set(key, 0)
    return discover()
  }

  private var key: UInt64 {
    let hash = system.stateKey
    guard let exact else { return hash }
    let key = exact.key(of: hash, in: system)
    statistics.collisions = exact.collisions
    return key
  }

  private func goAlong(_ index: Int) -> Ending? {
    let edge = graph[index]
    statistics.transitions += 1
    switch system.step(Int(edge.cpu), choice: Int(edge.choice)) {
    case .clean: break
    case .violation:
      statistics.executions += 1
      return .violation
    case .halted: return .halted
    }
    statistics.depthMax = max(statistics.depthMax, nodes.count)
    let key = key
    if let known = numbers.find(key) {
      graph.setTarget(of: index, to: Int(known))
      system.undo()
      return nil
    }
    demand(graph.count < Int(StateGraph.unknown), "[internal] too many states")
    graph.setTarget(of: index, to: graph.count)
    numbers.set(key, UInt32(graph.count))
    statistics.states = graph.count + 1
    let deeper = nodes.count
    if let stop = discover() { return stop }
    if nodes.count == deeper { system.undo() }
    return nil
  }

  /// Adds the system's state, which is new, and opens a node for it if a CPU is enabled.
  private func discover() -> Ending? {
    let enabled = system.enabledCPUs()
    let state = graph.count
    // A CPU that is cut off has no steps but counts as able to take one, so no loop here is fair.
    graph.add(enabled, cutOff: system.cutOffCPUs, system)
    if enabled.isEmpty {
      statistics.executions += 1
      if options.collectsFinalStates { finalStates.append(system.stateKey) }
      switch system.judgeEnd() {
      case .clean: return nil
      case .violation: return .violation
      case .halted: return .halted
      }
    }
    if nodes.count >= budget.limits.depth {
      statistics.truncated += 1
      return nil
    }
    let edges = graph.edges(of: state)
    nodes.append(Node(state: state, next: edges.lowerBound, end: edges.upperBound))
    return nil
  }

  /// Looks for livelocks when all states, or all up to a bound, are known; an interrupted search
  /// may be resumed instead.
  private func finish(_ ending: Ending) -> SearchResult {
    guard looksForLivelocks, ending != .bounded(.interrupted),
      let found = Livelocks(graph).simplest()
    else { return result(ending) }
    var result = result(ending)
    result.ending = .violation
    result.schedule = found.schedule
    result.isSimplest = found.isShortest && ending == .complete
    return result
  }

  private func result(_ ending: Ending) -> SearchResult {
    SearchResult(
      ending, statistics, finalStates: finalStates, explored: explored,
      steps: path(to: nodes.count))
  }

  private func path(to depth: Int) -> [Schedule.Step] {
    (0..<depth).map { graph[nodes[$0].next - 1].step }
  }

  /// The explored part, estimated from the stack; nil when it is empty.
  private var explored: Double? {
    guard !nodes.isEmpty else { return nil }
    var part = ExploredPart(ratio: ExploredPart.mergingRatio)
    for index in 0..<nodes.count where !part.isSettled {
      let edges = graph.edges(of: nodes[index].state)
      // The last step taken at the top node has been undone.
      let open = index == nodes.count - 1 ? 0 : 1
      part.add(done: nodes[index].next - edges.lowerBound - open, known: edges.count)
    }
    return part.explored
  }

  // MARK: Checkpoints

  /// All steps on the stack except that of the top node, which has not been taken yet.
  var path: [Schedule.Step] { path(to: nodes.count - 1) }

  func willRetrace(_ step: Schedule.Step) {}

  func save(to writer: CheckpointWriter) {
    statistics.save(to: writer)
    writer.write(finalStates)
    graph.save(to: writer)
    writer.write(nodes.count)
    for index in 0..<nodes.count {
      writer.write(nodes[index].state)
      writer.write(nodes[index].next)
    }
    numbers.save(to: writer)
    exact?.save(to: writer)
  }

  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    statistics = try Statistics(from: reader)
    finalStates = try reader.words()
    try graph.restore(from: reader)
    for depth in 0..<(try reader.count(ofBytes: 16)) {
      let state = try reader.number(in: 0..<graph.count)
      let edges = graph.edges(of: state)
      // Every node except the last has taken a step.
      let next = try reader.number(in: edges.lowerBound..<(edges.upperBound + 1))
      guard depth == 0 || nodes.last.next > graph.edges(of: nodes.last.state).lowerBound else {
        throw .malformed
      }
      nodes.append(Node(state: state, next: next, end: edges.upperBound))
    }
    guard !nodes.isEmpty else { throw .malformed }
    try numbers.restore(from: reader, below: graph.count)
    try exact?.restore(from: reader)
  }
}
