// Searches on several threads.

import GracewalkSupport

/// Explores one system with several threads, each on a copy of its own.
///
/// The exploration and all counts are the same for any number of threads. A search that takes a
/// fraction of a second is not divided. A longer one is divided among *members*, always in the same
/// way. The members run in rounds of a fixed number of transitions each. In a round, a member sees
/// the states finished in earlier rounds, and nothing that the others do in this one. The threads
/// divide the members of a round among themselves; a single thread runs them all. Between two
/// rounds, results are merged and work is handed out, in the order of the members (`SearchTeam`).
public enum ParallelSearch {
  /// The maximum number of threads.
  public static let jobsMax = 64

  /// When a search is divided, and how.
  package struct Division: Sendable {
    /// Transitions that the first member takes before the search is divided.
    package var start = 1 << 17
    /// Where matching finds much, the first member goes on alone, up to this many times the
    /// transitions.
    package var patience = 8
    /// Transitions of a member in a round.
    package var turns = 256
    /// Members to keep busy, as far as there is work to give away.
    package var places = 4
    /// The same while states are matched on what is still read, since members then seldom find what
    /// others are about to finish.
    package var matchingPlaces = 2
    /// If set, rounds grow: all members together take at least one in this many of the transitions
    /// taken so far.
    package var growth: Int? = 256
    /// Whether a member leaves a state to another that has it on its stack, and waits for that one.
    ///
    /// Then far less is done twice, and members often wait.
    package var leavesClaimed = false
    /// Whether members may match states on what is still read.
    package var matches = true
    /// Pieces of a stateless search that are explored in a round, and transitions of each.
    package var pieces = 16
    package var pieceTurns = 1 << 12

    package init() {}

    /// Members that wait keep their stacks, and each has a machine of its own.
    var membersMax: Int { min(places * 16, places + 1_024) }

    /// For members that are explored by different processes: long rounds, as each costs a message.
    package static func units(_ count: Int) -> Division {
      var division = Division()
      division.start = 1 << 19
      division.turns = 1 << 10
      division.places = count
      division.growth = 48
      division.leavesClaimed = true
      division.matches = false
      return division
    }

    /// For tests: divides small searches, too, with short rounds.
    package static var fine: Division {
      var division = Division()
      division.start = 12
      division.patience = 1
      division.turns = 5
      division.growth = nil
      division.matchingPlaces = 4
      (division.pieces, division.pieceTurns) = (4, 5)
      return division
    }
  }

  /// Parts of a search that visits each state once, to leave out, so that tests show that each is
  /// needed.
  package struct VisitOmission: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// Taking the steps that a visitor was given.
    package static let gifts = VisitOmission(rawValue: 1)
    /// Taking the steps of a state that was found by a later visitor than the first of a round.
    package static let laterVisitors = VisitOmission(rawValue: 2)
    /// Leaving the steps of a state to the visitor that has it.
    package static let closing = VisitOmission(rawValue: 4)
    /// Giving states the numbers that all visitors use.
    package static let numbers = VisitOmission(rawValue: 8)
    /// Giving the steps of a reduced search the numbers that all visitors use.
    package static let steps = VisitOmission(rawValue: 16)
  }

  /// Explores until everything is done, something is found or a limit is met.
  ///
  /// `makeSystem`: makes a fresh system, the same each time.
  public static func run(
    jobs: Int, _ options: SearchOptions, makeSystem: @escaping () -> TransitionSystem
  ) -> SearchResult {
    run(jobs: jobs, options, Division(), makeSystem: makeSystem)
  }

  /// Explores with sleep sets, and perhaps source sets, without merging states.
  ///
  /// - Parameter omitted: rules to leave out, so that the search may miss something.
  package static func runSource(
    jobs: Int, _ options: SearchOptions, _ division: Division, usesSourceSets: Bool = true,
    without omitted: PieceOmission = [], makeSystem: @escaping () -> TransitionSystem
  ) -> SearchResult {
    PieceTeam(options, division, without: omitted) {
      SourceSearch(makeSystem(), $0, usesSourceSets: usesSourceSets)
    }
    .run(jobs: jobs)
  }

  /// - Parameter omitted: rules to leave out, so that the search may miss something.
  package static func run(
    jobs: Int, _ options: SearchOptions, _ division: Division,
    without omitted: StatefulSearch.Omission = [], makeSystem: @escaping () -> TransitionSystem
  ) -> SearchResult {
    SearchTeam(options, division, without: omitted, makeSystem: makeSystem).run(jobs: jobs)
  }

  /// Explores every step of every state, each state once.
  ///
  /// Under a bound on preemptions or steps a state is explored again when more is left of it, and
  /// the search is not divided.
  package static func runExhaustive(
    jobs: Int, _ options: SearchOptions, _ division: Division,
    without omitted: VisitOmission = [], makeSystem: @escaping () -> TransitionSystem
  ) -> SearchResult {
    if options.limits.cutExecutions { return ExhaustiveSearch(makeSystem(), options).run() }
    return VisitTeam(options, division, without: omitted, makeSystem: makeSystem).run(jobs: jobs)
  }

  /// The same where CPUs may loop, and perhaps reduced.
  ///
  /// - Parameters:
  ///   - looksForLivelocks: whether to look for executions that loop forever.
  ///   - firstLook: the number of states with which to look for them first.
  ///   - reduction: what a reduced search leaves out, nothing if it is to be sound; nil if it is
  ///     not reduced.
  package static func runRepeating(
    jobs: Int, _ options: SearchOptions, _ division: Division, looksForLivelocks: Bool = true,
    firstLook: Int = 1 << 17, reduction: PersistentSets.Omission? = nil,
    without omitted: VisitOmission = [], makeSystem: @escaping () -> TransitionSystem
  ) -> SearchResult {
    VisitTeam(
      options, division, looksForLivelocks: looksForLivelocks, firstLook: firstLook,
      reduction: reduction, without: omitted, makeSystem: makeSystem
    ).run(jobs: jobs)
  }
}
