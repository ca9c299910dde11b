// One search that visits each state once, divided in the same way for any number of threads.

import GracewalkSupport

/// Visitors that explore one system, each on a copy of its own: without reduction, or where CPUs
/// repeat, with sets of CPUs that are repaired when nothing else is left (`PersistentSets`).
///
/// A search that is not done after a fraction of a second is divided. It goes on in rounds, in
/// which each visitor takes a fixed number of steps. In a round, a visitor knows the states that
/// were found in earlier ones, and nothing that the others find in this one. Everything else
/// happens between rounds, on one thread and in the order of the visitors: new states are taken
/// over, and visitors that are done get half of what another has left.
///
/// If two visitors find a state in one round, it belongs to the first of them. The other has no
/// more steps to take there, and those it has taken do not count. So in a complete search all
/// counts but the greatest depth are those of the graph of states, however it was divided.
///
/// Invariant: all counts, and the violation found first, depend on the system alone.
///
/// **Why it is sound.** Each state belongs to one visitor, and each of its steps is taken by that
/// one, or by one to which the step was given. A step leads to a state that was known before the
/// round, or that its visitor has found in it, and such a state is taken over from that visitor or
/// is another's. So every state that a step leads to belongs to somebody.
final class VisitTeam: ResumableSearch {
  let options: SearchOptions
  let division: ParallelSearch.Division
  let omitted: ParallelSearch.VisitOmission
  private let makeSystem: () -> TransitionSystem
  /// The numbers of the states found in earlier rounds, by their keys.
  let known = SummaryMap()
  /// The same states with their edges, if livelocks are looked for or the search is reduced.
  var graph: StateGraph?
  /// The same states with the CPUs that are followed there, if the search is reduced.
  var reduced: ReducedStates?
  var members: [Visitor] = []
  /// Counts of states that were taken over.
  var counts = Statistics()
  var isDivided = false
  private let looksForLivelocks: Bool
  /// Nil if all CPUs are followed everywhere; otherwise what the reduction leaves out.
  private let reduction: PersistentSets.Omission?
  private let budget: Budget
  private(set) var exactStates: ExactStore?
  /// How often a visitor has found a state that another had in the same round.
  var statesTwice = 0
  /// Keeps the slots that were read ahead from being optimised away.
  var touched: UInt64 = 0
  /// The number of states with which to look for livelocks next; so many take a few seconds.
  private var nextLook: Int

  /// - Parameters:
  ///   - looksForLivelocks: whether to look for livelocks.
  ///   - firstLook: the number of states with which to look for them first.
  ///   - reduction: what a reduced search leaves out; nil for one that follows all CPUs.
  init(
    _ options: SearchOptions, _ division: ParallelSearch.Division, looksForLivelocks: Bool = false,
    firstLook: Int = 1 << 17, reduction: PersistentSets.Omission? = nil,
    without omitted: ParallelSearch.VisitOmission = [],
    makeSystem: @escaping () -> TransitionSystem
  ) {
    self.options = options
    self.division = division
    self.looksForLivelocks = looksForLivelocks
    self.reduction = reduction
    self.omitted = omitted
    self.makeSystem = makeSystem
    nextLook = looksForLivelocks ? firstLook : .max
    budget = Budget(options)
  }

  /// The visitor that starts, and is alone until the search is divided.
  var first: Visitor { members[0] }

  /// Runs the search on `jobs` threads, including the calling one.
  func run(jobs: Int) -> SearchResult {
    addMember()
    exactStates = first.exact?.store
    first.budget = budget
    if let begun = budget.begin(self, first.system, first.begin) { return result(begun) }
    while nextLook <= stateCount { nextLook *= 2 }
    if !isDivided, let end = exploreAlone(jobs) { return end }
    if isDivided, let end = playRounds(jobs) { return end }
    return finish(statistics.truncated > 0 ? .bounded(.depth) : .complete)
  }

  /// False if states are to be compared in full, and each system writes them differently.
  private var isDivisible: Bool { !options.isExact || first.system.sharesExactStates }

  var stateCount: Int { isDivided ? known.count : first.found.count }

  /// The first visitor explores until the search is done or is to be divided; returns the result if
  /// it ends otherwise.
  private func exploreAlone(_ jobs: Int) -> SearchResult? {
    let start = isDivisible ? division.start : .max
    while true {
      if let ending = first.exploreAlone(untilTransitions: start, states: nextLook) {
        if case .bounded = ending { return finish(ending) }
        return result(ending)
      }
      if first.isDone {
        if reopen(jobs) { continue }
        return nil
      }
      if let found = lookForLivelocks() { return found }
      if first.statistics.transitions >= start { break }
    }
    divide()
    return nil
  }

  func divide() {
    isDivided = true
    known.exchange(with: first.found)
    if let whole = first.graph {
      graph = whole
      first.graph = StateGraph(cpuCount: whole.cpuCount)
    }
    if let whole = first.reduced {
      reduced = whole
      first.reduced = makeReducedStates(of: first.system)
    }
    first.join(known, graph, reduced)
  }

  private func makeReducedStates(of system: TransitionSystem) -> ReducedStates? {
    reduction.map { ReducedStates(cpuCount: system.cpuCount, without: $0) }
  }

  /// Adds a member without work, on a system in its initial state.
  @discardableResult
  func addMember() -> Visitor {
    let system = makeSystem()
    let member = Visitor(
      system, options, number: members.count, keepsGraph: looksForLivelocks || reduction != nil,
      makeReducedStates(of: system))
    if isDivided {
      if let exactStates { member.exact?.share(exactStates) }
      member.join(known, graph, reduced)
    }
    members.append(member)
    return member
  }

  // MARK: Rounds

  /// Returns the result if the search ends before everything is explored.
  private func playRounds(_ jobs: Int) -> SearchResult? {
    while true {
      let bound = budget.exceededNow(
        statistics, depth: members.map(\.nodes.count).max() ?? 0, bytes: bytes, explored: explored)
      if let bound { return finish(.bounded(bound)) }
      handOut()
      let active = members.filter { !$0.isDone }
      if active.isEmpty {
        if reopen(jobs) { continue }
        return nil
      }
      play(active, jobs)
      takeOver(from: active)
      if let ending = active.lazy.compactMap(\.ending).first { return result(ending) }
      if let found = lookForLivelocks() { return found }
    }
  }

  /// Steps of a visitor in the next round.
  private var turns: Int {
    guard let growth = division.growth else { return division.turns }
    return max(division.turns, statistics.transitions / (growth * division.places))
  }

  private func play(_ active: [Visitor], _ jobs: Int) {
    let (turns, base) = (turns, known.count)
    // Each visitor is run by one thread only, and what they share is only read.
    nonisolated(unsafe) let active = active
    concurrently(active.count, threads: min(jobs, active.count)) {
      active[$0].playRound(turns, base: base)
    }
  }

  /// Gives work to visitors that are done, and to new ones.
  private func handOut() {
    var free = division.places - members.count { !$0.isDone }
    while free > 0 {
      let giver = members.enumerated().max {
        ($0.element.openCount, $1.offset) < ($1.element.openCount, $0.offset)
      }?.element
      let taker = members.first(where: \.isDone) ?? addMember()
      guard let giver, giver.give(to: taker) else { return }
      if omitted.contains(.gifts) { taker.forget() }
      free -= 1
    }
  }

  /// When nothing is left to follow, finds the states in which CPUs are missing; false if there
  /// are none.
  private func reopen(_ jobs: Int) -> Bool {
    guard let graph = graph ?? first.graph, let reduced = reduced ?? first.reduced else {
      return false
    }
    first.reopen(reduced.repair(graph, threads: jobs))
    return !first.isDone
  }

  // MARK: Results

  var statistics: Statistics {
    members.reduce(into: counts) { $0.add($1.statistics) }
  }

  private var bytes: Int {
    let shared =
      known.bytes + (graph?.bytes ?? 0) + (reduced?.bytes ?? 0) + (exactStates?.bytes ?? 0)
    return members.reduce(shared) { $0 + $1.bytes }
  }

  /// The explored part, estimated from the stacks; nil if they are empty, and in a reduced search,
  /// which cannot know how much it will have to repair.
  private var explored: Double? {
    if reduction != nil || members.allSatisfy(\.isDone) { return nil }
    return max(1 - members.reduce(0) { $0 + $1.unexplored }, 0)
  }

  /// Looks for livelocks if it is time to.
  private func lookForLivelocks() -> SearchResult? {
    if stateCount < nextLook { return nil }
    while nextLook <= stateCount { nextLook *= 2 }
    return livelock(at: .violation)
  }

  /// Looks for livelocks when all states, or all up to a bound, are known; an interrupted search
  /// may be resumed instead.
  private func finish(_ ending: Ending) -> SearchResult {
    let found = ending == .bounded(.interrupted) ? nil : livelock(at: ending)
    let result = found ?? result(ending)
    first.unwind()
    return result
  }

  /// - Parameter ending: how the search ends otherwise.
  private func livelock(at ending: Ending) -> SearchResult? {
    guard looksForLivelocks, let graph = graph ?? first.graph,
      let found = Livelocks(graph).simplest()
    else { return nil }
    var result = result(ending)
    result.ending = .violation
    result.schedule = found.schedule
    result.isSimplest = found.isShortest && ending == .complete && reduction == nil
    first.unwind()
    return result
  }

  private func result(_ ending: Ending) -> SearchResult {
    let finder = members.first { $0.ending != nil } ?? first
    var result = SearchResult(
      ending, statistics, finalStates: members.flatMap(\.finalStates), explored: explored,
      steps: finder.nodes.steps(first: finder.nodes.count))
    if isDivided { result.statesTwice = statesTwice }
    return result
  }
}
