// Depth-first search that merges equal states and stores with each the CPUs that were asleep there.

import GracewalkSupport

/// Stateful partial-order reduction with sleep sets stored in the states.
///
/// A finished state has the set Σ of steps that ran below it, and the sleep set Z with which it was
/// explored: sequences that begin with a CPU in Z were left out, because they had been explored
/// elsewhere. For each CPU asleep or done at a node, the search records its step and the set of
/// steps that ran below it. The rules, with arguments and proof, are in Docs/Search.md; in short:
///
/// 1. After a step, those CPUs asleep or done before it stay asleep whose steps are independent of
///    it.
/// 2. A new state begins with one CPU that is awake.
/// 3. When a step is first taken at a node, it races with all events with which it is in an
///    immediate race; its CPU, or one whose step it needed, is added at the event's node. A
///    disabled CPU races on arrival, with its potential footprint.
/// 4. *Closure*: a CPU that is added while asleep is not run there. The steps that race with its
///    step ran below it elsewhere, so their CPUs are added instead.
/// 5. When a state is reached again, all steps of Σ race. CPUs that were asleep then and are awake
///    now are tried, at a *revisit* node, and Σ and Z then cover both visits.
/// 6. *Widening*: the CPUs that stay asleep at a revisit may rely on steps recorded for those that
///    do not, so those steps are added to their sets.
/// 7. Programs without `repeat` have no cycles, so states on the stack are not looked up. If there
///    were a cycle, the bound on depth would end it, and the search would not be complete.
/// 8. The first CPU tried at a state (`firstCPU`) affects the cost, never the result.
/// 9. *Matching*: a state also counts as finished if another one is that differs from it only in
///    words that nobody reads any more (`StateMatching`).
///
/// If CPUs are identical and the options ask for symmetry, a state is identified by a name shared
/// by all states that differ by an exchange of such CPUs (`StateNames`), and its summary and sleep
/// set are translated accordingly. Everything else, above all the stack, uses the actual CPUs.
///
/// In a team (`SearchTeam`), a CPU whose step another member explores is not done until that member
/// has finished, so it never counts as asleep before.
public final class StatefulSearch: ResumableSearch {
  struct Node: SearchNode {
    var enabled: CPUSet
    var backtrack: CPUSet
    var done: CPUSet
    /// Given to other members; done when those have finished.
    var lent = CPUSet()
    /// Asleep on arrival; for a revisit, on both arrivals.
    var sleep: CPUSet
    var key: UInt64
    var cpu = 0
    var choice = 0
    var choiceCount: Int32 = 0
    /// Maps the state to the one with the key.
    var permutation: Int16
    /// The state was finished before with more CPUs asleep; only those are tried.
    var isRevisit = false
    /// How many states share the name.
    var stateCount: Int32 = 1
    /// Another member of a team has the state on its stack.
    var isContested = false
    /// The number of the latest step taken here.
    var step = 0
    /// The transitions taken before it was pushed, for estimates.
    var begun = 0

    /// CPUs still to be tried.
    var left: CPUSet { backtrack.subtracting(done.union(lent).union(sleep)) }
  }

  /// Rules to leave out, so that tests show that each rule is needed.
  package struct Omission: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// Rule 4.
    package static let closure = Omission(rawValue: 1)
    /// Of rule 3, all races but the latest.
    package static let earlierRaces = Omission(rawValue: 2)
    /// Rule 6.
    package static let widening = Omission(rawValue: 4)
    /// Of rule 5, trying CPUs that were asleep and are awake now.
    package static let revisits = Omission(rawValue: 8)
    /// Of rule 9, the values of words that are still read.
    package static let values = Omission(rawValue: 16)
    /// Of rule 9, what is read below the next step.
    package static let laterReads = Omission(rawValue: 32)
    /// Of rule 9, what is read in tasks that other members of a team explore.
    package static let taskReads = Omission(rawValue: 64)
  }

  let system: TransitionSystem
  private let options: SearchOptions
  let omitted: Omission
  let budget: Budget
  let happensBefore: HappensBefore
  let nodes = GrowableBuffer<Node>()
  let footprint = Footprint()
  let summaries: SummaryTable
  let knowledge: StepKnowledge
  /// The number of the summary of each finished state; in a team, of those finished in this round.
  let finished = SummaryMap()
  /// In a team, what was finished in this round, in order.
  let log = GrowableBuffer<FinishedState>()
  /// Set if states are to be compared in full.
  let exact: ExactStates?
  /// Nil if the search uses no symmetry.
  let names: StateNames?
  /// Nil if states are not matched on what is read below them.
  var matching: StateMatching?
  /// Per node, a row of steps that ran below it so far; one more row for the current state.
  let ranBelow = GrowableBuffer<UInt64>()
  /// The number of the set that equals the row of the current state, or -1 if unknown.
  var setInHand = -1
  /// Per node and CPU that is disabled there, the CPUs that could enable it.
  let enablers = GrowableBuffer<UInt64>()
  /// Per node and CPU asleep or done there, its step and the set of steps that ran below it.
  let sleeperSteps = GrowableBuffer<Int32>()
  let sleeperSets = GrowableBuffer<Int32>()
  /// Per depth and CPU, its next step with its potential footprint; -1 if it has finished.
  let pending = GrowableBuffer<Int32>()
  /// Per depth and CPU that is disabled there, the step it raced with on arrival; -1 for others.
  let disabledSteps = GrowableBuffer<Int32>()
  let touched = TouchedSteps()
  /// The number of races of the current step found so far.
  var racesInHand = 0
  /// Set if something was found before the search began: the steps of the trial.
  private var stepsAhead: [Schedule.Step]?
  let cpuCount: Int
  var statistics = Statistics()
  var finalStates: [UInt64] = []
  /// Set once others explore parts of the same search.
  var membership: TeamMembership?
  /// The states finished in earlier rounds of the team, reachable without reference counting.
  var teamStates: Unmanaged<SummaryMap>?
  /// The states on the stacks of members when the round began, if each is left to its member.
  var teamClaims: Unmanaged<SummaryMap>?
  /// Set if the step in hand leads to such a state, and that state's key.
  var hasMetClaim = false
  var claimedKey: UInt64 = 0
  var isInTeam: Bool { teamStates != nil }
  /// The CPU that comes first where the order is free: each member of a team has another one.
  var firstInOrder = 0
  /// How the search ended in this member's round, if it did.
  var ending: Ending?
  /// The number of transitions at which to pause.
  var pauseAt = Int.max
  /// For a member that another process plays: asked from time to time whether to continue.
  var shouldContinue: (() -> Bool)?
  var isStopped = false

  public convenience init(_ system: TransitionSystem, _ options: SearchOptions) {
    self.init(system, options, without: [])
  }

  /// - Parameter omitted: rules to leave out, so that the search may miss something.
  package convenience init(
    _ system: TransitionSystem, _ options: SearchOptions, without omitted: Omission
  ) {
    self.init(system, options, without: omitted, knowing: nil)
  }

  /// - Parameter other: a member of the same team that it replaces.
  init(
    _ system: TransitionSystem, _ options: SearchOptions, without omitted: Omission = [],
    knowing other: StatefulSearch?
  ) {
    self.system = system
    self.options = options
    self.omitted = omitted
    summaries = other?.summaries ?? SummaryTable()
    knowledge =
      other?.knowledge ?? StepKnowledge(countsRacesOnly: system.ordersByRacesOnly)
    cpuCount = system.cpuCount
    budget = Budget(options, forecasts: false)
    self.exact = options.isExact ? ExactStates() : nil
    happensBefore = HappensBefore(cpuCount: system.cpuCount, objectCount: system.objectCount)
    let isSymmetric = options.usesSymmetry && system.permutationCount > 1
    names = isSymmetric ? StateNames(system, summaries) : nil
    let mayMatch = options.matchesStates && exact == nil
    matching =
      mayMatch && !options.collectsFinalStates
      ? StateMatching(system, summaries, without: omitted) : nil
  }

  deinit {
    nodes.deallocate()
    log.deallocate()
    ranBelow.deallocate()
    enablers.deallocate()
    sleeperSteps.deallocate()
    sleeperSets.deallocate()
    pending.deallocate()
    disabledSteps.deallocate()
  }

  /// Explores until everything is explored, a violation is found or a limit is reached.
  ///
  /// Call it once.
  public func run() -> SearchResult {
    if let stop = begin(self) ?? explore() { return result(stop) }
    return result(statistics.truncated > 0 ? .bounded(.depth) : .complete)
  }

  /// Handles the first state, or resumes a saved search; returns how the search ends, if it does.
  ///
  /// - Parameter saved: what is saved and resumed: the search, or the team it is a part of.
  func begin(_ saved: any ResumableSearch) -> Ending? {
    if let stop = system.judgeStart().ending { return stop }
    if options.resume == nil, let (ending, steps) = lookAhead() {
      stepsAhead = steps
      return ending
    }
    matching?.discardReads()
    return budget.begin(saved, system) { arrive(asleep: CPUSet()) }
  }

  /// Explores until the first node of the stack, or of a task, has nothing left to try, or until it
  /// is time to pause.
  func explore(from base: Int = 0) -> Ending? {
    while nodes.count > base {
      checkInvariants()
      if statistics.transitions >= pauseAt || mustStop { return nil }
      if !isInTeam, let bound = exceededBound() {
        happensBefore.unwind(system)
        return .bounded(bound)
      }
      if chooseStep() {
        if let stop = takeStep() { return stop }
      } else if !isInTeam {
        leave()
      } else if !joinTask() {
        if mustStay(at: base) { return nil }
        leave()
      }
    }
    return nil
  }

  @inline(__always)
  private var mustStop: Bool {
    guard shouldContinue != nil, statistics.transitions & (Budget.period - 1) == 0 else {
      return false
    }
    isStopped = shouldContinue?() == false
    return isStopped
  }

  private func exceededBound() -> Bound? {
    budget.exceeded(statistics, depth: nodes.count, bytes: bytes, explored: explored)
  }

  // MARK: Steps

  private func chooseStep() -> Bool {
    let node = nodes.pointer(to: nodes.count - 1)
    if node.pointee.choice < Int(node.pointee.choiceCount) { return true }
    let left = node.pointee.left
    if left.isEmpty { return false }
    let cpu = node.pointee.isContested ? left.highest : first(of: left)
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
    happensBefore.push(cpu, footprint)
    touched.stackChanged(to: happensBefore.count)
    statistics.transitions += 1
    let outcome = system.step(cpu, choice: node.pointee.choice)
    matching?.noteReads(inRow: top)
    if let stop = outcome.ending {
      if stop == .violation { statistics.executions += 1 }
      return stop
    }
    let depth = nodes.count
    if let stop = arrive(asleep: asleep) { return stop }
    if nodes.count == depth {
      if hasMetClaim { putOffStep() } else { takeBack() }
    }
    return nil
  }

  /// The number of the step with the current footprint.
  func numberOfStep(_ cpu: Int) -> Int {
    if names != nil { footprint.sort() }
    let step = summaries.step(cpu, footprint)
    knowledge.enter(upTo: step, of: summaries)
    return step
  }

  /// Rule 1: the CPUs asleep after a step, because their steps are independent of it.
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

  /// Undoes the step of the top node; the finished state has left its summary in the row above.
  private func takeBack() {
    let top = nodes.count - 1
    matching?.takeBack(toRow: top)
    system.undo()
    happensBefore.pop()
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

  /// Records the steps that ran below the top node's step: its CPU may be asleep from here on.
  private func noteSleeper(at top: Int) {
    let node = nodes.pointer(to: top)
    let index = top * cpuCount + node.pointee.cpu
    var set =
      setInHand >= 0
      ? setInHand : summaries.intern(ranBelow.pointer(to: (top + 1) * summaries.stride))
    if node.pointee.choice > 0 { set = summaries.union(set, Int(sleeperSets[index])) }
    sleeperSets[index] = Int32(truncatingIfNeeded: set)
    sleeperSteps[index] = Int32(truncatingIfNeeded: node.pointee.step)
  }

  // MARK: States

  /// Looks up and judges a state; pushes a node for it if there is something left to try.
  private func arrive(asleep: CPUSet) -> Ending? {
    statistics.depthMax = max(statistics.depthMax, happensBefore.count)
    let row = nodes.count
    clearRow(row)
    matching?.live.clear(row: row)
    setInHand = -1
    guard let name = nameOfState() else { return .halted }
    stopMatchingIfUseless()
    if let set = summary(of: name.key) {
      revisit(set, name, asleep, under: inverse(of: name))
      return nil
    }
    if let set = findMatch() {
      revisit(set, name, asleep, under: 0)
      return nil
    }
    if isInTeam, isClaimed(name.key) {
      (hasMetClaim, claimedKey) = (true, name.key)
      return nil
    }
    let ending = begin(name, asleep)
    matching?.noteReads(inRow: row)
    return ending
  }

  /// The set that a state was finished with; nil if it was not.
  @inline(__always)
  private func summary(of key: UInt64) -> Int? {
    if let known = finished.find(key) { return Int(known) }
    guard let known = teamStates?._withUnsafeGuaranteedRef({ $0.find(key) }) else { return nil }
    return adopt(known)
  }

  /// Handles a state that is new to this search.
  private func begin(_ name: StateName, _ asleep: CPUSet) -> Ending? {
    let enabled = system.enabledCPUs()
    let disabled = system.disabledCPUs()
    let unfinished = enabled.union(disabled)
    notePending(unfinished)
    raceDisabled(disabled, keepsInRow: nodes.count)
    count(name, isEnd: enabled.isEmpty)
    let awake = enabled.subtracting(asleep)
    if awake.isEmpty {
      let ending = enabled.isEmpty ? system.judgeEnd().ending : nil
      finish(name, asleep, isEnd: enabled.isEmpty, row: nodes.count)
      if !enabled.isEmpty { statistics.blocked += 1 }
      return ending
    }
    if happensBefore.count >= budget.limits.depth {
      statistics.truncated += 1
      return nil
    }
    noteEnablers(of: disabled, enabled)
    let first = firstCPU(awake, unfinished: unfinished)
    push(
      Node(
        enabled: enabled, backtrack: CPUSet(first), done: CPUSet(), sleep: asleep, key: name.key,
        permutation: name.permutation, stateCount: Int32(truncatingIfNeeded: name.stateCount)))
    return nil
  }

  /// Counts a state, unless the team does so once it takes it over.
  private func count(_ name: StateName, isEnd: Bool) {
    if isEnd, options.collectsFinalStates { collectFinalState(name) }
    if isInTeam { return }
    statistics.states += 1
    if names != nil { statistics.statesCovered += name.stateCount }
    if isEnd { statistics.executions += 1 }
  }

  /// All states of the name are final, although only one was visited.
  private func collectFinalState(_ name: StateName) {
    guard let names else { return finalStates.append(name.key) }
    for permutation in 0..<names.keys.count { finalStates.append(names.keys[permutation]) }
  }

  /// The name of the current state; nil if the system cannot continue.
  private func nameOfState() -> StateName? {
    if let names {
      defer { matching?.discardReads() }
      return names.nameOfState()
    }
    guard let exact else { return StateName(key: system.stateKey) }
    defer { statistics.collisions = exact.collisions }
    return StateName(key: exact.key(of: system.stateKey, in: system))
  }

  /// Pushes a node for the current state.
  ///
  /// - Parameter dropped: CPUs asleep on arrival that this node does not keep asleep.
  func push(_ node: Node, dropping dropped: CPUSet = CPUSet()) {
    keepSleepers(node.sleep, dropping: dropped)
    nodes.append(node)
    nodes.pointer(to: nodes.count - 1).pointee.begun = statistics.transitions
  }

  /// Copies the facts recorded for sleeping CPUs from the node below (rule 6 for those dropped).
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
    let node = nodes[top]
    let name = StateName(
      key: node.key, permutation: node.permutation, stateCount: Int(node.stateCount))
    finish(name, node.sleep, isEnd: false, row: top)
    if isInTeam { log.pointer(to: log.count - 1).pointee.isRevisit = node.isRevisit }
    nodes.truncate(to: top)
    if top > 0 { takeBack() }
  }

  /// Stores the summary and sleep set of a state, translated to the state that has the key.
  private func finish(_ name: StateName, _ asleep: CPUSet, isEnd: Bool, row: Int) {
    let permutation = Int(name.permutation)
    matching?.noteReads(inRow: row)
    stopMatchingIfUseless()
    let own = matching == nil && permutation != 0 ? -1 : intern(row, asleep)
    if own >= 0 { matching?.store(own, reading: summaries.reads(own)) }
    setInHand = own
    let set = permutation == 0 ? own : internImage(ofRow: row, asleep, under: permutation)
    finished.set(name.key, UInt32(truncatingIfNeeded: set))
    guard isInTeam else { return }
    log.append(
      FinishedState(
        key: name.key, set: UInt32(truncatingIfNeeded: set),
        stateCount: Int32(truncatingIfNeeded: name.stateCount), isEnd: isEnd))
  }

  // MARK: Results

  private func result(_ ending: Ending) -> SearchResult {
    SearchResult(ending, statistics, finalStates: finalStates, explored: explored, steps: path)
  }

  /// The steps of the current execution.
  var path: [Schedule.Step] { stepsAhead ?? nodes.steps(first: happensBefore.count) }
}
