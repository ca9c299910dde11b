// Stateless search with source sets and sleep sets: about one execution per class.

import GracewalkSupport

/// Source-DPOR (Abdulla, Aronis, Jonsson and Sagonas, "Optimal dynamic partial order reduction",
/// POPL 2014, Algorithm 1), with blocking steps.
///
/// Depth-first over executions. Each node has a backtrack set, to which CPUs are added later, when
/// a step is found to race with the one taken at the node (line numbers refer to Algorithm 1).
/// There are two departures for locks, waits and grace periods, fuzzed against the exhaustive
/// search:
///
/// * A disabled CPU also has a next step, which may race with an earlier one. So races of disabled
///   CPUs are considered at every node. Without this, classes are lost.
/// * A step that enabled a blocking one is dependent on it but cannot be swapped with it, so it is
///   skipped. Without this, the same classes are found with more sleep-set-blocked executions.
///
/// Others can explore parts of it (`PieceTeam`).
public final class SourceSearch: ResumableSearch {
  /// A state on the stack: event `i` was taken at node `i`.
  struct Node: ChoosingNode {
    var enabled: CPUSet
    var backtrack: CPUSet
    /// Asleep on arrival, or explored here since.
    var sleep: CPUSet
    var cpu = 0
    var choice = 0
    var choiceCount = 0
    /// The number of CPUs explored here.
    var exploredCount = 0

    /// Ensures that one of some CPUs is tried (lines 8 to 11).
    mutating func add(oneOf initials: CPUSet) {
      guard initials.isDisjoint(with: backtrack) else { return }
      let able = initials.intersection(enabled)
      if able.isEmpty {
        backtrack = backtrack.union(enabled)
      } else {
        backtrack.insert(able.lowest)
      }
    }
  }

  let system: TransitionSystem
  private let options: SearchOptions
  let budget: Budget
  let happensBefore: HappensBefore
  let nodes = GrowableBuffer<Node>()
  private let footprint = Footprint()
  private let otherFootprint = Footprint()
  private(set) var statistics = Statistics()
  private(set) var finalStates: [UInt64] = []
  var piece = Piece()
  /// The number of nodes whose branches are shared; the last of them is where the piece begins.
  var sharedCount = 0
  /// What was found about them in this round.
  let findings = GrowableBuffer<Piece.Finding>()
  /// Steps of a saved search that have been taken again, to compare nodes with.
  private var retraced = RetracedPath()

  /// Whether to add to a node only CPUs that a race asks for.
  ///
  /// If false, all enabled CPUs are tried and only sleep sets reduce: each class is still completed
  /// once, but many more redundant executions are started (Godefroid, "Partial-order methods for
  /// the verification of concurrent systems", LNCS 1032, 1996).
  private let usesSourceSets: Bool

  public init(
    _ system: TransitionSystem, _ options: SearchOptions, usesSourceSets: Bool = true
  ) {
    self.system = system
    self.usesSourceSets = usesSourceSets
    self.options = options
    budget = Budget(options)
    happensBefore = HappensBefore(cpuCount: system.cpuCount, objectCount: system.objectCount)
  }

  deinit {
    nodes.deallocate()
    findings.deallocate()
  }

  /// Explores until everything is explored, a violation is found or a limit is reached.
  ///
  /// Call it once.
  public func run() -> SearchResult {
    let ending = begin() ?? explore(until: .max)
    return SearchResult(
      ending ?? (statistics.truncated > 0 ? .bounded(.depth) : .complete), statistics,
      finalStates: finalStates, explored: explored, steps: path)
  }

  /// Judges the first state, or resumes; the whole search may be more than this one.
  func begin(_ whole: (any ResumableSearch)? = nil) -> Ending? {
    budget.begin(whole ?? self, system) { arrive(asleep: CPUSet()) }
  }

  /// Explores until everything is explored, or so many transitions have been taken, or executions
  /// begun; returns the end of the search if there is another.
  ///
  /// In a round, bounds are left to the team.
  func explore(until transitions: Int, executions: Int = .max) -> Ending? {
    while !nodes.isEmpty {
      if statistics.transitions >= transitions || statistics.executionsBegun >= executions {
        return nil
      }
      if piece.goal == nil,
        let bound = budget.exceeded(statistics, depth: nodes.count, explored: explored)
      {
        happensBefore.unwind(system)
        return .bounded(bound)
      }
      if chooseStep() {
        if let stop = takeStep() { return stop }
      } else {
        if nodes.count == sharedCount { break }
        nodes.truncate(to: nodes.count - 1)
        if !nodes.isEmpty { takeBack() }
      }
    }
    piece.isDone = true
    return nil
  }

  /// Sets the step to take next at the top node; false when nothing is left there (line 6).
  private func chooseStep() -> Bool {
    let node = nodes.pointer(to: nodes.count - 1)
    if node.pointee.choice < node.pointee.choiceCount { return true }
    // What else is left there is up to other members.
    if nodes.count == sharedCount { return false }
    let left = node.pointee.backtrack.subtracting(node.pointee.sleep)
    if left.isEmpty { return false }
    node.pointee.cpu = left.lowest
    node.pointee.choice = 0
    node.pointee.choiceCount = system.choiceCount(of: left.lowest)
    return true
  }

  /// Takes the chosen step (lines 7 to 12): returns the end of the search, or nil to continue.
  private func takeStep() -> Ending? {
    let depth = nodes.count - 1
    let node = nodes[depth]
    footprint.removeAll()
    system.addFootprint(of: node.cpu, to: footprint)
    if node.choice == 0 { reverseRaces(of: node.cpu) }
    var asleep = node.sleep
    var sleepers = asleep
    while let sleeper = sleepers.popLowest() {
      otherFootprint.removeAll()
      system.addFootprint(of: sleeper, to: otherFootprint)
      if footprint.isDependent(on: otherFootprint) { asleep.remove(sleeper) }
    }
    happensBefore.push(node.cpu, footprint)
    statistics.transitions += 1
    if let stop = system.step(node.cpu, choice: node.choice).ending {
      if stop == .violation { statistics.executions += 1 }
      return stop
    }
    let deeper = nodes.count
    if let stop = arrive(asleep: asleep) { return stop }
    if nodes.count == deeper { takeBack() }
    return nil
  }

  /// Undoes the step taken at the top node; the CPU sleeps once all its choices are done
  /// (line 13).
  private func takeBack() {
    system.undo()
    happensBefore.pop()
    let node = nodes.pointer(to: nodes.count - 1)
    node.pointee.choice += 1
    if node.pointee.choice == node.pointee.choiceCount {
      node.pointee.sleep.insert(node.pointee.cpu)
      node.pointee.exploredCount += 1
    }
  }

  /// Judges a new state, and pushes a node for it unless the execution ends here.
  private func arrive(asleep: CPUSet) -> Ending? {
    let enabled = system.enabledCPUs()
    statistics.depthMax = max(statistics.depthMax, happensBefore.count)
    var disabled = system.disabledCPUs()
    while let cpu = disabled.popLowest() {
      if system.racesWithNothing(cpu) { continue }
      footprint.removeAll()
      system.addFootprint(of: cpu, to: footprint)
      reverseRaces(of: cpu)
    }
    if enabled.isEmpty {
      statistics.executions += 1
      if options.collectsFinalStates { finalStates.append(system.stateKey) }
      return system.judgeEnd().ending
    }
    let awake = enabled.subtracting(asleep)
    if awake.isEmpty {
      statistics.blocked += 1
      return nil
    }
    if happensBefore.count >= budget.limits.depth {
      statistics.truncated += 1
      return nil
    }
    let backtrack =
      usesSourceSets ? CPUSet(system.preferred(among: awake).lowest) : enabled
    nodes.append(Node(enabled: enabled, backtrack: backtrack, sleep: asleep))
    return nil
  }

  /// Ensures that every race of the CPU's next step with an earlier event is also run in the other
  /// order (lines 7 to 11).
  ///
  /// `footprint` is the footprint of the step.
  private func reverseRaces(of cpu: Int) {
    guard usesSourceSets, !system.racesWithNothing(cpu) else { return }
    happensBefore.eachRace(
      of: cpu, footprint, blocking: system.isBlocking(cpu),
      wasDisabled: { !nodes[$0].enabled.contains(cpu) }
    ) { event in
      let initials = happensBefore.initials(after: event, then: cpu, footprint)
      let node = nodes.pointer(to: event)
      if event >= sharedCount { return node.pointee.add(oneOf: initials) }
      guard initials.isDisjoint(with: node.pointee.backtrack) else { return }
      note(Piece.Finding(node: event, initials: initials))
    }
  }

  /// The explored part, estimated from the stack; nil when it is empty.
  var explored: Double? { nodes.isEmpty ? nil : explored(from: 0) }

  /// The explored part of what is below a node, estimated from the stack from there on.
  func explored(from first: Int) -> Double {
    var part = ExploredPart(ratio: ExploredPart.reducedRatio)
    for index in first..<nodes.count where !part.isSettled {
      let node = nodes[index]
      let left = node.backtrack.subtracting(node.sleep).count
      let isBetween = node.choice == node.choiceCount
      part.add(
        done: node.exploredCount, known: node.exploredCount + left,
        choice: isBetween ? 0 : node.choice, of: node.choiceCount)
    }
    return part.explored
  }

  // MARK: Checkpoints

  var path: [Schedule.Step] { nodes.steps(first: happensBefore.count) }

  func willRetrace(_ step: Schedule.Step) {
    retraced.append(step, in: system)
    happensBefore.retrace(step.cpu, of: system)
  }

  /// The steps of a saved path that have been taken again, until nodes are read.
  var retracedPath: [Schedule.Step] { retraced.steps }

  func save(to writer: CheckpointWriter) {
    statistics.save(to: writer)
    writer.write(finalStates)
    writer.write(nodes.count)
    for index in 0..<nodes.count { nodes[index].save(to: writer) }
  }

  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    try restoreMember(from: reader)
    if nodes.isEmpty { throw .malformed }
  }

  /// The same where the search may not have begun, since it is one of several.
  func restoreMember(from reader: CheckpointReader) throws(CheckpointError) {
    statistics = try Statistics(from: reader)
    finalStates = try reader.words()
    for _ in 0..<(try reader.count(ofBytes: 56)) {
      nodes.append(try Node(from: reader, cpuCount: system.cpuCount))
    }
    if nodes.isEmpty, retraced.isEmpty { return }
    guard retraced.leads(along: nodes) else { throw .malformed }
    let top = nodes[nodes.count - 1]
    guard top.enabled == system.enabledCPUs(), top.choice <= top.choiceCount else {
      throw .malformed
    }
    if top.choice < top.choiceCount {
      guard top.enabled.contains(top.cpu), top.choiceCount <= system.choiceCount(of: top.cpu) else {
        throw .malformed
      }
    }
    retraced = RetracedPath()
  }
}

extension SourceSearch.Node {
  func save(to writer: CheckpointWriter) {
    for set in [enabled, backtrack, sleep] { writer.write(set) }
    for number in [cpu, choice, choiceCount, exploredCount] { writer.write(number) }
  }

  init(from reader: CheckpointReader, cpuCount: Int) throws(CheckpointError) {
    self.init(
      enabled: try reader.cpus(), backtrack: try reader.cpus(), sleep: try reader.cpus())
    cpu = try reader.number(in: 0..<cpuCount)
    choice = try reader.number(in: 0..<Int.max)
    choiceCount = try reader.number(in: 0..<Int.max)
    exploredCount = try reader.number(in: 0..<cpuCount + 1)
    // A step that is independent of a sleeping one does not disable it.
    guard backtrack.union(sleep).subtracting(enabled).isEmpty else { throw .malformed }
  }
}
