// Reduced searches of programs that repeat, divided: verdicts are right, and counts those of one
// thread.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkModels
import TestSupport
import Testing

struct ReducedVisitTests {
  private static func reduced(
    jobs: Int = 1, _ options: SearchOptions = .collecting,
    _ division: ParallelSearch.Division = .fine, reduction: PersistentSets.Omission = [],
    without omitted: ParallelSearch.VisitOmission = [],
    of make: @escaping () -> TransitionSystem
  ) -> SearchResult {
    ParallelSearch.runRepeating(
      jobs: jobs, options, division, reduction: reduction, without: omitted, makeSystem: make)
  }

  private static func model(_ name: String) throws -> () -> TransitionSystem {
    let model = try #require(Catalogue.model(named: name))
    _ = try model.scenario()
    return { Machine((try? model.scenario()) ?? Scenario()) }
  }

  /// Also saved after every few transitions, and with states compared in full.
  @Test(arguments: 2...3, [nil, 9]) func loopsAgree(jobs: Int, piece: Int?) {
    var fuzzer = Fuzzer(.stateful, jobs: jobs)
    fuzzer.hasRepeats = true
    fuzzer.piece = piece
    let report = fuzzer.run(seeds: 1_000..<1_300, size: .small)
    #expect(report.programs == 300)
    #expect(report.mismatches == [])
    #expect(report.violated > 0)
  }

  // MARK: Counts

  /// A search that is not long is the one without members.
  @Test func aShortSearchIsNotDivided() throws {
    let make = try Self.model("fault-until-mapped")
    let whole = LivenessSearch(make(), .collecting, reduces: true).run()
    #expect(whole.statistics.transitions == 5_524)
    expectAllEqual(Self.reduced(.collecting, .init(), of: make), whole, "not divided")
  }

  /// What members learn in a round they use from the next one on, so they begin with other sets.
  @Test func countsAreThoseOfOneThread() throws {
    let make = try Self.model("fault-until-mapped")
    let one = Self.reduced(.collecting, .coarse, of: make)
    #expect(one.ending == .complete)
    #expect([one.statistics.states, one.statistics.transitions] == [4_096, 5_481])
    #expect(one.statesTwice ?? 0 > 0)
    for jobs in [2, 3, 8] {
      expectAllEqual(
        Self.reduced(jobs: jobs, .collecting, .coarse, of: make), one, "\(jobs) threads")
    }
  }

  @Test func aLivelockIsTheSame() throws {
    let make = try Self.model("fault-until-mapped-keeps-entry-locked")
    let one = Self.reduced(.collecting, .coarse, of: make)
    #expect(one.ending == .violation)
    #expect(one.schedule?.loop != nil)
    #expect(!one.isSimplest)
    for jobs in 2...3 {
      expectAllEqual(Self.reduced(jobs: jobs, .collecting, .coarse, of: make), one, "\(jobs)")
    }
  }

  /// Bounds are met between two rounds; how much there is to repair is not known.
  @Test func aBoundOnStatesIsMet() throws {
    let make = try Self.model("fault-until-mapped")
    var options = SearchOptions.collecting
    options.limits.states = 2_000
    let one = Self.reduced(options, .coarse, of: make)
    #expect(one.ending == .bounded(.states))
    #expect((2_000..<3_000).contains(one.statistics.states))
    #expect(one.explored == nil)
    expectAllEqual(Self.reduced(jobs: 2, options, .coarse, of: make), one, "two threads")
  }

  // MARK: What tests can tell

  /// Divided at once, so that visitors find steps that nobody has seen before.
  private static var early: ParallelSearch.Division {
    var division = ParallelSearch.Division.fine
    (division.start, division.turns) = (1, 8)
    return division
  }

  /// The first random program whose verdict or final states are wrong without a part.
  private func firstLoss(
    _ division: ParallelSearch.Division = .fine,
    reduction: PersistentSets.Omission = [], without omitted: ParallelSearch.VisitOmission = []
  ) -> UInt64? {
    (0..<2_000 as Range<UInt64>).first { seed in
      let full = LivenessSearch(Machine(repeatingScenario(seed: seed)), .collecting).run()
      let reduced = Self.reduced(.collecting, division, reduction: reduction, without: omitted) {
        Machine(repeatingScenario(seed: seed))
      }
      let isMissed = (full.schedule?.loop == nil) != (reduced.schedule?.loop == nil)
      return full.ending != reduced.ending || isMissed
        || full.ending == .complete && full.finalStates != reduced.finalStates
    }
  }

  @Test func nothingIsLost() {
    #expect(firstLoss() == nil)
    #expect(firstLoss(Self.early) == nil)
  }

  @Test func lossesAreFound() {
    #expect(firstLoss(reduction: .races) == 75)
    #expect(firstLoss(reduction: .cycles) == 0)
    #expect(firstLoss(without: .gifts) == 8)
  }

  /// They change what is followed, though nothing was missed in as many programs.
  @Test func wrongNumbersOfStepsAreFound() {
    let change = (0..<2_000 as Range<UInt64>).first { seed in
      let make = { Machine(repeatingScenario(seed: seed)) }
      let right = Self.reduced(.collecting, Self.early, of: make)
      let wrong = Self.reduced(.collecting, Self.early, without: .steps, of: make)
      return right.statistics != wrong.statistics
    }
    #expect(change == 17)
  }
}
