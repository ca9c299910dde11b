// Explores a graph of states that may have cycles, then looks for livelocks: for CPUs that repeat.

import GracewalkSupport

/// Depth-first search that keeps the graph of all states it visits, and looks for livelocks in it.
///
/// It judges steps and ends as `ExhaustiveSearch` does, and stops at the first violation. If there
/// is none, an execution may still loop forever: see `Livelocks`. States are merged, so the length
/// of an execution depends on the path that the search happens to take.
///
/// It looks for livelocks at the end, when it finds the simplest, and in a large graph each time
/// that it has twice as many states: to know all of them first may take many times as long.
///
/// A reduced search follows only some CPUs in each state (`PersistentSets`). It finds a violation,
/// and a livelock, if there is one, but perhaps not the simplest.
public final class LivenessSearch: ResumableSearch {
  /// How a state was first reached.
  private struct Arrival: BitwiseCopyable {
    var parent: UInt32
    var depth: UInt32
    var edge: Int
  }

  private let system: TransitionSystem
  private let options: SearchOptions
  private let looksForLivelocks: Bool
  private let budget: Budget
  private let graph: StateGraph
  private let numbers = SummaryMap()
  /// Set if states are to be compared in full.
  private let exact: ExactStates?
  /// Nil if every CPU is followed in every state.
  private let sets: PersistentSets?
  private let arrivals = GrowableBuffer<Arrival>(capacity: 1_024)
  /// Per state the CPUs to follow.
  private let chosen = GrowableBuffer<CPUSet>(capacity: 1_024)
  /// States with edges left to follow; the last comes first.
  private let open = GrowableBuffer<Int>()
  /// The state in which the system is.
  private var place = 0
  /// The step that ended the search, if it was a step.
  private var lastStep: Schedule.Step?
  private var statistics = Statistics()
  private var finalStates: [UInt64] = []
  /// The number of states with which to look for livelocks next; so many take a few seconds.
  package var nextLook = 1 << 17

  /// `looksForLivelocks`: whether to look for executions that loop forever.
  ///
  /// `reduces`: whether to leave out executions that differ from others only in the order of
  /// independent steps; the system must be able to name footprints.
  public convenience init(
    _ system: TransitionSystem, _ options: SearchOptions, looksForLivelocks: Bool = true,
    reduces: Bool = false
  ) {
    let sets = reduces ? PersistentSets(cpuCount: system.cpuCount, without: []) : nil
    self.init(system, options, looksForLivelocks: looksForLivelocks, sets)
  }

  /// - Parameter omitted: what the reduction leaves out, so that it may miss something.
  package convenience init(
    _ system: TransitionSystem, _ options: SearchOptions, without omitted: PersistentSets.Omission
  ) {
    self.init(system, options, PersistentSets(cpuCount: system.cpuCount, without: omitted))
  }

  private init(
    _ system: TransitionSystem, _ options: SearchOptions, looksForLivelocks: Bool = true,
    _ sets: PersistentSets?
  ) {
    self.system = system
    self.options = options
    self.looksForLivelocks = looksForLivelocks
    self.sets = sets
    budget = Budget(options)
    graph = StateGraph(cpuCount: system.cpuCount)
    exact = options.isExact ? ExactStates() : nil
  }

  deinit {
    arrivals.deallocate()
    chosen.deallocate()
    open.deallocate()
  }

  /// Explores until everything is explored, a violation is found or a limit is reached.
  ///
  /// Call it once. On a violation that is no livelock the system is left at the end of the
  /// schedule; otherwise at its start. If a limit is reached, livelocks among the visited states
  /// are found.
  public func run() -> SearchResult {
    if let begun = budget.begin(self, system, begin) { return result(begun) }
    repeat {
      while !open.isEmpty {
        if let bound = budget.exceeded(
          statistics, depth: open.count, bytes: bytes, explored: explored)
        {
          return finish(.bounded(bound))
        }
        let state = open.last
        guard let edge = edgeToFollow(in: state) else {
          open.truncate(to: open.count - 1)
          continue
        }
        go(to: state)
        if let stop = follow(edge) { return result(stop) }
        if graph.count == nextLook {
          nextLook *= 2
          if let found = livelock(at: .violation) { return found }
        }
      }
    } while reopen()
    return finish(statistics.truncated > 0 ? .bounded(.depth) : .complete)
  }

  private var bytes: Int {
    numbers.bytes + graph.bytes + (exact?.bytes ?? 0) + (sets?.bytes ?? 0)
      + arrivals.count * (MemoryLayout<Arrival>.stride + 8)
  }

  private func begin() -> Ending? {
    statistics.states = 1
    numbers.set(key, 0)
    return discover(Arrival(parent: 0, depth: 0, edge: -1))
  }

  private var key: UInt64 {
    let hash = system.stateKey
    guard let exact else { return hash }
    let key = exact.key(of: hash, in: system)
    statistics.collisions = exact.collisions
    return key
  }

  // MARK: Steps

  private func edgeToFollow(in state: Int) -> Int? {
    let cpus = chosen[state]
    for edge in graph.edges(of: state)
    where graph[edge].target == StateGraph.unknown && cpus.contains(Int(graph[edge].cpu)) {
      return edge
    }
    return nil
  }

  /// Brings the system to a visited state, along the steps by which states were first reached.
  private func go(to state: Int) {
    var target = state
    var steps: [Schedule.Step] = []
    while place != target {
      if arrivals[place].depth >= arrivals[target].depth {
        system.undo()
        place = Int(arrivals[place].parent)
      } else {
        steps.append(graph[arrivals[target].edge].step)
        target = Int(arrivals[target].parent)
      }
    }
    for step in steps.reversed() {
      let outcome = system.step(step.cpu, choice: step.choice)
      demand(outcome == .clean, "[internal] a path could not be gone along again")
    }
    place = state
  }

  private func follow(_ index: Int) -> Ending? {
    let edge = graph[index]
    let state = place
    statistics.transitions += 1
    switch system.step(Int(edge.cpu), choice: Int(edge.choice)) {
    case .clean: break
    case .violation:
      statistics.executions += 1
      lastStep = edge.step
      return .violation
    case .halted:
      lastStep = edge.step
      return .halted
    }
    let depth = arrivals[state].depth + 1
    statistics.depthMax = max(statistics.depthMax, Int(depth))
    let key = key
    if let known = numbers.find(key) {
      graph.setTarget(of: index, to: Int(known))
      sets?.note(Int(edge.cpu), from: state, to: Int(known))
      system.undo()
      return nil
    }
    demand(graph.count < Int(StateGraph.unknown), "[internal] too many states")
    graph.setTarget(of: index, to: graph.count)
    numbers.set(key, UInt32(graph.count))
    statistics.states = graph.count + 1
    place = graph.count
    let ending = discover(
      Arrival(parent: UInt32(truncatingIfNeeded: state), depth: depth, edge: index))
    sets?.note(Int(edge.cpu), from: state, to: place)
    return ending
  }

  /// Adds the system's state, which is new, and opens it if a CPU is enabled.
  private func discover(_ arrival: Arrival) -> Ending? {
    let enabled = system.enabledCPUs()
    // A CPU that is cut off has no steps but counts as able to take one, so no loop here is fair.
    graph.add(enabled, cutOff: system.cutOffCPUs, system)
    arrivals.append(arrival)
    chosen.append(sets?.add(enabled, system) ?? enabled)
    if enabled.isEmpty {
      statistics.executions += 1
      if options.collectsFinalStates { finalStates.append(system.stateKey) }
      return system.judgeEnd().ending
    }
    if Int(arrival.depth) >= budget.limits.depth {
      statistics.truncated += 1
      chosen[place] = CPUSet()
      return nil
    }
    open.append(place)
    return nil
  }

  /// Opens the states in which a CPU was missing; false if there are none.
  private func reopen() -> Bool {
    guard let sets else { return false }
    for state in sets.repair(graph, chosen).reversed() { open.append(state) }
    return !open.isEmpty
  }

  // MARK: Results

  /// Looks for livelocks when all states, or all up to a bound, are known; an interrupted search
  /// may be resumed instead.
  private func finish(_ ending: Ending) -> SearchResult {
    go(to: 0)
    return (ending == .bounded(.interrupted) ? nil : livelock(at: ending)) ?? result(ending)
  }

  /// - Parameter ending: how the search ends otherwise.
  private func livelock(at ending: Ending) -> SearchResult? {
    guard looksForLivelocks, let found = Livelocks(graph).simplest() else { return nil }
    go(to: 0)
    var result = result(ending)
    result.ending = .violation
    result.schedule = found.schedule
    result.isSimplest = found.isShortest && ending == .complete && sets == nil
    return result
  }

  private func result(_ ending: Ending) -> SearchResult {
    SearchResult(
      ending, statistics, finalStates: finalStates, explored: explored,
      steps: path + (lastStep.map { [$0] } ?? []))
  }

  /// The steps by which the system has come to its present state.
  var path: [Schedule.Step] {
    var steps: [Schedule.Step] = []
    var state = place
    while state != 0 {
      steps.append(graph[arrivals[state].edge].step)
      state = Int(arrivals[state].parent)
    }
    return steps.reversed()
  }

  /// The explored part, estimated from the open states; nil when there are none, and in a reduced
  /// search, which cannot know how much it will have to repair.
  private var explored: Double? {
    guard !open.isEmpty, sets == nil else { return nil }
    var part = ExploredPart(ratio: ExploredPart.mergingRatio)
    for index in 0..<open.count where !part.isSettled {
      let edges = graph.edges(of: open[index])
      let followed = edges.count { graph[$0].target != StateGraph.unknown }
      // All but the last have an edge that leads to the next.
      part.add(done: max(followed - (index == open.count - 1 ? 0 : 1), 0), known: edges.count)
    }
    return part.explored
  }

  // MARK: Checkpoints

  func willRetrace(_ step: Schedule.Step) {}

  func save(to writer: CheckpointWriter) {
    statistics.save(to: writer)
    writer.write(finalStates)
    graph.save(to: writer)
    writer.write(place)
    for state in 0..<graph.count {
      writer.write(chosen[state])
      writer.write(UInt64(arrivals[state].parent))
      writer.write(arrivals[state].edge)
    }
    writer.write(open.count)
    for state in open.all { writer.write(state) }
    numbers.save(to: writer)
    exact?.save(to: writer)
    sets?.save(to: writer)
  }

  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    statistics = try Statistics(from: reader)
    finalStates = try reader.words()
    try graph.restore(from: reader)
    guard graph.count > 0 else { throw .malformed }
    while nextLook <= graph.count { nextLook *= 2 }
    place = try reader.number(in: 0..<graph.count)
    for state in 0..<graph.count {
      chosen.append(try reader.cpus())
      // A state is found from an earlier one, along an edge that leads to it.
      let parent = try reader.number(in: 0..<max(state, 1))
      let edge = try reader.number(in: -1..<Int.max)
      guard state == 0 || graph.edges(of: parent).contains(edge) && graph[edge].target == state
      else { throw .malformed }
      let depth = state == 0 ? 0 : arrivals[parent].depth + 1
      arrivals.append(
        Arrival(parent: UInt32(truncatingIfNeeded: parent), depth: depth, edge: edge))
    }
    for _ in 0..<(try reader.count(ofBytes: 8)) {
      open.append(try reader.number(in: 0..<graph.count))
    }
    guard !open.isEmpty else { throw .malformed }
    try numbers.restore(from: reader, below: graph.count)
    try exact?.restore(from: reader)
    try sets?.restore(
      from: reader, states: graph.count, objectCount: system.objectCount)
  }
}
