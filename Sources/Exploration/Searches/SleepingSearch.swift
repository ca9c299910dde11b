// Depth-first search that merges equal states and keeps with each which CPUs were asleep there.

import GracewalkSupport

/// Stateful partial-order reduction with sleep sets that are kept with the states.
///
/// A finished state keeps the set Σ of steps that ran below it, and the sleep set Z it was explored
/// with: what begins with a CPU in Z was left out, because it had been explored elsewhere. Per CPU
/// asleep at a node, or done there, the search knows the step and the set of what ran below it. The
/// rules, each with its argument and the proof, are in Docs/Search.md; in short:
///
/// 1. After a step, those stay asleep, of the CPUs asleep or done before it, whose steps are
///    independent of it.
/// 2. A new state begins with one CPU that is awake.
/// 3. A step races, when it is first taken at a node, with all events it is in an immediate race
///    with; the CPU, or one whose step it needed, is added where the event was taken. A disabled
///    CPU races on arrival, with all it could touch.
/// 4. *Closure*: a CPU that is added where it is asleep is not run there. What its step races with
///    was explored below it elsewhere, so the CPUs of those steps are added in its place.
/// 5. A state met again: all of Σ races. If CPUs were asleep then that are awake now, they alone
///    are tried, at a *revisit* node, and Σ and Z are as for both visits.
/// 6. *Widening*: what a revisit does not take over as asleep may have covered what sleepers rely
///    on, so what ran below goes into the sets of those that stay asleep.
/// 7. Programs without `repeat` have no cycles, so states on the stack are not looked for.
/// 8. Which CPU begins at a state (`firstCPU`) decides how much is left to do, never what is found.
public final class SleepingSearch: ResumableSearch {
  struct Node: SearchNode {
    var enabled: CPUSet
    var backtrack: CPUSet
    var done: CPUSet
    /// Asleep on arrival; for a revisit, on both.
    var sleep: CPUSet
    var key: UInt64
    var cpu = 0
    var choice = 0
    var choiceCount: Int32 = 0
    /// Leads from the state to the one that has the key itself.
    var permutation: Int16
    /// The state was finished before, with more asleep; only those are tried.
    var isRevisit = false
    /// The number of the step last taken here.
    var step = 0
  }

  let system: TransitionSystem
  private let options: SearchOptions
  let budget: Budget
  let past: HappensBefore
  let nodes = GrowableBuffer<Node>()
  let footprint = Footprint()
  let summaries = SummaryTable()
  let knowledge = StepKnowledge()
  let finished = SummaryMap()
  let pairs = FinishedPairs()
  /// Set if states are to be compared in full.
  let exact: ExactStates?
  /// Nil if the search uses no symmetry.
  let names: StateNames?
  /// Per node, a row of steps that ran below it so far; one row more for the state in hand.
  let below = GrowableBuffer<UInt64>()
  /// The number of the set that the row of the state in hand equals, or -1 if it is not known.
  var setInHand = -1
  /// Per node and CPU that is disabled there, which CPUs could enable it.
  let enablers = GrowableBuffer<UInt64>()
  /// Per node and CPU asleep or done there, its step and the set of what ran below that.
  let sleeperSteps = GrowableBuffer<Int32>()
  let sleeperSets = GrowableBuffer<Int32>()
  /// Per depth and CPU, the step it is about to take, as far as it could go; -1 if it has finished.
  let pending = GrowableBuffer<Int32>()
  /// Per depth and CPU that is disabled there, the step it raced with on arrival; -1 for others.
  let disabledSteps = GrowableBuffer<Int32>()
  let touched = TouchedSteps()
  /// Per CPU, those that have something ahead which its next step is dependent on.
  let conflicts: GrowableBuffer<UInt64>
  let cpuCount: Int
  var statistics = Statistics()
  var finalStates: [UInt64] = []

  public init(_ system: TransitionSystem, _ options: SearchOptions) {
    self.system = system
    self.options = options
    cpuCount = system.cpuCount
    budget = Budget(options)
    exact = options.isExact ? ExactStates(system) : nil
    past = HappensBefore(cpuCount: cpuCount, objectCount: system.objectCount)
    conflicts = GrowableBuffer(repeating: 0, count: cpuCount)
    let isSymmetric = options.usesSymmetry && system.permutationCount > 1
    names = isSymmetric ? StateNames(system, summaries) : nil
  }

  deinit {
    nodes.deallocate()
    below.deallocate()
    enablers.deallocate()
    sleeperSteps.deallocate()
    sleeperSets.deallocate()
    pending.deallocate()
    disabledSteps.deallocate()
    conflicts.deallocate()
  }

  /// Explores until everything is done, something is found or a limit is met.
  ///
  /// Call it once.
  public func run() -> SearchResult {
    if let stop = system.judgeStart().ending { return result(stop) }
    if options.resume == nil, let (ending, steps) = lookAhead() {
      return SearchResult(ending, statistics, finalStates: [], explored: nil, steps: steps)
    }
    if let stop = budget.begin(self, system, { arrive(asleep: CPUSet()) }) ?? explore() {
      return result(stop)
    }
    return result(statistics.truncated > 0 ? .bounded(.depth) : .complete)
  }

  private func explore() -> Ending? {
    while !nodes.isEmpty {
      if let bound = budget.exceeded(
        statistics, depth: nodes.count, bytes: bytes, explored: explored)
      {
        past.unwind(system)
        return .bounded(bound)
      }
      if chooseStep() {
        if let stop = takeStep() { return stop }
      } else {
        leave()
      }
    }
    return nil
  }

  private func chooseStep() -> Bool {
    let node = nodes.pointer(to: nodes.count - 1)
    if node.pointee.choice < Int(node.pointee.choiceCount) { return true }
    let left = node.pointee.backtrack.subtracting(node.pointee.done)
      .subtracting(node.pointee.sleep)
    if left.isEmpty { return false }
    node.pointee.cpu = left.lowest
    node.pointee.choice = 0
    node.pointee.choiceCount = Int32(truncatingIfNeeded: system.choiceCount(of: left.lowest))
    return true
  }

  private func takeStep() -> Ending? {
    let top = nodes.count - 1
    let node = nodes.pointer(to: top)
    let cpu = node.pointee.cpu
    footprint.removeAll()
    system.addFootprint(of: cpu, to: footprint)
    if system.hasFixedFootprint(cpu) {
      node.pointee.step = Int(pending[top * cpuCount + cpu])
    } else {
      node.pointee.step = numberOfStep(cpu)
    }
    if node.pointee.choice == 0 { race(cpu, node.pointee.step) }
    let asleep = sleepers(at: top, after: cpu, node.pointee.step)
    past.push(cpu, footprint)
    touched.stackChanged(to: past.count)
    statistics.transitions += 1
    if let stop = system.step(cpu, choice: node.pointee.choice).ending {
      if stop == .violation { statistics.executions += 1 }
      return stop
    }
    let depth = nodes.count
    if let stop = arrive(asleep: asleep) { return stop }
    if nodes.count == depth { takeBack() }
    return nil
  }

  /// The number of the step whose footprint is in hand.
  func numberOfStep(_ cpu: Int) -> Int {
    if names != nil { footprint.sort() }
    let step = summaries.step(cpu, footprint)
    knowledge.enter(upTo: step, of: summaries)
    return step
  }

  /// Rule 1: those that are asleep after a step, because it does not matter to theirs.
  private func sleepers(at index: Int, after cpu: Int, _ step: Int) -> CPUSet {
    let node = nodes[index]
    var asleep = CPUSet()
    var left = node.sleep.union(node.done)
    left.remove(cpu)
    while let sleeper = left.popLowest() {
      let other = Int(sleeperSteps[index &* cpuCount &+ sleeper])
      if !knowledge.areDependent(other, step) { asleep.insert(sleeper) }
    }
    return asleep
  }

  /// Undoes the step of the top node, whose end has left its summary in the row above.
  private func takeBack() {
    system.undo()
    past.pop()
    let top = nodes.count - 1
    let node = nodes.pointer(to: top)
    let index = top * cpuCount + node.pointee.cpu
    var set =
      setInHand >= 0
      ? setInHand : summaries.intern(below.pointer(to: (top + 1) * summaries.stride))
    if node.pointee.choice > 0 { set = summaries.union(set, Int(sleeperSets[index])) }
    sleeperSets[index] = Int32(truncatingIfNeeded: set)
    sleeperSteps[index] = Int32(truncatingIfNeeded: node.pointee.step)
    mergeRow(top + 1, into: top)
    setBit(node.pointee.step, inRow: top)
    setInHand = -1
    node.pointee.choice += 1
    if node.pointee.choice == Int(node.pointee.choiceCount) {
      node.pointee.done.insert(node.pointee.cpu)
    }
  }

  /// Looks at a state; puts a node for it on the stack if something there is left to try.
  private func arrive(asleep: CPUSet) -> Ending? {
    statistics.depthMax = max(statistics.depthMax, past.count)
    let depth = nodes.count
    clearRow(depth)
    setInHand = -1
    guard let name = nameOfState() else { return .halted }
    if let known = finished.find(name.key) {
      meetAgain(Int(known), name, asleep)
      return nil
    }
    let enabled = system.enabledCPUs()
    let disabled = system.disabledCPUs()
    notePending(enabled.union(disabled))
    raceDisabled(disabled, keepsInRow: depth)
    statistics.states += 1
    if names != nil { statistics.statesCovered += name.stateCount }
    if enabled.isEmpty {
      statistics.executions += 1
      if options.collectsFinalStates { collectFinalState(name) }
      finish(name.key, name.permutation, asleep, row: depth)
      return system.judgeEnd().ending
    }
    let awake = enabled.subtracting(asleep)
    if awake.isEmpty {
      statistics.blocked += 1
      finish(name.key, name.permutation, asleep, row: depth)
      return nil
    }
    if past.count >= budget.limits.depth {
      statistics.truncated += 1
      return nil
    }
    noteEnablers(of: disabled, enabled)
    let first = firstCPU(awake, unfinished: enabled.union(disabled))
    push(
      Node(
        enabled: enabled, backtrack: CPUSet(first), done: CPUSet(), sleep: asleep,
        key: name.key, permutation: name.permutation))
    return nil
  }

  func push(_ node: Node, dropping dropped: CPUSet = CPUSet()) {
    keepSleepers(node.sleep, dropping: dropped)
    nodes.append(node)
  }

  /// What the state in hand is known by; nil if the system cannot go on.
  private func nameOfState() -> StateName? {
    if let names { return names.nameOfState() }
    guard let exact else { return StateName(key: system.stateKey) }
    defer { statistics.collisions = exact.collisions }
    return StateName(key: exact.key(of: system.stateKey))
  }

  /// Copies what is known of sleepers from the node below (rule 6 for those that are dropped).
  private func keepSleepers(_ asleep: CPUSet, dropping dropped: CPUSet) {
    let depth = nodes.count
    sleeperSteps.setCount(to: (depth + 1) * cpuCount)
    sleeperSets.setCount(to: (depth + 1) * cpuCount)
    guard depth > 0 else { return }
    let from = (depth - 1) * cpuCount
    var left = asleep
    while let cpu = left.popLowest() {
      var set = Int(sleeperSets[from + cpu])
      var others = dropped
      while let other = others.popLowest() {
        set = summaries.union(set, Int(sleeperSets[from + other]))
      }
      sleeperSteps[depth * cpuCount + cpu] = sleeperSteps[from + cpu]
      sleeperSets[depth * cpuCount + cpu] = Int32(truncatingIfNeeded: set)
    }
  }

  private func leave() {
    let top = nodes.count - 1
    finish(nodes[top].key, nodes[top].permutation, nodes[top].sleep, row: top)
    nodes.truncate(to: top)
    if top > 0 { takeBack() }
  }

  /// Keeps summary and sleep set of a state, as they are for the state that has the key itself.
  private func finish(_ key: UInt64, _ permutation: Int16, _ asleep: CPUSet, row: Int) {
    var source = row
    if permutation != 0 {
      source = row + 1
      clearRow(source)
      translate(below.pointer(to: row * summaries.stride), Int(permutation), toRow: source)
    }
    let set = summaries.intern(below.pointer(to: source * summaries.stride))
    setInHand = permutation == 0 ? set : -1
    let pair = pairs.number(set, image(of: asleep, under: Int(permutation)))
    finished.set(key, UInt32(truncatingIfNeeded: pair))
  }

  func image(of cpus: CPUSet, under permutation: Int) -> CPUSet {
    guard permutation != 0 else { return cpus }
    var image = CPUSet()
    var left = cpus
    while let cpu = left.popLowest() { image.insert(system.image(ofCPU: cpu, under: permutation)) }
    return image
  }

  /// All states of the name are final, though one was met.
  private func collectFinalState(_ name: StateName) {
    guard let names else { return finalStates.append(name.key) }
    for permutation in 0..<names.keys.count { finalStates.append(names.keys[permutation]) }
  }

  // MARK: Rows

  func clearRow(_ row: Int) {
    below.setCount(to: (row + 1) * summaries.stride)
    below.pointer(to: row * summaries.stride).update(repeating: 0, count: summaries.stride)
  }

  private func mergeRow(_ source: Int, into target: Int) {
    let stride = summaries.stride
    let from = below.pointer(to: source * stride)
    let to = below.pointer(to: target * stride)
    for word in 0..<stride { to[word] |= from[word] }
  }

  func setBit(_ step: Int, inRow row: Int) {
    while summaries.needsLongerRows(for: step) { lengthenRows() }
    below[row * summaries.stride + step / 64] |= 1 << UInt64(step % 64)
  }

  /// Sets in an empty row the steps that take the places of another row's steps.
  func translate(
    _ bits: UnsafeMutablePointer<UInt64>, _ permutation: Int, toRow row: Int
  ) {
    guard let names else { return }
    // Images may be new steps, for which rows must get longer: so nothing points into one then.
    names.steps.removeAll()
    summaries.eachStep(of: bits, words: summaries.stride) { names.steps.append($0) }
    for index in 0..<names.steps.count {
      setBit(names.image(ofStep: names.steps[index], under: permutation), inRow: row)
    }
    knowledge.enter(upTo: summaries.stepCount - 1, of: summaries)
  }

  private func lengthenRows() {
    let old = summaries.stride
    let rows = below.count / old
    let copies = (0..<below.count).map { below[$0] }
    summaries.lengthenRows()
    below.removeAll()
    for row in 0..<rows {
      let start = below.extend(by: summaries.stride, with: 0)
      for word in 0..<old { below[start + word] = copies[row * old + word] }
    }
  }

  // MARK: Results

  /// Bytes held for states and their summaries.
  public var bytes: Int { finished.bytes + pairs.bytes + summaries.bytes + (exact?.bytes ?? 0) }

  /// How much is explored, estimated from the stack; nil when there is none.
  private var explored: Double? {
    guard !nodes.isEmpty else { return nil }
    var part = ExploredPart(ratio: ExploredPart.reducedRatio)
    for index in 0..<nodes.count where !part.isSettled {
      let node = nodes[index]
      let known = node.backtrack.subtracting(node.sleep)
      let isBetween = node.choice == Int(node.choiceCount)
      part.add(
        done: node.done.count, known: known.count,
        choice: isBetween ? 0 : node.choice, of: Int(node.choiceCount))
    }
    return part.explored
  }

  private func result(_ ending: Ending) -> SearchResult {
    SearchResult(ending, statistics, finalStates: finalStates, explored: explored, steps: path)
  }

  /// The steps of the execution in hand.
  var path: [Schedule.Step] { nodes.steps(first: past.count) }
}
