// A member of a search that visits each state once: its system, its stack, and what it found.

import GracewalkSupport

/// Takes all steps of the states on its stack, and of those that it finds.
///
/// States have numbers. Those below `base` were known when the round began. A state that is new in
/// the round gets a number from `base` on, which only this visitor knows until the round has ended.
final class Visitor: ResumableSearch {
  struct Node: ChoosingNode {
    var state: UInt32
    var enabled: CPUSet
    /// CPUs whose step is left to this visitor.
    var left: CPUSet
    var cpu = 0
    var choice = 0
    /// Zero before the first step.
    var choiceCount = 0

    /// True if a step, or a choice of one, is left.
    var isOpen: Bool { !left.isEmpty || choice + 1 < choiceCount }
  }

  /// A state that is new in the round.
  struct Visit: BitwiseCopyable {
    var key: UInt64
    /// Steps taken in it during the round.
    var transitions = 0
    var isEnd = false
    var isTruncated = false
  }

  /// A step in a state that was known before, and the number of the state it leads to.
  struct Edge: BitwiseCopyable {
    var index: Int
    var target: UInt32
  }

  let system: TransitionSystem
  let exact: ExactStates?
  let nodes = GrowableBuffer<Node>()
  /// The number of each state that is new in the round, by its key; of all states while the visitor
  /// is alone.
  let found = SummaryMap(capacity: 1_024)
  /// The states that are new in the round, in the order of their numbers.
  let log = GrowableBuffer<Visit>()
  /// The same states with their edges, if the search keeps a graph.
  var graph: StateGraph?
  let edges = GrowableBuffer<Edge>()
  /// The same states with the CPUs that are followed there, if the search is reduced.
  var reduced: ReducedStates?
  /// States in which CPUs were missing, and those CPUs; the last comes first.
  let reopened = GrowableBuffer<Reopened>()
  /// The place on the stack of the one that it is at, while there are others.
  var reopenedIndex = 0
  /// Counts of what belongs to states known before the round.
  var statistics = Statistics()
  var finalStates: [UInt64] = []
  /// The end of the search, if this visitor has found it.
  var ending: Ending?
  /// True if its stack was given to it, and its system is still at the start.
  private(set) var isAtStart = false
  /// Set while the visitor is alone; then it asks at each state whether to stop.
  var budget: Budget?
  private let options: SearchOptions
  /// The CPU whose step it takes first where it is free to choose.
  private let firstCPU: Int
  private var base = 0
  /// The states known before the round, and what the search keeps of them.
  private var known: Unmanaged<SummaryMap>?
  private var knownGraph: Unmanaged<StateGraph>?
  private(set) var knownReduced: Unmanaged<ReducedStates>?
  /// The steps of a saved path that have been taken again, until nodes are read.
  private var retraced = RetracedPath()
  /// Steps taken, including those that others have taken, too.
  private var turns = 0

  /// - Parameter number: its place among the members.
  init(
    _ system: TransitionSystem, _ options: SearchOptions, number: Int, keepsGraph: Bool,
    _ reduced: ReducedStates?
  ) {
    self.reduced = reduced
    self.system = system
    self.options = options
    exact = options.isExact ? ExactStates() : nil
    graph = keepsGraph ? StateGraph(cpuCount: system.cpuCount) : nil
    // Visitors that begin with the same CPU would be likely to find the same states.
    firstCPU = number % max(system.cpuCount, 1)
  }

  deinit {
    nodes.deallocate()
    log.deallocate()
    edges.deallocate()
    reopened.deallocate()
  }

  var isDone: Bool { nodes.isEmpty && reopened.isEmpty }

  /// Bytes used for states.
  var bytes: Int { found.bytes + (graph?.bytes ?? 0) + (reduced?.bytes ?? 0) }

  private var isAlone: Bool { known == nil }

  /// Undoes all steps.
  func unwind() {
    if !isAtStart { for _ in 1..<max(nodes.count, 1) { system.undo() } }
    nodes.removeAll()
  }

  // MARK: Alone

  /// Visits the initial state, in which the system is.
  func begin() -> Ending? {
    visit(key, depth: 0)
  }

  /// Visits states until none is left, something is found, a limit is reached, or there have been
  /// so many transitions or states.
  func exploreAlone(untilTransitions turnsMax: Int, states statesMax: Int) -> Ending? {
    while !isDone {
      if statistics.transitions >= turnsMax || found.count >= statesMax { return nil }
      let bound = budget?.exceeded(
        statistics, depth: nodes.count, bytes: bytes + (exact?.bytes ?? 0),
        explored: reduced == nil ? 1 - unexplored : nil)
      if let bound { return .bounded(bound) }
      if let ending = advance() { return ending }
    }
    return nil
  }

  /// Becomes one of several; what it has found is known to all of them.
  func join(_ known: SummaryMap, _ graph: StateGraph?, _ reduced: ReducedStates?) {
    self.known = .passUnretained(known)
    knownGraph = graph.map { .passUnretained($0) }
    knownReduced = reduced.map { .passUnretained($0) }
    budget = nil
  }

  // MARK: In a round

  /// Takes `turns` steps, or fewer if there are no more or something is found.
  func playRound(_ turns: Int, base: Int) {
    self.base = base
    if let reduced, let knownReduced {
      knownReduced._withUnsafeGuaranteedRef { reduced.sets.beginRound(of: $0.sets) }
    }
    if isAtStart { retrace() }
    let end = self.turns + turns
    while !isDone, self.turns < end, ending == nil { ending = advance() }
  }

  private func retrace() {
    isAtStart = false
    for index in 0..<nodes.count - 1 {
      let outcome = system.step(nodes[index].cpu, choice: nodes[index].choice)
      demand(outcome == .clean, "[internal] a path could not be gone along again")
    }
  }

  private func advance() -> Ending? {
    if !nodes.isEmpty, chooseStep() { return takeStep() }
    if nodes.count - 1 <= reopenedIndex && !reopened.isEmpty {
      reopenNext()
      return nil
    }
    nodes.truncate(to: nodes.count - 1)
    if !nodes.isEmpty { system.undo() }
    return nil
  }

  private func chooseStep() -> Bool {
    let node = nodes.pointer(to: nodes.count - 1)
    if node.pointee.choice + 1 < node.pointee.choiceCount {
      node.pointee.choice += 1
      return true
    }
    let left = node.pointee.left
    if left.isEmpty { return false }
    let later = left.subtracting(CPUSet.first(firstCPU))
    let cpu = later.isEmpty ? left.lowest : later.lowest
    node.pointee.left.remove(cpu)
    node.pointee.cpu = cpu
    node.pointee.choice = 0
    node.pointee.choiceCount = system.choiceCount(of: cpu)
    return true
  }

  private func takeStep() -> Ending? {
    let node = nodes[nodes.count - 1]
    turns += 1
    if isNew(node.state) {
      log.pointer(to: Int(node.state) - base).pointee.transitions += 1
    } else {
      statistics.transitions += 1
    }
    if let stop = system.step(node.cpu, choice: node.choice).ending {
      if stop == .violation { statistics.executions += 1 }
      return stop
    }
    let depth = nodes.count
    statistics.depthMax = max(statistics.depthMax, depth)
    let key = key
    if let number = known?._withUnsafeGuaranteedRef({ $0.find(key) }) ?? found.find(key) {
      note(node, to: number)
      reduced?.sets.note(node.cpu, from: Int(node.state), to: Int(number))
      system.undo()
      return nil
    }
    let number = UInt32(truncatingIfNeeded: base + found.count)
    note(node, to: number)
    if let stop = visit(key, depth: depth) { return stop }
    reduced?.sets.note(node.cpu, from: Int(node.state), to: Int(number))
    if nodes.count == depth { system.undo() }
    return nil
  }

  /// True if a state was not known before the round.
  private func isNew(_ state: UInt32) -> Bool { !isAlone && state >= base }

  private var key: UInt64 {
    let hash = system.stateKey
    guard let exact else { return hash }
    let key = exact.key(of: hash, in: system)
    statistics.collisions = exact.collisions
    return key
  }

  /// Adds the system's state, which is new; a node if it has steps to take.
  private func visit(_ key: UInt64, depth: Int) -> Ending? {
    demand(base + found.count < Int(UInt32.max), "[internal] too many states")
    let number = UInt32(truncatingIfNeeded: base + found.count)
    found.set(key, number)
    let enabled = system.enabledCPUs()
    // A CPU that is cut off has no steps but counts as able to take one, so no loop here is fair.
    graph?.add(enabled, cutOff: system.cutOffCPUs, system)
    let isTruncated = !enabled.isEmpty && depth >= options.limits.depth
    let followed = follow(enabled, isTruncated: isTruncated)
    if isAlone {
      statistics.states += 1
      statistics.add(isEnd: enabled.isEmpty, isTruncated: isTruncated)
    } else {
      log.append(Visit(key: key, isEnd: enabled.isEmpty, isTruncated: isTruncated))
    }
    if enabled.isEmpty {
      if options.collectsFinalStates { finalStates.append(system.stateKey) }
      return system.judgeEnd().ending
    }
    if !isTruncated { nodes.append(Node(state: number, enabled: enabled, left: followed)) }
    return nil
  }

  /// The CPUs to follow in the system's state, which is new.
  private func follow(_ enabled: CPUSet, isTruncated: Bool) -> CPUSet {
    guard let reduced else { return enabled }
    let last = nodes.isEmpty ? nil : nodes[nodes.count - 1]
    return reduced.add(enabled, system, from: last, isTruncated: isTruncated)
  }

  /// Keeps where the step of a node leads, if the search keeps a graph.
  private func note(_ node: Node, to target: UInt32) {
    guard let graph else { return }
    let (state, cpu) = (Int(node.state), node.cpu)
    if isAlone || isNew(node.state) {
      graph.setTarget(of: graph.edge(of: state - base, cpu, node.choice), to: Int(target))
    } else if let known = knownGraph {
      let index = known._withUnsafeGuaranteedRef { $0.edge(of: state, cpu, node.choice) }
      edges.append(Edge(index: index, target: target))
    }
  }

  /// Forgets what it found in a round, once it has been taken over.
  func roundHasEnded() {
    found.removeAll()
    log.removeAll()
    edges.removeAll()
    graph?.removeAll()
    reduced?.removeAll()
  }

  // MARK: Dividing the work

  /// The number of states in which it has steps left to take.
  var openCount: Int { nodes.all.count { $0.isOpen } + reopened.count }

  /// Gives half of what is left to an idle visitor: of the states to go back to, or if there are
  /// not two, of the steps on the stack, those nearest to the start; false if there is not enough.
  func give(to other: Visitor) -> Bool {
    if reopened.count > 1 { return giveReopened(to: other) }
    let open = (0..<nodes.count).filter { nodes[$0].isOpen }
    guard let first = open.first else { return false }
    if open.count == 1 { return giveOneStep(at: first, to: other) }
    for index in 0...open[open.count / 2 - 1] {
      other.nodes.append(nodes[index])
      close(index)
    }
    other.isAtStart = true
    other.reopenedIndex = 0
    return true
  }

  private func giveOneStep(at index: Int, to other: Visitor) -> Bool {
    let node = nodes.pointer(to: index)
    guard node.pointee.left.count > 1 else { return false }
    for above in 0...index {
      other.nodes.append(nodes[above])
      other.close(above)
    }
    let cpu = node.pointee.left.highest
    node.pointee.left.remove(cpu)
    other.nodes.pointer(to: index).pointee.left.insert(cpu)
    other.isAtStart = true
    other.reopenedIndex = 0
    return true
  }

  /// Leaves nothing to take at a node.
  func close(_ index: Int) {
    let node = nodes.pointer(to: index)
    node.pointee.left = CPUSet()
    node.pointee.choiceCount = min(node.pointee.choice + 1, node.pointee.choiceCount)
  }

  /// Leaves nothing to take.
  func forget() {
    (0..<nodes.count).forEach(close)
    reopened.removeAll()
  }

  /// The part of the whole search that this visitor has left, estimated from its stack.
  ///
  /// A step's share of its state depends only on its place among the enabled CPUs, so it is the
  /// same for whoever has it. See `ExploredPart` for the weights.
  var unexplored: Double {
    var unexplored = 0.0
    var share = 1.0
    for index in 0..<nodes.count where share > 1e-9 {
      let node = nodes[index]
      var (weight, total, left, current) = (1.0, 0.0, 0.0, 0.0)
      var cpus = node.enabled
      while let cpu = cpus.popLowest() {
        total += weight
        if node.left.contains(cpu) { left += weight }
        if cpu == node.cpu { current = weight }
        weight *= ExploredPart.mergingRatio
      }
      unexplored += share * left / total
      guard node.choiceCount > 0 else { break }
      let each = share * current / total / Double(node.choiceCount)
      unexplored += each * Double(node.choiceCount - node.choice - 1)
      share = each
    }
    return unexplored
  }

  // MARK: Checkpoints

  /// All steps on the stack except that of the top node, which has not been taken yet.
  var path: [Schedule.Step] { nodes.steps(first: max(nodes.count - 1, 0)) }

  func willRetrace(_ step: Schedule.Step) { retraced.append(step, in: system) }

  func save(to writer: CheckpointWriter) {
    statistics.save(to: writer)
    writer.write(finalStates)
    writer.write(exact?.collisions ?? 0)
    writer.write(nodes.count)
    for index in 0..<nodes.count {
      let node = nodes[index]
      for set in [node.left, node.enabled] { writer.write(set) }
      for number in [Int(node.state), node.cpu, node.choice, node.choiceCount] {
        writer.write(number)
      }
    }
    if reduced != nil { saveReopened(to: writer) }
  }

  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    try restore(from: reader, statesBelow: Int(UInt32.max))
  }

  /// - Parameter limit: greater than the number of every known state.
  func restore(from reader: CheckpointReader, statesBelow limit: Int) throws(CheckpointError) {
    statistics = try Statistics(from: reader)
    finalStates = try reader.words()
    let collisions = try reader.number(in: 0..<Int.max)
    exact?.collisions = collisions
    for _ in 0..<(try reader.count(ofBytes: 48)) {
      let (left, enabled) = (try reader.cpus(), try reader.cpus())
      var node = Node(
        state: UInt32(try reader.number(in: 0..<limit)), enabled: enabled, left: left)
      node.cpu = try reader.number(in: 0..<system.cpuCount)
      node.choice = try reader.number(in: 0..<Int.max)
      node.choiceCount = try reader.number(in: 0..<Int.max)
      guard left.subtracting(enabled).isEmpty else { throw .malformed }
      nodes.append(node)
    }
    if reduced != nil { try restoreReopened(from: reader, statesBelow: limit) }
    try compareWithPath()
  }

  /// Refuses nodes that are not those of the path that has been taken again.
  private func compareWithPath() throws(CheckpointError) {
    if nodes.isEmpty, retraced.isEmpty { return }
    guard retraced.leads(along: nodes) else { throw .malformed }
    let top = nodes[nodes.count - 1]
    guard top.enabled == system.enabledCPUs() else { throw .malformed }
    if top.choiceCount > 0 {
      guard top.enabled.contains(top.cpu), top.choice < top.choiceCount,
        top.choiceCount <= system.choiceCount(of: top.cpu)
      else { throw .malformed }
    }
    if let graph = knownGraph?.takeUnretainedValue() ?? graph {
      for node in nodes.all where !graph.hasEdges(of: Int(node.state), node.enabled) {
        throw .malformed
      }
    }
    retraced = RetracedPath()
  }
}
