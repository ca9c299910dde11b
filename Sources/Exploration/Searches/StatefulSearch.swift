// Depth-first search that merges equal states and reduces what is left.

import GracewalkSupport

/// Stateful partial-order reduction: Flanagan and Godefroid's dynamic backtracking (POPL 2005)
/// with a summary per finished state (Yang, Chen, Gopalakrishnan and Kirby, SPIN 2008).
///
/// A finished state keeps the set of steps that ran below it. Where the search meets the state
/// again, those steps are treated as if they were about to run: each that races with an event on
/// the stack adds a backtrack point, just as the pending steps of a new state do. There are no
/// sleep sets here: added to this rule they lose states.
///
/// * A race is looked for with the latest dependent event that does not happen before the step's
///   CPU. There the CPU itself is added, or one whose step it needed: the sets stay persistent.
///   Initials, as source sets take them, must not be mixed in: the CPU added for one race and the
///   initial accepted for another can leave both orders out.
/// * If the CPU is disabled there, all of a set of CPUs are added one of which must step before it
///   can (a necessary enabling set, as in Valmari's stubborn sets), and the search goes on behind.
/// * Disabled CPUs race as well, and their pending steps belong to the summary: in another order
///   they might have come first.
/// * The pending step of a CPU counts with all it could touch: what fails now may succeed in
///   another order. A step that was taken counts with what it did touch.
/// * A step of a summary may be a *later* one of its CPU. What it needs to come is not known, so it
///   is looked for in every race, and only the CPU itself is added: in the order that one race
///   asks for, the step might not come at all.
///
/// Each of these is there because the fuzzer found a program that needs it.
///
/// Where CPUs are identical and the options ask for it, states are known by a name that they share
/// with all that differ by an exchange of such CPUs (`StateNames`), and so are the steps of their
/// summaries. All else, the stack above all, speaks of the CPUs as they are.
///
/// States met again while they are on the stack cannot have a complete summary. Programs without
/// `repeat` only ever lengthen their histories, so there are none; should one occur, all CPUs are
/// tried at every node of the cycle.
public final class StatefulSearch: ResumableSearch {
  struct Node: SearchNode {
    var enabled: CPUSet
    var backtrack: CPUSet
    var done: CPUSet
    var key: UInt64
    var cpu = 0
    var choice = 0
    var choiceCount: Int32 = 0
    /// Leads from the state to the one that has the key itself.
    var permutation: Int16
    /// Another thread was exploring the state when this one came to it.
    var isContested = false
    /// The number of the step last taken here.
    var step = 0
  }

  let system: TransitionSystem
  private let options: SearchOptions
  private let budget: Budget
  let past: HappensBefore
  let nodes = GrowableBuffer<Node>()
  let footprint = Footprint()
  let summaries: SummaryTable
  let finished = SummaryMap()
  /// Set if states are to be compared in full.
  let exact: ExactStates?
  /// Nil if the search uses no symmetry.
  let names: StateNames?
  /// Per node, a row of steps that ran below it so far; one row more for the state in hand.
  let below = GrowableBuffer<UInt64>()
  /// Per node and CPU that is disabled there, who could enable it.
  let enablers = GrowableBuffer<UInt64>()
  var statistics = Statistics()
  var finalStates: [UInt64] = []
  /// Set if other threads explore the same system.
  let membership: TeamMembership?
  /// The team's, again, where they can be reached without counting references.
  let teamSignals: UnsafeMutablePointer<TeamSignals>?
  let teamStates: SharedStates?
  private var isInTeam: Bool { teamSignals != nil }
  /// Transitions at which to tell the team what was counted.
  var nextReport = Budget.period

  public convenience init(_ system: TransitionSystem, _ options: SearchOptions) {
    self.init(system, options, nil)
  }

  init(_ system: TransitionSystem, _ options: SearchOptions, _ membership: TeamMembership?) {
    self.system = system
    self.membership = membership
    teamSignals = membership?.team.signals
    teamStates = membership?.team.states
    summaries = SummaryTable(shared: membership?.team.summaries)
    self.options = options
    budget = Budget(options)
    exact = options.isExact ? ExactStates(system) : nil
    past = HappensBefore(cpuCount: system.cpuCount, objectCount: system.objectCount)
    let isSymmetric = options.usesSymmetry && system.permutationCount > 1
    names = isSymmetric ? StateNames(system, summaries) : nil
  }

  deinit {
    nodes.deallocate()
    below.deallocate()
    enablers.deallocate()
  }

  /// Explores until everything is done, something is found or a limit is met.
  ///
  /// Call it once.
  public func run() -> SearchResult {
    if let stop = budget.begin(self, system, arrive) ?? explore() { return result(stop) }
    return result(statistics.truncated > 0 ? .bounded(.depth) : .complete)
  }

  /// How the search ends if something is wrong before the first step.
  var startEnding: Ending? { system.judgeStart().ending }

  /// Explores until the node that begins the stack, or a task of a team, has nothing left to try.
  func explore(from base: Int = 0) -> Ending? {
    while nodes.count > base {
      if let bound = exceededBound() {
        past.unwind(system)
        return .bounded(bound)
      }
      if chooseStep() {
        if let stop = takeStep() { return stop }
      } else if !joinTask() {
        if nodes.count == base + 1, membership?.task != nil { return nil }
        leave()
      }
    }
    return nil
  }

  private func exceededBound() -> Bound? {
    if isInTeam { return exceededBoundOfTeam() }
    return budget.exceeded(statistics, depth: nodes.count, bytes: bytes, explored: explored)
  }

  private func chooseStep() -> Bool {
    let node = nodes.pointer(to: nodes.count - 1)
    if node.pointee.choice < Int(node.pointee.choiceCount) { return true }
    let left = node.pointee.backtrack.subtracting(node.pointee.done)
    if left.isEmpty { return false }
    let cpu = node.pointee.isContested ? left.highest : left.lowest
    node.pointee.cpu = cpu
    node.pointee.choice = 0
    node.pointee.choiceCount = Int32(truncatingIfNeeded: system.choiceCount(of: cpu))
    return true
  }

  private func takeStep() -> Ending? {
    let node = nodes.pointer(to: nodes.count - 1)
    let cpu = node.pointee.cpu
    footprint.removeAll()
    system.addFootprint(of: cpu, to: footprint)
    if names != nil { footprint.sort() }
    node.pointee.step = summaries.step(cpu, footprint)
    past.push(cpu, footprint)
    statistics.transitions += 1
    if let stop = system.step(cpu, choice: node.pointee.choice).ending {
      if stop == .violation { statistics.executions += 1 }
      return stop
    }
    let depth = nodes.count
    if let stop = arrive() { return stop }
    if nodes.count == depth { takeBack() }
    return nil
  }

  /// Undoes the step of the top node, whose end has left its summary in the row above.
  private func takeBack() {
    system.undo()
    past.pop()
    let top = nodes.count - 1
    let node = nodes.pointer(to: top)
    mergeRow(top + 1, into: top)
    setBit(node.pointee.step, inRow: top)
    node.pointee.choice += 1
    if node.pointee.choice == Int(node.pointee.choiceCount) {
      node.pointee.done.insert(node.pointee.cpu)
    }
  }

  /// Looks at a state; puts a node for it on the stack if it is new and something can run.
  func arrive() -> Ending? {
    statistics.depthMax = max(statistics.depthMax, past.count)
    let depth = nodes.count
    clearRow(depth)
    guard let name = nameOfState() else { return .halted }
    var isContested = false
    if let known = find(name.key) {
      if known != SummaryMap.onStack {
        meetAgain(Int(known), name, row: depth)
        return nil
      }
      isContested = isInTeam && !isOnStack(name.key)
      if !isContested { return closeCycle(at: name.key) }
    }
    let enabled = system.enabledCPUs()
    let disabled = system.disabledCPUs()
    raceAll(enabled, keepsInRow: nil)
    raceAll(disabled, keepsInRow: depth)
    if !isContested {
      statistics.states += 1
      if names != nil { statistics.statesCovered += name.stateCount }
    }
    if enabled.isEmpty {
      // Another thread that has claimed the state counts its end.
      if !isContested { statistics.executions += 1 }
      if options.collectsFinalStates { collectFinalState(name) }
      finish(name.key, name.permutation, row: depth)
      return system.judgeEnd().ending
    }
    if past.count >= budget.limits.depth {
      statistics.truncated += 1
      return nil
    }
    if !isInTeam { finished.set(name.key, SummaryMap.onStack) }
    noteEnablers(of: disabled, enabled)
    let first = CPUSet(isContested ? enabled.highest : enabled.lowest)
    nodes.append(
      Node(
        enabled: enabled, backtrack: first, done: CPUSet(), key: name.key,
        permutation: name.permutation, isContested: isContested))
    return nil
  }

  /// What the state in hand is known by; nil if the system cannot go on.
  private func nameOfState() -> StateName? {
    if let names { return names.nameOfState() }
    guard let exact else { return StateName(key: system.stateKey) }
    defer { statistics.collisions = exact.collisions }
    return StateName(key: exact.key(of: system.stateKey))
  }

  /// The number of the summary of a state, or `SummaryMap.onStack` if it is being explored; nil if
  /// it is new.
  private func find(_ key: UInt64) -> UInt32? {
    isInTeam ? findInTeam(key) : finished.find(key)
  }

  /// Keeps, for each disabled CPU, the enabled CPUs one of which must step before it can.
  private func noteEnablers(of disabled: CPUSet, _ enabled: CPUSet) {
    let cpuCount = system.cpuCount
    enablers.truncate(to: nodes.count * cpuCount)
    _ = enablers.extend(by: cpuCount, with: 0)
    var left = disabled
    while let cpu = left.popLowest() {
      let found = system.enablers(of: cpu, among: enabled, disabled: disabled)
      enablers[nodes.count * cpuCount + cpu] = found.bits
    }
  }

  private func leave() {
    let top = nodes.count - 1
    finish(nodes[top].key, nodes[top].permutation, row: top)
    nodes.truncate(to: top)
    if top > 0 { takeBack() }
  }

  /// Keeps the summary of a state, as it is for the state that has the key itself.
  private func finish(_ key: UInt64, _ permutation: Int16, row: Int) {
    var source = row
    if permutation != 0 {
      source = row + 1
      clearRow(source)
      translate(below.pointer(to: row * summaries.stride), Int(permutation), toRow: source)
    }
    let set = summaries.intern(below.pointer(to: source * summaries.stride))
    if isInTeam {
      finishInTeam(key, set)
    } else {
      finished.set(key, UInt32(set))
    }
  }

  /// All states of the name are final, though one was met.
  private func collectFinalState(_ name: StateName) {
    guard let names else { return finalStates.append(name.key) }
    for permutation in 0..<names.keys.count { finalStates.append(names.keys[permutation]) }
  }

  // MARK: Races

  private func raceAll(_ cpus: CPUSet, keepsInRow row: Int?) {
    var left = cpus
    while let cpu = left.popLowest() {
      footprint.removeAll()
      system.addPotentialFootprint(of: cpu, to: footprint)
      race(cpu, footprint, isNext: true)
      guard let row else { continue }
      if names != nil { footprint.sort() }
      setBit(summaries.step(cpu, footprint), inRow: row)
    }
  }

  /// The steps below a state met again, as if they were about to run.
  private func meetAgain(_ set: Int, _ name: StateName, row: Int) {
    let bits = summaries.row(set)
    if let names, name.permutation != 0 {
      translate(bits, names.inverse(of: Int(name.permutation)), toRow: row)
    } else {
      let target = below.pointer(to: row * summaries.stride)
      for word in 0..<summaries.stride { target[word] = bits[word] }
    }
    let met = below.pointer(to: row * summaries.stride)
    summaries.eachStep(of: met, words: summaries.stride) { step in
      race(summaries.cpu(of: step), summaries.footprint(of: step), isNext: false)
    }
  }

  /// Makes sure that a step of the CPU is also tried before each event it races with.
  ///
  /// - Parameters:
  ///   - footprint: of the step, or all it could touch.
  ///   - isNext: whether it is the CPU's next step and not some later one. Whatever happened before
  ///     the CPU came to its next step must happen again for that very step to come; a later step
  ///     may be reached on another way.
  private func race(_ cpu: Int, _ footprint: Footprint, isNext: Bool) {
    var limit = past.count
    while let event = past.latestRace(of: cpu, footprint, before: limit) {
      limit = event
      let node = nodes.pointer(to: event)
      let causes = isNext ? past.causes(of: cpu, after: event) : CPUSet(cpu)
      let needed = causes.intersection(node.pointee.enabled)
      if needed.isEmpty {
        let enablers = CPUSet(bits: self.enablers[event * system.cpuCount + cpu])
        node.pointee.backtrack = node.pointee.backtrack.union(enablers)
        continue
      }
      if needed.isDisjoint(with: node.pointee.backtrack) {
        node.pointee.backtrack.insert(needed.contains(cpu) ? cpu : needed.lowest)
      }
      if isNext { return }
    }
  }

  /// A state on the stack was met again: nothing on the cycle may be left out.
  private func closeCycle(at key: UInt64) -> Ending? {
    for index in stride(from: nodes.count - 1, through: 0, by: -1) {
      let node = nodes.pointer(to: index)
      node.pointee.backtrack = node.pointee.enabled
      if node.pointee.key == key { break }
    }
    return nil
  }

  // MARK: Rows

  func clearRow(_ row: Int) {
    below.truncate(to: min(below.count, row * summaries.stride))
    _ = below.extend(by: (row + 1) * summaries.stride - below.count, with: 0)
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
  private func translate(
    _ bits: UnsafeMutablePointer<UInt64>, _ permutation: Int, toRow row: Int
  ) {
    guard let names else { return }
    // Images may be new steps, for which rows must get longer: so nothing points into one then.
    names.steps.removeAll()
    summaries.eachStep(of: bits, words: summaries.stride) { names.steps.append($0) }
    for index in 0..<names.steps.count {
      setBit(names.image(ofStep: names.steps[index], under: permutation), inRow: row)
    }
  }

  func lengthenRows() {
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

  /// Bytes held for states and their summaries.
  public var bytes: Int { finished.bytes + summaries.bytes + (exact?.bytes ?? 0) }

  /// Bytes held per state stored, summaries included.
  public var bytesPerState: Double { Double(bytes) / Double(max(finished.count, 1)) }

  /// How much is explored, estimated from the stack; nil when it is empty.
  var explored: Double? {
    if isInTeam { return exploredPart?.explored }
    guard !nodes.isEmpty else { return nil }
    var part = ExploredPart(ratio: ExploredPart.reducedRatio)
    for index in 0..<nodes.count where !part.isSettled { add(index, to: &part) }
    return part.explored
  }

  /// Adds a node of the stack; also returns the shares of the last of its children that are done.
  @discardableResult
  func add(_ index: Int, to part: inout ExploredPart, lent: Int = 0) -> [Double] {
    let node = nodes[index]
    let isBetween = node.choice == Int(node.choiceCount)
    return part.add(
      done: node.done.count, known: node.backtrack.count,
      choice: isBetween ? 0 : node.choice, of: Int(node.choiceCount), lent: lent)
  }

  private func result(_ ending: Ending) -> SearchResult {
    SearchResult(ending, statistics, finalStates: finalStates, explored: explored, steps: path)
  }

  /// The steps of the execution in hand.
  var path: [Schedule.Step] { nodes.steps(first: past.count) }
}
