// The stateful search on several threads.

import GracewalkSupport

/// Explores one system with several threads, each on a copy of its own.
///
/// Fork and join: a thread without work gets a part of another thread's stack, one step at one of
/// its nodes with all that lies below. The giver leaves that node only once the part is done, and
/// takes over what must be tried at the nodes above because of races found in it, and the summary
/// of the steps in it. So every state is left with the backtrack sets and the summary that it would
/// have got from one thread; only the order in which they fill is another.
///
/// Finished states are shared. A state that another thread has begun and not finished is explored
/// again, from the other end, so that the two meet in the middle. That costs a little work and
/// needs no waiting.
///
/// The verdict is the same for any number of threads. How many states and transitions are visited
/// depends on who came first.
public enum ParallelSearch {
  /// Most threads.
  public static let jobsMax = 64

  /// Explores until everything is done, something is found or a limit is met.
  ///
  /// `makeSystem`: makes a fresh system, the same each time; called by several threads.
  public static func run(
    jobs: Int, _ options: SearchOptions, makeSystem: @escaping @Sendable () -> TransitionSystem
  ) -> SearchResult {
    struct Frozen: @unchecked Sendable {
      // Nothing in it is called but `watch`, and that under a lock.
      var options: SearchOptions
    }
    let frozen = Frozen(options: options)
    let team = SearchTeam(options) { team, number in
      StatefulSearch(makeSystem(), frozen.options, TeamMembership(team, number: number))
    }
    return team.run(jobs: jobs)
  }
}
