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
final class PieceTeam {
  private let options: SearchOptions
  private let division: ParallelSearch.Division
  private let makeMember: (SearchOptions) -> SourceSearch
  private var members: [SourceSearch] = []
  /// Shared states with branches that nobody explores yet.
  private var open: [Junction] = []
  /// False to forget what pieces find about shared states, for tests.
  private let addsFindings: Bool
  /// Nobody can tell how much of a divided search is left: pieces differ too much in size.
  private var isDivided = false

  init(
    _ options: SearchOptions, _ division: ParallelSearch.Division,
    addsFindings: Bool,
    makeMember: @escaping (SearchOptions) -> SourceSearch
  ) {
    self.options = options
    self.division = division
    self.addsFindings = addsFindings
    self.makeMember = makeMember
  }

  private var first: SourceSearch { members[0] }

  /// Runs the search on `jobs` threads, including the calling one.
  func run(jobs: Int) -> SearchResult {
    members = [makeMember(options)]
    let ending =
      first.begin() ?? first.explore(until: isDivisible ? division.start : .max)
      ?? (first.piece.isDone ? nil : playRounds(jobs))
    let finder = members.first { $0.piece.ending != nil } ?? first
    let total = statistics
    return SearchResult(
      ending ?? (total.truncated > 0 ? .bounded(.depth) : .complete), total,
      finalStates: members.flatMap(\.finalStates), explored: isDivided ? nil : first.explored,
      steps: finder.path)
  }

  /// False if the search may be saved, or if a bound counts executions: it has to be met exactly.
  private var isDivisible: Bool {
    options.checkpoints == nil && options.resume == nil && options.limits.executions == nil
  }

  // MARK: Rounds

  private func playRounds(_ jobs: Int) -> Ending? {
    isDivided = true
    while true {
      let bound = first.budget.exceededNow(
        statistics, depth: members.map(\.depth).max() ?? 0, bytes: 0, explored: nil)
      if let bound {
        first.unwind()
        return .bounded(bound)
      }
      handOut()
      let active = members.filter { !$0.piece.isDone }
      if active.isEmpty { return nil }
      play(active, jobs)
      if addsFindings { active.forEach { $0.addFindings() } }
      active.forEach { list($0.piece.trail) }
      if let ending = active.lazy.compactMap(\.piece.ending).first { return ending }
    }
  }

  private func play(_ active: [SourceSearch], _ jobs: Int) {
    // Each member is run by one thread only, and what they share is only read.
    nonisolated(unsafe) let rounds = active.map { member in { self.playRound(of: member) } }
    concurrently(rounds.count, threads: min(jobs, rounds.count)) { rounds[$0]() }
  }

  private func playRound(of member: SourceSearch) {
    let turns = member.statistics.transitions + division.pieceTurns
    if let branch = member.piece.branch {
      member.piece.branch = nil
      member.start(branch)
    }
    member.refresh()
    member.piece.ending = member.explore(until: turns)
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
        member.piece.trail = trail(to: fork)
        free -= 1
      } else if let sharer = sharers.popFirst() {
        if sharer.share() { list(sharer.piece.trail) }
      } else {
        return
      }
    }
  }

  private func idleMember() -> SourceSearch {
    if let idle = members.first(where: \.piece.isDone) { return idle }
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

  private func trail(to fork: Junction) -> [Junction] {
    var trail = [fork]
    while let parent = trail[trail.count - 1].parent { trail.append(parent) }
    return trail.reversed()
  }

  /// The sum of the counts of all members.
  private var statistics: Statistics {
    members.reduce(into: Statistics()) { $0.add($1.statistics) }
  }
}
