// One stateless search, divided into pieces in the same way for any number of threads.

import GracewalkSupport

/// Searches that explore pieces of one system, each on a copy of its own.
///
/// A search that is not done after a fraction of a second is divided. It goes on in rounds, in
/// which each member takes a fixed number of transitions. In a round, a member knows what all have
/// found in earlier ones, and nothing that the others find in this one. Everything else happens
/// between rounds, on one thread and in the order of the members: what they found about shared
/// states is added there, and members that are done get other branches of shared states, those
/// nearest to the start first. If there are none, members share more of their stacks.
///
/// Invariant: all counts, and the violation found first, depend on the system alone.
///
/// **Why it is sound.** The states that were explored form a tree, in which the branches of a state
/// are ordered as they were taken or given out. A step is asleep in a branch if it is independent
/// of the way there from a state at which its own branch comes earlier. The proof of source-DPOR is
/// by induction over this tree, and needs two things of it as it is in the end. A branch that comes
/// earlier is explored as completely as its own sleep set demands: every branch that is given out
/// is. And of each race in an execution, an initial of the reversal is tried at the state of its
/// first event: what is found in a round is added after it, and the search goes on until no place
/// has a branch left. When a branch was explored does not matter. A finding is left out at once
/// only if what was known when the round began covers it, since backtrack sets only grow.
///
/// Optimal-DPOR needs more, and is not divided: a sequence may be left out of a wakeup tree because
/// of a step asleep there only if what was found below that step is in the tree already.
final class PieceTeam: ResumableSearch {
  private let options: SearchOptions
  let division: ParallelSearch.Division
  let omitted: PieceOmission
  private let makeMember: (SearchOptions) -> SourceSearch
  private(set) var members: [SourceSearch] = []
  /// Shared states with branches that nobody explores yet.
  var open: [Junction] = []
  var isDivided = false

  init(
    _ options: SearchOptions, _ division: ParallelSearch.Division,
    without omitted: PieceOmission,
    makeMember: @escaping (SearchOptions) -> SourceSearch
  ) {
    self.options = options
    self.division = division
    self.omitted = omitted
    self.makeMember = makeMember
  }

  /// The member that starts, and is alone until the search is divided.
  var first: SourceSearch { members[0] }

  /// Runs the search on `jobs` threads, including the calling one.
  func run(jobs: Int) -> SearchResult {
    members = [makeMember(options)]
    var ending = first.begin(self)
    if ending == nil, !isDivided {
      ending = first.explore(until: division.start)
      isDivided = ending == nil && !first.piece.isDone
    }
    if ending == nil, isDivided { ending = playRounds(jobs) }
    let finder = members.first { $0.piece.ending != nil } ?? first
    let total = statistics
    return SearchResult(
      ending ?? (total.truncated > 0 ? .bounded(.depth) : .complete), total,
      finalStates: members.flatMap(\.finalStates), explored: explored, steps: finder.path)
  }

  // MARK: Rounds

  private func playRounds(_ jobs: Int) -> Ending? {
    while true {
      if !isInRound, members.allSatisfy(\.piece.isDone), nextOpen() == nil { return nil }
      if let bound = exceededBound() { return .bounded(bound) }
      if !isInRound { beginRound() }
      repeat { playPart(jobs) } while ending != nil && !playing.isEmpty
      if let ending { return ending }
      if members.allSatisfy(\.hasReachedGoal) { endRound() }
    }
  }

  private var isInRound: Bool { members.contains { $0.piece.goal != nil } }

  /// The end of the search that the first of those members has found who have found one.
  private var ending: Ending? { members.lazy.compactMap(\.piece.ending).first }

  private func exceededBound() -> Bound? {
    let bound = first.budget.exceededNow(
      statistics, depth: members.map(\.depth).max() ?? 0, bytes: 0, explored: explored)
    if bound != nil { first.unwind() }
    return bound
  }

  private func beginRound() {
    handOut()
    for member in members where !member.piece.isDone {
      member.piece.goal = member.statistics.transitions + division.pieceTurns
    }
  }

  /// Adds what members have found to the states that they share.
  private func endRound() {
    let active = members.filter { $0.piece.goal != nil }
    for member in active {
      if !omitted.contains(.findings) { member.addFindings() }
      member.piece.goal = nil
    }
    active.forEach { list($0.piece.trail) }
  }

  // MARK: Parts of a round

  /// Executions that may still begin.
  private var executionsLeft: Int {
    guard let most = options.limits.executions else { return .max }
    return max(most - statistics.executionsBegun, 0)
  }

  /// Members that go on in this round, each with the number of executions that it may begin.
  ///
  /// A bound on executions is met exactly: they are shared out, and where not all members can play
  /// their round to its end, it is played in parts. Nothing is exchanged between these, so the
  /// search is the one that it would be without the bound.
  private var playing: [(member: SourceSearch, executions: Int)] {
    let waiting = members.filter { !$0.hasReachedGoal }
    let left = executionsLeft
    let share = left / max(waiting.count, 1)
    return share > 0 ? waiting.map { ($0, share) } : waiting.prefix(left).map { ($0, 1) }
  }

  private func playPart(_ jobs: Int) {
    // Each member is run by one thread only, and what they share is only read.
    nonisolated(unsafe) let parts = playing
    concurrently(parts.count, threads: min(jobs, parts.count)) { index in
      parts[index].member.playPart(executions: parts[index].executions)
    }
  }

  // MARK: Branches

  /// Gives branches to members that are done, and to new ones.
  private func handOut() {
    var free = division.pieces - members.count { !$0.piece.isDone }
    var sharers = members.filter(\.piece.isRunning)[...]
    while free > 0 {
      if let fork = nextOpen() {
        let member = idleMember()
        member.piece.branch = fork.takeBranch()
        member.piece.isDone = false
        member.piece.trail = fork.trail
        free -= 1
      } else if let sharer = sharers.popFirst() {
        if sharer.share() { list(sharer.piece.trail) }
      } else {
        return
      }
    }
  }

  private func idleMember() -> SourceSearch {
    members.first(where: \.piece.isDone) ?? addMember()
  }

  /// Adds a member on a system in its initial state.
  @discardableResult
  func addMember() -> SourceSearch {
    var quiet = options
    (quiet.watch, quiet.checkpoints, quiet.resume) = (nil, nil, nil)
    members.append(makeMember(quiet))
    return members[members.count - 1]
  }

  /// The shared state with branches that is nearest to the start.
  private func nextOpen() -> Junction? {
    open.removeAll {
      $0.isOpen = $0.hasBranches
      return !$0.isOpen
    }
    return open.min { $0.depth < $1.depth }
  }

  /// Lists the states that have branches.
  private func list(_ trail: [Junction]) {
    for fork in trail where !fork.isOpen && fork.hasBranches {
      fork.isOpen = true
      open.append(fork)
    }
  }

  // MARK: Counts

  /// The sum of the counts of all members.
  private var statistics: Statistics {
    members.reduce(into: Statistics()) { $0.add($1.statistics) }
  }

  /// The explored part, estimated: all but what nobody has begun, and what pieces have left.
  private var explored: Double? {
    guard isDivided else { return first.explored }
    let left =
      open.reduce(0) { $0 + $1.share * $1.shareLeft } + members.reduce(0) { $0 + $1.shareLeft }
    return min(max(1 - left, 0), 1)
  }
}
