// One stateful search, divided among members who play rounds: the same for any number of threads.

import Dispatch
import GracewalkSupport
import Synchronization

/// Searches that explore one system together, each on a copy of its own.
///
/// Fork and join: a member without work gets a part of another one's stack, one step at one of its
/// nodes with all that lies below. The giver leaves that node only once the part is done, and takes
/// over what must be tried at the nodes above because of races found in it, and the summary of the
/// steps in it.
///
/// A round is so many transitions of each member that has something to do. Within it, members share
/// nothing but numbers for steps and sets, on which nothing depends. All else happens between
/// rounds, on one thread and in the order of the members: finished states are taken over, parts
/// that are done are given back, and others are handed out. So every number that is counted, and
/// what is found first, follow from the system alone. Two members may come to the same state in one
/// round and both explore it: that is counted twice as transitions and once as a state.
final class SearchTeam: ResumableSearch {
  let options: SearchOptions
  let division: ParallelSearch.Division
  private let makeSystem: () -> TransitionSystem
  /// What was finished in earlier rounds, with the numbers that all members share.
  let states = SummaryMap()
  let summaries = SharedSummaries()
  /// States of stacks, with the number of the first member that has them.
  private let claims = SummaryMap(capacity: 512)
  /// States and executions of all rounds; the members count the rest.
  var counts = Statistics()
  var members: [StatefulSearch] = []
  var isDivided = false

  init(
    _ options: SearchOptions, _ division: ParallelSearch.Division,
    makeSystem: @escaping () -> TransitionSystem
  ) {
    self.options = options
    self.division = division
    self.makeSystem = makeSystem
  }

  /// The member that begins, alone.
  var first: StatefulSearch { members[0] }

  /// Runs the search on so many threads, the calling one included.
  func run(jobs: Int) -> SearchResult {
    members = [StatefulSearch(makeSystem(), options, without: [])]
    // What a machine writes of a state in full, only it can compare.
    first.pauseAt = options.isExact ? .max : division.start
    var ending = first.begin(self)
    if ending == nil, !isDivided {
      ending = first.explore()
      if ending == nil, !first.nodes.isEmpty { divide() }
    }
    if isDivided, ending == nil { ending = playRounds(jobs) }
    return result(ending)
  }

  private func result(_ ending: Ending?) -> SearchResult {
    var finals = first.finalStates
    for member in members.dropFirst() { finals += member.finalStates }
    let total = statistics
    let finder = members.first { $0.ending != nil } ?? first
    return SearchResult(
      ending ?? (total.truncated > 0 ? .bounded(.depth) : .complete), total, finalStates: finals,
      explored: explored, steps: finder.path)
  }

  // MARK: Rounds

  /// Makes a team of the one search there is.
  private func divide() {
    isDivided = true
    states.exchange(with: first.finished)
    first.join(self, number: 0)
    // States of the stack were counted on arrival; the team counts them once they are finished.
    for index in 0..<first.nodes.count where !first.nodes[index].isRevisit {
      first.statistics.states -= 1
      if first.names != nil { first.statistics.statesCovered -= Int(first.nodes[index].stateCount) }
    }
  }

  private func playRounds(_ jobs: Int) -> Ending? {
    while true {
      handOut()
      let active = members.filter { $0.membership?.isActive == true }
      play(active, jobs)
      for member in active { takeOver(from: member) }
      turnContested()
      if let ending = active.lazy.compactMap(\.ending).first { return ending }
      if first.membership?.isDone == true { return nil }
      if let bound = exceededBound() { return .bounded(bound) }
    }
  }

  private func exceededBound() -> Bound? {
    guard
      let bound = first.budget.exceededNow(
        statistics, depth: members.map(\.nodes.count).max() ?? 0, bytes: bytes, explored: explored)
    else { return nil }
    first.past.unwind(first.system)
    return bound
  }

  private func play(_ active: [StatefulSearch], _ jobs: Int) {
    let turns = division.turns
    let threads = min(jobs, active.count)
    if threads == 1 { return active.forEach { $0.playRound(turns) } }
    let next = Atomic<Int>(0)
    // Each member is played by one thread.
    nonisolated(unsafe) let active = active
    DispatchQueue.concurrentPerform(iterations: threads) { _ in
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < active.count else { return }
        active[index].playRound(turns)
      }
    }
  }

  /// Takes over what a member has finished, and counts what is new.
  private func takeOver(from member: StatefulSearch) {
    for index in 0..<member.log.count {
      let state = member.log[index]
      if states.find(state.key) == nil {
        counts.states += 1
        if member.names != nil { counts.statesCovered += Int(state.stateCount) }
        if state.isEnd { counts.executions += 1 }
      }
      states.set(state.key, state.set)
    }
    member.log.removeAll()
    member.finished.removeAll()
    guard let membership = member.membership, membership.isDone else { return }
    membership.task?.isDone = true
    membership.task = nil
  }

  /// Lets the later of two members that have a state on their stacks go on from the other end.
  private func turnContested() {
    claims.removeAll()
    for (number, member) in members.enumerated() {
      let base = member.membership?.base ?? 0
      for index in base..<max(member.nodes.count, base) {
        let node = member.nodes.pointer(to: index)
        if let other = claims.find(node.pointee.key) {
          if Int(other) != number { node.pointee.isContested = true }
        } else {
          claims.set(node.pointee.key, UInt32(number))
        }
      }
    }
  }

  /// Gives parts of stacks to members that have nothing to do, or new ones.
  private func handOut() {
    for member in members { member.membership?.isActive = member.canGoOn }
    var busy = members.count { $0.membership?.isActive == true }
    let givers = members.filter { $0.isBusy }
    var hasGiven = true
    while busy < division.places, hasGiven {
      hasGiven = false
      for giver in givers where busy < division.places {
        guard let task = giver.give() else { continue }
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

  /// A member without work on a fresh system.
  func makeMember() -> StatefulSearch {
    var options = options
    (options.watch, options.checkpoints, options.resume) = (nil, nil, nil)
    let member = StatefulSearch(makeSystem(), options, without: [])
    member.join(self, number: members.count)
    return member
  }

  // MARK: Counts

  /// What all members and the team have counted.
  var statistics: Statistics {
    members.reduce(into: counts) { total, member in
      let part = member.statistics
      total.executions += part.executions
      total.blocked += part.blocked
      total.truncated += part.truncated
      total.states += part.states
      total.statesCovered += part.statesCovered
      total.transitions += part.transitions
      total.collisions += part.collisions
      total.depthMax = max(total.depthMax, part.depthMax)
    }
  }

  private var bytes: Int {
    members.reduce(states.bytes + summaries.bytes) {
      $0 + $1.finished.bytes + $1.summaries.bytes + $1.knowledge.bytes
    }
  }

  private var explored: Double? { isDivided ? first.exploredInTeam : first.explored }
}
