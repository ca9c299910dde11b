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
/// 7. Programs without `repeat` have no cycles, so states on the stack are not looked for; should
///    there be one, the bound on depth ends it, and the search does not call itself complete.
/// 8. Which CPU begins at a state (`firstCPU`) decides how much is left to do, never what is found.
///
/// Where CPUs are identical and the options ask for it, states are known by a name that they share
/// with all that differ by an exchange of such CPUs (`StateNames`), and so are the steps of their
/// summaries and their sleep sets. All else, the stack above all, speaks of the CPUs as they are.
///
/// In a team (`SearchTeam`), a CPU whose step another thread explores is not done before that
/// thread is, so nobody takes it for asleep.
public final class StatefulSearch: ResumableSearch {
  struct Node: SearchNode {
    var enabled: CPUSet
    var backtrack: CPUSet
    var done: CPUSet
    /// Given to other threads; done once those are.
    var lent = CPUSet()
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
    /// Another thread was exploring the state when this one came to it.
    var isContested = false
    /// The number of the step last taken here.
    var step = 0

    /// CPUs that are still to be tried.
    var left: CPUSet { backtrack.subtracting(done.union(lent).union(sleep)) }
  }

  /// Rules to leave out: so tests show that what a rule is for does happen, and is noticed.
  package struct Omission: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// Rule 4.
    package static let closure = Omission(rawValue: 1)
    /// Of rule 3, all races but the latest.
    package static let earlierRaces = Omission(rawValue: 2)
    /// Rule 6.
    package static let widening = Omission(rawValue: 4)
    /// Of rule 5, what was asleep and is awake now.
    package static let revisits = Omission(rawValue: 8)
  }

  let system: TransitionSystem
  private let options: SearchOptions
  let omitted: Omission
  let budget: Budget
  let past: HappensBefore
  let nodes = GrowableBuffer<Node>()
  let footprint = Footprint()
  let summaries: SummaryTable
  let knowledge = StepKnowledge()
  /// The number of the summary of each finished state.
  let finished = SummaryMap()
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
  /// How many races of a step have been found so far.
  var racesInHand = 0
  let cpuCount: Int
  var statistics = Statistics()
  var finalStates: [UInt64] = []
  /// Set if other threads explore the same system.
  let membership: TeamMembership?
  /// The team's, again, where they can be reached without counting references.
  let teamSignals: UnsafeMutablePointer<TeamSignals>?
  let teamStates: SharedStates?
  var isInTeam: Bool { teamSignals != nil }
  /// Transitions at which to tell the team what was counted.
  var nextReport = Budget.period

  public convenience init(_ system: TransitionSystem, _ options: SearchOptions) {
    self.init(system, options, nil, without: [])
  }

  /// - Parameter omitted: rules to leave out, so that the search may miss something.
  package convenience init(
    _ system: TransitionSystem, _ options: SearchOptions, without omitted: Omission
  ) {
    self.init(system, options, nil, without: omitted)
  }

  init(
    _ system: TransitionSystem, _ options: SearchOptions, _ membership: TeamMembership?,
    without omitted: Omission = []
  ) {
    self.system = system
    self.options = options
    self.omitted = omitted
    self.membership = membership
    teamSignals = membership?.team.signals
    teamStates = membership?.team.states
    summaries = SummaryTable(shared: membership?.team.summaries)
    cpuCount = system.cpuCount
    budget = Budget(options)
    exact = options.isExact ? ExactStates(system) : nil
    past = HappensBefore(cpuCount: cpuCount, objectCount: system.objectCount)
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
  }

  /// Explores until everything is done, something is found or a limit is met.
  ///
  /// Call it once.
  public func run() -> SearchResult {
    if let stop = startEnding { return result(stop) }
    if options.resume == nil, let (ending, steps) = lookAhead() {
      return SearchResult(ending, statistics, finalStates: [], explored: nil, steps: steps)
    }
    if let stop = budget.begin(self, system, arriveAtStart) ?? explore() { return result(stop) }
    return result(statistics.truncated > 0 ? .bounded(.depth) : .complete)
  }

  /// How the search ends if something is wrong before the first step.
  var startEnding: Ending? { system.judgeStart().ending }

  func arriveAtStart() -> Ending? { arrive(asleep: CPUSet()) }

  /// Explores until the node that begins the stack, or a task of a team, has nothing left to try.
  func explore(from base: Int = 0) -> Ending? {
    while nodes.count > base {
      checkInvariants()
      if let bound = exceededBound() {
        past.unwind(system)
        return .bounded(bound)
      }
      if chooseStep() {
        if let stop = takeStep() { return stop }
      } else if !isInTeam || !joinTask() {
        if isInTeam, nodes.count == base + 1, membership?.task != nil { return nil }
        leave()
      }
    }
    return nil
  }

  private func exceededBound() -> Bound? {
    if isInTeam { return exceededBoundOfTeam() }
    return budget.exceeded(statistics, depth: nodes.count, bytes: bytes, explored: explored)
  }

  // MARK: Steps

  private func chooseStep() -> Bool {
    let node = nodes.pointer(to: nodes.count - 1)
    if node.pointee.choice < Int(node.pointee.choiceCount) { return true }
    let left = node.pointee.left
    if left.isEmpty { return false }
    let cpu = node.pointee.isContested ? left.highest : left.lowest
    node.pointee.cpu = cpu
    node.pointee.choice = 0
    node.pointee.choiceCount = Int32(truncatingIfNeeded: system.choiceCount(of: cpu))
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
    var asleep = CPUSet()
    let node = nodes.pointer(to: index)
    var left = node.pointee.sleep.union(node.pointee.done)
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
    noteSleeper(at: top)
    let node = nodes.pointer(to: top)
    mergeRow(top + 1, into: top)
    setBit(node.pointee.step, inRow: top)
    setInHand = -1
    node.pointee.choice += 1
    if node.pointee.choice == Int(node.pointee.choiceCount) {
      node.pointee.done.insert(node.pointee.cpu)
    }
  }

  /// Keeps what ran below the step of the top node: its CPU may be asleep from here on.
  private func noteSleeper(at top: Int) {
    let node = nodes.pointer(to: top)
    let index = top * cpuCount + node.pointee.cpu
    var set =
      setInHand >= 0
      ? setInHand : summaries.intern(below.pointer(to: (top + 1) * summaries.stride))
    if node.pointee.choice > 0 { set = summaries.union(set, Int(sleeperSets[index])) }
    sleeperSets[index] = Int32(truncatingIfNeeded: set)
    sleeperSteps[index] = Int32(truncatingIfNeeded: node.pointee.step)
  }

  // MARK: States

  /// Looks at a state; puts a node for it on the stack if something there is left to try.
  private func arrive(asleep: CPUSet) -> Ending? {
    statistics.depthMax = max(statistics.depthMax, past.count)
    clearRow(nodes.count)
    setInHand = -1
    guard let name = nameOfState() else { return .halted }
    let known = isInTeam ? teamStates?.findOrClaim(name.key) : finished.find(name.key)
    if let known, known != SummaryMap.onStack {
      meetAgain(Int(known), name, asleep)
      return nil
    }
    return begin(name, asleep, isContested: known != nil)
  }

  /// Looks at a state that this search has not met before.
  ///
  /// - Parameter isContested: whether another thread is exploring it, and counts it.
  private func begin(_ name: StateName, _ asleep: CPUSet, isContested: Bool) -> Ending? {
    let enabled = system.enabledCPUs()
    let disabled = system.disabledCPUs()
    let unfinished = enabled.union(disabled)
    notePending(unfinished)
    raceDisabled(disabled, keepsInRow: nodes.count)
    if !isContested { count(name, isEnd: enabled.isEmpty) }
    let awake = enabled.subtracting(asleep)
    if enabled.isEmpty {
      finish(name.key, name.permutation, asleep, row: nodes.count)
      return system.judgeEnd().ending
    }
    if awake.isEmpty {
      statistics.blocked += 1
      // Whoever is exploring the state will know more about it.
      if !isContested { finish(name.key, name.permutation, asleep, row: nodes.count) }
      return nil
    }
    if past.count >= budget.limits.depth {
      statistics.truncated += 1
      return nil
    }
    noteEnablers(of: disabled, enabled)
    let first = firstCPU(awake, unfinished: unfinished, prefersHigh: isContested)
    push(
      Node(
        enabled: enabled, backtrack: CPUSet(first), done: CPUSet(), sleep: asleep, key: name.key,
        permutation: name.permutation, isContested: isContested))
    return nil
  }

  private func count(_ name: StateName, isEnd: Bool) {
    statistics.states += 1
    if names != nil { statistics.statesCovered += name.stateCount }
    guard isEnd else { return }
    statistics.executions += 1
    if options.collectsFinalStates { collectFinalState(name) }
  }

  /// All states of the name are final, though one was met.
  private func collectFinalState(_ name: StateName) {
    guard let names else { return finalStates.append(name.key) }
    for permutation in 0..<names.keys.count { finalStates.append(names.keys[permutation]) }
  }

  /// What the state in hand is known by; nil if the system cannot go on.
  private func nameOfState() -> StateName? {
    if let names { return names.nameOfState() }
    guard let exact else { return StateName(key: system.stateKey) }
    defer { statistics.collisions = exact.collisions }
    return StateName(key: exact.key(of: system.stateKey))
  }

  /// Puts a node on the stack for the state in hand.
  ///
  /// - Parameter dropped: CPUs asleep on the way here that this node does not keep asleep.
  func push(_ node: Node, dropping dropped: CPUSet = CPUSet()) {
    keepSleepers(node.sleep, dropping: dropped)
    nodes.append(node)
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
      var others = omitted.contains(.widening) ? CPUSet() : dropped
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
    let set = summaries.intern(
      below.pointer(to: source * summaries.stride),
      sleep: image(of: asleep, under: Int(permutation)))
    setInHand = permutation == 0 ? set : -1
    if isInTeam { return finishInTeam(key, set) }
    finished.set(key, UInt32(truncatingIfNeeded: set))
  }

  func image(of cpus: CPUSet, under permutation: Int) -> CPUSet {
    guard permutation != 0 else { return cpus }
    var image = CPUSet()
    var left = cpus
    while let cpu = left.popLowest() { image.insert(system.image(ofCPU: cpu, under: permutation)) }
    return image
  }

  // MARK: Results

  private func result(_ ending: Ending) -> SearchResult {
    SearchResult(ending, statistics, finalStates: finalStates, explored: explored, steps: path)
  }

  /// The steps of the execution in hand.
  var path: [Schedule.Step] { nodes.steps(first: past.count) }
}
