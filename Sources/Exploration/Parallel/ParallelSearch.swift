// The stateful search on several threads.

import GracewalkSupport

/// Explores one system with several threads, each on a copy of its own.
///
/// What is explored is the same for any number of threads, and so are all counts. A search of less
/// than half a second or so is not divided at all. One that is longer is divided among *members*,
/// always in the same way, who play rounds: so many transitions each, seeing what was finished in
/// earlier rounds and nothing of what the others do in this one. Threads share the members of a
/// round among them; one thread plays them all. Between two rounds, what was found is put together
/// and work handed on, in the order of the members (`SearchTeam`).
public enum ParallelSearch {
  /// Most threads.
  public static let jobsMax = 64

  /// When a search is divided, and how.
  package struct Division: Sendable {
    /// Transitions that one member takes alone.
    package var start = 1 << 19
    /// Transitions of a member in a round.
    package var turns = 256
    /// Members that are kept busy, as far as there is something to give away.
    package var places = 4

    package init() {}

    /// Divides small searches, too, and often: for tests.
    package static var fine: Division {
      var division = Division()
      division.start = 12
      division.turns = 5
      division.places = 4
      return division
    }
  }

  /// Explores until everything is done, something is found or a limit is met.
  ///
  /// `makeSystem`: makes a fresh system, the same each time.
  public static func run(
    jobs: Int, _ options: SearchOptions, makeSystem: @escaping () -> TransitionSystem
  ) -> SearchResult {
    run(jobs: jobs, options, Division(), makeSystem: makeSystem)
  }

  package static func run(
    jobs: Int, _ options: SearchOptions, _ division: Division,
    makeSystem: @escaping () -> TransitionSystem
  ) -> SearchResult {
    SearchTeam(options, division, makeSystem: makeSystem).run(jobs: jobs)
  }
}
