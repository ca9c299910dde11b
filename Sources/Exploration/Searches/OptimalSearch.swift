// Stateless search with wakeup trees: exactly one execution per class, none redundant.

import GracewalkSupport

/// Optimal-DPOR with blocking steps.
///
/// See Abdulla, Aronis, Jonsson and Sagonas, "Source Sets: A Foundation for Optimal Dynamic Partial
/// Order Reduction", JACM 64(4), 2017, Algorithm 2.
///
/// Depth-first over executions. At the end of an execution, each race in it is reversed: the events
/// that do not depend on the race's first event, followed by its second, form a sequence that must
/// be explored from the state before the first. Unless a step asleep there leads to a trace that
/// begins with the sequence, the sequence is inserted into that node's wakeup tree, and the search
/// follows it to its end before choosing steps itself. So no execution is started that sleep sets
/// would cut short.
///
/// Beyond the paper:
///
/// * The second event, when it comes first, may touch other objects than before: a compare-exchange
///   that failed may succeed. Nor is it known whether a step that can block is enabled there. So
///   the tree is first searched for the sequence with everything its last step could touch. If that
///   does not cover it, the sequence is run once on the system.
/// * A step that can block races with every dependent event it does not follow, not only with the
///   latest, and the pending steps of CPUs that are disabled at the end race as well.
/// * Two choices of data of one step are two steps that exclude each other.
public final class OptimalSearch: ResumableSearch {
  /// A state on the stack: event `i` was taken at node `i`.
  private struct Node: SearchNode {
    var enabled: CPUSet
    /// The branches left to explore here.
    var branches: WakeupTrees.Branch
    /// Steps asleep here, in `sleepers`.
    var sleepStart: Int
    var sleepEnd: Int
    /// Races of events before this one, in `races`.
    var firstRace: Int
    var cpu = 0
    var choice = 0
    var step = 0
    /// The step with everything it could touch in another order.
    var potential = 0
    /// Whether its footprint, or its being enabled, depends on earlier steps.
    var isUncertain = false
    /// The number of branches explored here.
    var exploredCount = 0
  }

  /// Two dependent events that could happen in the other order.
  private struct Race: BitwiseCopyable {
    var first: Int32
    var second: Int32
  }

  private let system: TransitionSystem
  private let options: SearchOptions
  private let budget: Budget
  private let happensBefore: HappensBefore
  private let steps = StepTable(comparesSteps: true)
  private let trees: WakeupTrees
  private let nodes = GrowableBuffer<Node>()
  private let sleepers = GrowableBuffer<Int32>()
  private let races = GrowableBuffer<Race>()
  /// The current sequence.
  private let sequence = GrowableBuffer<Int32>()
  private let footprint = Footprint()
  /// The footprint of a step that is tried, while `footprint` is in use.
  private let tryFootprint = Footprint()
  private var statistics = Statistics()
  private var finalStates: [UInt64] = []

  public init(_ system: TransitionSystem, _ options: SearchOptions) {
    self.system = system
    self.options = options
    budget = Budget(options)
    trees = WakeupTrees(steps: steps)
    happensBefore = HappensBefore(cpuCount: system.cpuCount, objectCount: system.objectCount)
  }

  deinit {
    nodes.deallocate()
    sleepers.deallocate()
    races.deallocate()
    sequence.deallocate()
  }

  /// Explores until everything is explored, a violation is found or a limit is reached.
  ///
  /// Call it once.
  public func run() -> SearchResult {
    let begun = budget.begin(self, system) { arrive(branches: WakeupTrees.none, sleepStart: 0) }
    if let begun { return result(begun) }
    while !nodes.isEmpty {
      if let bound = budget.exceeded(statistics, depth: nodes.count, explored: explored) {
        happensBefore.unwind(system)
        return result(.bounded(bound))
      }
      let node = nodes.last
      if node.branches != WakeupTrees.none {
        if let stop = takeStep() { return result(stop) }
      } else {
        sleepers.truncate(to: node.sleepStart)
        nodes.truncate(to: nodes.count - 1)
        if !nodes.isEmpty { takeBack() }
      }
    }
    return result(statistics.truncated > 0 ? .bounded(.depth) : .complete)
  }

  /// Follows the first branch of the top node; returns the end of the search, or nil to continue.
  private func takeStep() -> Ending? {
    let node = nodes.pointer(to: nodes.count - 1)
    let first = trees.takeFirst(of: node.pointee.branches)
    let cpu = steps.cpu(of: first.step)
    let choice = steps.choice(of: first.step)
    node.pointee.branches = first.others
    guard node.pointee.enabled.contains(cpu) else {
      // Only a system with wrong footprints gets here. It is counted as a redundant execution.
      statistics.blocked += 1
      if first.others == WakeupTrees.none {
        node.pointee.branches = anyBranch(node.pointee.enabled, asleepFrom: node.pointee.sleepStart)
      }
      return nil
    }
    node.pointee.cpu = cpu
    node.pointee.choice = choice
    lookAt(node, first.step)
    collectRaces(of: cpu)
    happensBefore.push(cpu, footprint)
    let sleepStart = sleepers.count
    for index in node.pointee.sleepStart..<node.pointee.sleepEnd {
      let sleeper = sleepers[index]
      if !steps.areDependent(Int(sleeper), node.pointee.step) { sleepers.append(sleeper) }
    }
    statistics.transitions += 1
    if let stop = system.step(cpu, choice: choice).ending {
      if stop == .violation { statistics.executions += 1 }
      return stop
    }
    let depth = nodes.count
    if let stop = arrive(branches: first.below, sleepStart: sleepStart) { return stop }
    if nodes.count == depth {
      sleepers.truncate(to: sleepStart)
      takeBack()
    }
    return nil
  }

  /// Records the footprint of the node's step, leaving it in `footprint`.
  ///
  /// - Parameter planned: the step as inserted in the tree.
  private func lookAt(_ node: UnsafeMutablePointer<Node>, _ planned: Int) {
    let (cpu, choice) = (node.pointee.cpu, node.pointee.choice)
    footprint.removeAll()
    if system.hasFixedFootprint(cpu) {
      node.pointee.isUncertain = system.isBlocking(cpu)
      node.pointee.step = planned
      node.pointee.potential = planned
      system.addFootprint(of: cpu, to: footprint)
      return
    }
    node.pointee.isUncertain = true
    system.addPotentialFootprint(of: cpu, to: footprint)
    node.pointee.potential = steps.number(cpu, choice: choice, footprint)
    footprint.removeAll()
    system.addFootprint(of: cpu, to: footprint)
    node.pointee.step = steps.number(cpu, choice: choice, footprint)
  }

  /// Undoes the step of the top node; the step is asleep there from now on.
  private func takeBack() {
    system.undo()
    happensBefore.pop()
    let node = nodes.pointer(to: nodes.count - 1)
    races.truncate(to: node.pointee.firstRace)
    sleepers.append(Int32(node.pointee.step))
    node.pointee.sleepEnd += 1
    node.pointee.exploredCount += 1
  }

  /// Judges a new state, and pushes a node for it unless the execution ends here.
  private func arrive(branches: WakeupTrees.Branch, sleepStart: Int) -> Ending? {
    let enabled = system.enabledCPUs()
    statistics.depthMax = max(statistics.depthMax, happensBefore.count)
    if enabled.isEmpty {
      statistics.executions += 1
      if options.collectsFinalStates { finalStates.append(system.stateKey) }
      if let stop = system.judgeEnd().ending { return stop }
      reverseRaces()
      return nil
    }
    if happensBefore.count >= budget.limits.depth {
      statistics.truncated += 1
      reverseRaces()
      return nil
    }
    var branches = branches
    if branches == WakeupTrees.none {
      branches = anyBranch(enabled, asleepFrom: sleepStart)
      if branches == WakeupTrees.none {
        statistics.blocked += 1
        reverseRaces()
        return nil
      }
    }
    nodes.append(
      Node(
        enabled: enabled, branches: branches, sleepStart: sleepStart, sleepEnd: sleepers.count,
        firstRace: races.count))
    return nil
  }

  /// The lowest CPU that is awake, with one branch for each of its choices.
  private func anyBranch(_ enabled: CPUSet, asleepFrom sleepStart: Int) -> WakeupTrees.Branch {
    let preferred = system.preferred(among: enabled)
    let branches = firstBranch(preferred, asleepFrom: sleepStart)
    if branches != WakeupTrees.none || preferred == enabled { return branches }
    return firstBranch(enabled.subtracting(preferred), asleepFrom: sleepStart)
  }

  private func firstBranch(_ cpus: CPUSet, asleepFrom sleepStart: Int) -> WakeupTrees.Branch {
    var left = cpus
    var branches = WakeupTrees.none
    while let cpu = left.popLowest() {
      footprint.removeAll()
      system.addFootprint(of: cpu, to: footprint)
      for choice in 0..<system.choiceCount(of: cpu) {
        let step = steps.number(cpu, choice: choice, footprint)
        if !isAsleep(step, from: sleepStart) { branches = trees.append(step, to: branches) }
      }
      if branches != WakeupTrees.none { break }
    }
    return branches
  }

  private func isAsleep(_ step: Int, from sleepStart: Int) -> Bool {
    for index in sleepStart..<sleepers.count
    where steps.areSameAction(Int(sleepers[index]), step) {
      return true
    }
    return false
  }

  // MARK: Races

  /// Records the races of the top node's step, whose footprint is in `footprint`.
  private func collectRaces(of cpu: Int) {
    if system.racesWithNothing(cpu) { return }
    let second = Int32(happensBefore.count)
    happensBefore.eachRace(
      of: cpu, footprint, blocking: system.isBlocking(cpu),
      wasDisabled: { !nodes[$0].enabled.contains(cpu) }
    ) { races.append(Race(first: Int32($0), second: second)) }
  }

  /// Reverses the races of a finished execution, and those of steps that stayed disabled.
  ///
  /// Races within the common prefix were reversed at earlier ends, but with other sequences.
  private func reverseRaces() {
    for index in 0..<races.count {
      let race = races[index]
      let second = nodes[Int(race.second)]
      reverse(
        Int(race.first),
        LateStep(
          cpu: second.cpu, choice: second.choice, potential: second.potential,
          isUncertain: second.isUncertain))
    }
    var disabled = system.disabledCPUs()
    while let cpu = disabled.popLowest() {
      if system.racesWithNothing(cpu) { continue }
      footprint.removeAll()
      system.addPotentialFootprint(of: cpu, to: footprint)
      let late = LateStep(
        cpu: cpu, choice: 0, potential: steps.number(cpu, footprint), isUncertain: true)
      happensBefore.eachRace(
        of: cpu, footprint, blocking: true,
        wasDisabled: { !nodes[$0].enabled.contains(cpu) }
      ) { reverse($0, late) }
    }
  }

  /// The step of a race that came second, and is to come first.
  private struct LateStep {
    var cpu: Int
    var choice: Int
    /// Its number, with all it could touch in another order.
    var potential: Int
    /// Whether what it touches, or whether it is enabled, depends on what came before.
    var isUncertain: Bool
  }

  /// Ensures that the step is also explored before the event, after all events that do not depend
  /// on the event.
  private func reverse(_ event: Int, _ late: LateStep) {
    sequence.removeAll()
    happensBefore.eachUnordered(after: event) {
      sequence.append(Int32(truncatingIfNeeded: nodes[$0].step))
    }
    sequence.append(Int32(truncatingIfNeeded: late.potential))
    if isAsleep(at: event) { return }
    if late.isUncertain, !makeCertain(late, at: event) { return }
    let node = nodes.pointer(to: event)
    node.pointee.branches = trees.insert(sequence, into: node.pointee.branches)
  }

  /// Ends the current sequence with the step's footprint there; false if there is nothing to
  /// insert, since it is explored already or the step is disabled.
  private func makeCertain(_ late: LateStep, at event: Int) -> Bool {
    if trees.covers(sequence, list: nodes[event].branches) { return false }
    guard let actual = tryOut(late, at: event) else { return false }
    if actual == late.potential { return true }
    sequence[sequence.count - 1] = Int32(actual)
    return !isAsleep(at: event)
  }

  /// True if a step asleep at the node of the event leads to a trace that begins with the current
  /// sequence.
  private func isAsleep(at event: Int) -> Bool {
    let node = nodes[event]
    for index in node.sleepStart..<node.sleepEnd
    where trees.isWeakInitial(Int(sleepers[index]), of: sequence) {
      return true
    }
    return false
  }

  /// Runs the current sequence from the event's node; returns its last step with its footprint
  /// there, or nil if it is disabled.
  ///
  /// The system is left as it was.
  private func tryOut(_ late: LateStep, at event: Int) -> Int? {
    let leadUp = 0..<(sequence.count - 1)
    for _ in event..<happensBefore.count { system.undo() }
    for index in leadUp {
      let step = Int(sequence[index])
      _ = system.step(steps.cpu(of: step), choice: steps.choice(of: step))
    }
    let actual = system.enabledCPUs().contains(late.cpu) ? numberNow(late) : nil
    for _ in leadUp { system.undo() }
    for index in event..<happensBefore.count {
      _ = system.step(nodes[index].cpu, choice: nodes[index].choice)
    }
    return actual
  }

  /// The number of a step with its footprint in the present state.
  private func numberNow(_ late: LateStep) -> Int {
    tryFootprint.removeAll()
    system.addFootprint(of: late.cpu, to: tryFootprint)
    return steps.number(late.cpu, choice: late.choice, tryFootprint)
  }

  /// The explored part, estimated from the stack; nil when it is empty.
  private var explored: Double? {
    guard !nodes.isEmpty else { return nil }
    var part = ExploredPart(ratio: ExploredPart.reducedRatio)
    for index in 0..<nodes.count where !part.isSettled {
      let node = nodes[index]
      // The branch being followed has been removed from the list.
      let present = index < nodes.count - 1 ? 1 : 0
      let left = trees.count(of: node.branches) + present
      part.add(done: node.exploredCount, known: node.exploredCount + left)
    }
    return part.explored
  }

  private func result(_ ending: Ending) -> SearchResult {
    SearchResult(ending, statistics, finalStates: finalStates, explored: explored, steps: path)
  }

  // MARK: Checkpoints

  var path: [Schedule.Step] { nodes.steps(first: happensBefore.count) }

  func willRetrace(_ step: Schedule.Step) { happensBefore.retrace(step.cpu, of: system) }

  func save(to writer: CheckpointWriter) {
    statistics.save(to: writer)
    writer.write(finalStates)
    steps.save(to: writer)
    trees.save(to: writer)
    writer.write(nodes.count)
    for index in 0..<nodes.count {
      let node = nodes[index]
      writer.write(node.enabled)
      let numbers = [
        Int(node.branches), node.sleepStart, node.sleepEnd, node.firstRace, node.cpu, node.choice,
        node.step, node.potential, node.isUncertain ? 1 : 0, node.exploredCount,
      ]
      for number in numbers { writer.write(number) }
    }
    writer.write(sleepers.count)
    for index in 0..<sleepers.count { writer.write(Int(sleepers[index])) }
    writer.write(races.count)
    for index in 0..<races.count {
      writer.write(Int(races[index].first))
      writer.write(Int(races[index].second))
    }
  }

  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    statistics = try Statistics(from: reader)
    finalStates = try reader.words()
    let cpus = system.cpuCount
    try steps.restore(from: reader, cpuCount: cpus, objectCount: system.objectCount)
    try trees.restore(from: reader)
    for _ in 0..<(try reader.count(ofBytes: 88)) {
      var node = Node(
        enabled: try reader.cpus(), branches: Int32(try reader.number(in: -1..<trees.count)),
        sleepStart: try reader.number(in: 0..<Int.max),
        sleepEnd: try reader.number(in: 0..<Int.max),
        firstRace: try reader.number(in: 0..<Int.max))
      node.cpu = try reader.number(in: 0..<cpus)
      node.choice = try reader.number(in: 0..<Int.max)
      node.step = try reader.number(in: 0..<max(steps.count, 1))
      node.potential = try reader.number(in: 0..<max(steps.count, 1))
      node.isUncertain = try reader.flag()
      node.exploredCount = try reader.number(in: 0..<Int.max)
      nodes.append(node)
    }
    guard nodes.count == happensBefore.count + 1 else { throw .malformed }
    for _ in 0..<(try reader.count()) {
      sleepers.append(Int32(try reader.number(in: 0..<steps.count)))
    }
    for _ in 0..<(try reader.count(ofBytes: 16)) {
      races.append(
        Race(
          first: Int32(try reader.number(in: 0..<happensBefore.count)),
          second: Int32(try reader.number(in: 0..<happensBefore.count))))
    }
    for index in 0..<nodes.count {
      let node = nodes[index]
      guard node.sleepStart <= node.sleepEnd, node.sleepEnd <= sleepers.count,
        node.firstRace <= races.count
      else { throw .malformed }
    }
  }
}
