// One stateful search, divided among members in the same way for any number of threads.

import GracewalkSupport

/// Searches that explore one system together, each on a copy of its own.
///
/// This is fork and join: an idle member gets a task from another member's stack, namely one step
/// at one node, with everything below it. The giver does not leave that node before the task is
/// done. It then takes over the CPUs that must be tried at the nodes above, because of races found
/// in the task, and the summary of the task's steps.
///
/// In a round, each member that has work takes a fixed number of transitions. Within a round,
/// members share only the numbers of steps and sets, and no result depends on these. Everything
/// else happens between rounds, on one thread and in the order of the members: finished states are
/// merged, finished tasks are returned, and new ones are handed out.
///
/// Invariant: all counts, and the violation found first, depend on the system alone. Two members
/// may reach the same state in one round and both explore it; its transitions are then counted
/// twice, the state once.
final class SearchTeam: ResumableSearch {
  let options: SearchOptions
  let division: ParallelSearch.Division
  private let makeSystem: () -> TransitionSystem
  private let omitted: StatefulSearch.Omission
  /// States finished in earlier rounds, with the shared numbers of their summaries.
  let states = SummaryMap()
  let summaries = SharedSummaries()
  /// States finished in earlier rounds, as others may match them; nil if states are not matched.
  var matches: MatchTable?
  /// All states in full, if they are compared so.
  private(set) var exactStates: ExactStore?
  /// States on the members' stacks, with the number of the first member that has each.
  let claims = SummaryMap(capacity: 512)
  /// How often a state was finished that another member had finished.
  var statesTwice = 0
  /// States finished since other processes were told last, once they have been told all.
  let journal = GrowableBuffer<FinishedState>()
  var keepsJournal = false
  /// What was touched, so that touching is not optimised away.
  var touched: UInt64 = 0
  /// Steps and sets that other processes know.
  var stepsTold = 0
  var setsTold = 0
  /// A system in its initial state, for the next member that comes back.
  var spare: TransitionSystem?
  /// States and executions of all rounds; the members count the rest.
  var counts = Statistics()
  var members: [StatefulSearch] = []
  var isDivided = false
  /// That of the search that started; a member that was explored elsewhere has a new one.
  private var budget: Budget?

  deinit { journal.deallocate() }

  init(
    _ options: SearchOptions, _ division: ParallelSearch.Division,
    without omitted: StatefulSearch.Omission = [], makeSystem: @escaping () -> TransitionSystem
  ) {
    self.options = options
    self.omitted = omitted
    self.division = division
    self.makeSystem = makeSystem
  }

  /// The member that starts, and is alone until the search is divided.
  var first: StatefulSearch { members[0] }

  /// Runs the search on `jobs` threads, including the calling one.
  func run(jobs: Int) -> SearchResult {
    members = [StatefulSearch(makeSystem(), options, without: omitted)]
    exactStates = first.exact?.store
    budget = first.budget
    if !division.matches || options.distantRounds != nil { first.stopMatching() }
    var ending = first.begin(self)
    if !isDivided { ending = ending ?? exploreAlone() }
    if isDivided, ending == nil { ending = playRounds(jobs) }
    return result(ending)
  }

  /// Explores until the search is done or is to be divided; returns how it ends, if it does.
  ///
  /// Whether to divide depends on counts alone, so that it is the same for any number of threads,
  /// and in a search that is resumed.
  private func exploreAlone() -> Ending? {
    var next = isDivisible ? division.start : .max
    // A search that is resumed has decided before.
    while next < first.statistics.transitions { next *= 2 }
    while true {
      first.pauseAt = next
      if let ending = first.explore() { return ending }
      if first.nodes.isEmpty { return nil }
      if next >= division.start * division.patience || !mergesMuch { break }
      next *= 2
    }
    // Members stop at other lengths.
    if let bound = exceededBound() { return .bounded(bound) }
    divide()
    return nil
  }

  /// True if many steps lead to states that are finished, or match one that is.
  ///
  /// Then members would do each other's work: nobody can match what another is about to finish.
  private var mergesMuch: Bool {
    if first.matching == nil { return false }
    let transitions = first.statistics.transitions
    return (transitions - first.statistics.states) * 5 > transitions * 2
  }

  private func result(_ ending: Ending?) -> SearchResult {
    var finals = first.finalStates
    for member in members.dropFirst() { finals += member.finalStates }
    let total = statistics
    let finder = members.first { $0.ending != nil } ?? first
    var result = SearchResult(
      ending ?? (total.truncated > 0 ? .bounded(.depth) : .complete), total, finalStates: finals,
      explored: explored, steps: finder.path)
    if isDivided { result.statesTwice = statesTwice }
    return result
  }

  /// False if states are to be compared in full, and each system writes them differently.
  private var isDivisible: Bool { !options.isExact || first.system.sharesExactStates }

  // MARK: Rounds

  /// Turns the single search into a team.
  private func divide() {
    isDivided = true
    states.exchange(with: first.finished)
    if first.matching != nil { matches = MatchTable() }
    first.join(self, number: 0)
    if let matches {
      first.matching?.table.move(
        to: matches, reads: { first.summaries.publish(reads: $0) },
        summary: { first.summaries.publish($0) })
    }
    states.renumber { UInt32(first.summaries.publish(Int($0))) }
    // States of the stack were counted on arrival; the team counts them once they are finished.
    for index in 0..<first.nodes.count where !first.nodes[index].isRevisit {
      first.statistics.states -= 1
      if first.names != nil { first.statistics.statesCovered -= Int(first.nodes[index].stateCount) }
    }
  }

  private func playRounds(_ jobs: Int) -> Ending? {
    while true {
      handOut()
      releaseClaims()
      let numbers = members.indices.filter { members[$0].membership?.isActive == true }
      guard playRound(of: numbers, jobs) else { return .bounded(.interrupted) }
      let active = numbers.map { members[$0] }
      takeOver(from: active, jobs)
      stopMatchingIfUseless()
      noteClaims()
      retryPutOff()
      if let ending = active.lazy.compactMap(\.ending).first { return ending }
      if first.membership?.isDone == true { return nil }
      if let bound = exceededBound() { return .bounded(bound) }
    }
  }

  private func exceededBound() -> Bound? {
    guard
      let bound = budget?.exceededNow(
        statistics, depth: members.map(\.nodes.count).max() ?? 0, bytes: bytes, explored: explored)
    else { return nil }
    first.happensBefore.unwind(first.system)
    return bound
  }

  /// Transitions of a member in the next round.
  var turns: Int {
    guard let growth = division.growth else { return division.turns }
    return max(division.turns, statistics.transitions / (growth * division.places))
  }

  /// Plays a round of some members, here or elsewhere; false if that was interrupted.
  private func playRound(of numbers: [Int], _ jobs: Int) -> Bool {
    if let distant = options.distantRounds, turns >= distant.turnsMin, numbers.count > 1 {
      return playElsewhere(numbers, distant)
    }
    play(numbers.map { members[$0] }, jobs, turns)
    return true
  }

  private func play(_ active: [StatefulSearch], _ jobs: Int, _ turns: Int) {
    // Each member is run by one thread only.
    nonisolated(unsafe) let active = active
    concurrently(active.count, threads: min(jobs, active.count)) { active[$0].playRound(turns) }
  }

  /// Ends matching for all members if it finds too little, or cannot go on for one of them.
  private func stopMatchingIfUseless() {
    guard matches != nil else { return }
    let lookups = members.reduce(0) { $0 + ($1.matching?.lookups ?? 0) }
    let found = members.reduce(0) { $0 + ($1.matching?.matches ?? 0) }
    let isKept =
      StateMatching.isWorthwhile(lookups, found) && members.allSatisfy { $0.matching != nil }
    if isKept { return }
    matches = nil
    for member in members { member.stopMatching() }
  }

  /// Members to keep busy.
  private var places: Int {
    matches == nil ? division.places : min(division.matchingPlaces, division.places)
  }

  /// Gives tasks to idle members, or to new ones.
  func handOut() {
    for member in members { member.membership?.isActive = member.canContinue }
    var busy = members.count { $0.membership?.isActive == true }
    let givers = members.filter { $0.isBusy }
    var hasGiven = true
    while busy < places, hasGiven {
      hasGiven = false
      for giver in givers where busy < places {
        guard members.count < division.membersMax || members.contains(where: { !$0.isBusy }),
          let task = giver.give()
        else { continue }
        let taker = idleMember()
        taker.membership?.task = task
        taker.membership?.isNew = true
        taker.membership?.isActive = true
        task.taker = taker
        hasGiven = true
        busy += 1
      }
    }
  }

  private func idleMember() -> StatefulSearch {
    if let idle = members.first(where: { !$0.isBusy }) { return idle }
    let member = makeMember()
    members.append(member)
    return member
  }

  private var quietOptions: SearchOptions {
    var options = options
    (options.watch, options.checkpoints, options.resume) = (nil, nil, nil)
    return options
  }

  /// A member without work on a system in its initial state: the next one, or one that replaces
  /// another.
  func makeMember(_ number: Int? = nil, insteadOf old: StatefulSearch? = nil) -> StatefulSearch {
    let member = StatefulSearch(
      spare ?? makeSystem(), quietOptions, without: omitted, knowing: old)
    spare = nil
    member.join(self, number: number ?? members.count)
    return member
  }

  // MARK: Counts

  /// The sum of the counts of all members and of the team.
  var statistics: Statistics {
    members.reduce(into: counts) { $0.add($1.statistics) }
  }

  private var bytes: Int {
    let shared = states.bytes + summaries.bytes + (matches?.bytes ?? 0) + (exactStates?.bytes ?? 0)
    return members.reduce(shared) {
      $0 + $1.finished.bytes + $1.summaries.bytes + $1.knowledge.bytes
    }
  }

  private var explored: Double? { isDivided ? first.exploredInTeam : first.explored }
}
