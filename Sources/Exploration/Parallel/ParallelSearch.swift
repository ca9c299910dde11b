// The stateful search on several threads.

import GracewalkSupport

/// Explores one system with several threads, each on a copy of its own.
///
/// Fork and join: a thread without work gets a part of another thread's stack, one step at one of
/// its nodes with everything below it. The giver leaves that node only when the part is done, and
/// takes over the CPUs to try at the nodes above because of races found in it, and the summary of
/// its steps. So every state is left with the backtrack sets and the summary that a single thread
/// would have computed; only the order in which they fill differs.
///
/// Finished states are shared. A state that another thread has started and not finished is explored
/// again, in the opposite order, so that the two threads meet in the middle. That costs a little
/// work and avoids waiting.
///
/// The verdict is the same for any number of threads. The numbers of states and transitions depend
/// on which thread is first.
public enum ParallelSearch {
  /// The maximum number of threads.
  public static let jobsMax = 64

  /// Explores until everything is done, something is found or a limit is met.
  ///
  /// `makeSystem`: makes a fresh system, the same each time; called by several threads.
  public static func run(
    jobs: Int, _ options: SearchOptions, makeSystem: @escaping @Sendable () -> TransitionSystem
  ) -> SearchResult {
    struct Frozen: @unchecked Sendable {
      // Only its `watch` is called, and that under a lock.
      var options: SearchOptions
    }
    let frozen = Frozen(options: options)
    let team = SearchTeam(options) { team, number in
      StatefulSearch(makeSystem(), frozen.options, TeamMembership(team, number: number))
    }
    return team.run(jobs: jobs)
  }
}
