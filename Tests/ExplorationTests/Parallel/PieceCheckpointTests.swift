// Divided stateless searches that are saved and resumed, or have a bound on executions.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkModels
import GracewalkSupport
import TestSupport
import Testing

struct PieceCheckpointTests {
  private static let strategies: [Strategy] = [.source, .sleep]

  /// Toy programs with more have too many executions to explore them many times.
  private static let transitionsMax = 300

  private static func run(
    _ strategy: Strategy, jobs: Int = 1, _ options: SearchOptions,
    _ division: ParallelSearch.Division = .fine, without omitted: PieceOmission = [],
    on make: @escaping () -> TransitionSystem
  ) -> SearchResult {
    ParallelSearch.runSource(
      jobs: jobs, options, division, usesSourceSets: strategy == .source, without: omitted,
      makeSystem: make)
  }

  /// Toy programs of which a divided search is worth looking at.
  private static func toys(_ seeds: Range<UInt64>) -> [(seed: UInt64, make: () -> ToySystem)] {
    seeds.compactMap { seed in
      let make = { ToySystem(seed: seed) }
      let count = ExhaustiveSearch(make(), .collecting).run().statistics.transitions
      return (20..<transitionsMax).contains(count) ? (seed, make) : nil
    }
  }

  // MARK: Saved and resumed

  /// Each of them by another number of threads.
  @Test(arguments: strategies) func resumedToysCountTheSame(strategy: Strategy) {
    let toys = Self.toys(61_000..<61_200)
    #expect(toys.count == 83)
    for (seed, make) in toys {
      let whole = Self.run(strategy, .collecting, on: make)
      for length in [1, 30] {
        var jobs = 0
        let resumed = Strategy.search(inPiecesOf: length, .collecting) {
          jobs = jobs % 3 + 1
          return Self.run(strategy, jobs: jobs, $0, on: make)
        }
        expectAllEqual(resumed, whole, "seed \(seed), every \(length)")
      }
    }
  }

  @Test(arguments: strategies, [1, 4_000]) func aResumedSearchIsTheSame(
    strategy: Strategy, length: Int
  ) {
    let whole = Self.run(strategy, .collecting, .coarse, on: mappers(4))
    var times = 0
    let resumed = Strategy.search(inPiecesOf: length, .collecting) {
      times += 1
      return Self.run(strategy, jobs: 2, $0, .coarse, on: mappers(4))
    }
    expectAllEqual(resumed, whole, "every \(length)")
    #expect(times > 1)
  }

  /// To be saved changes nothing.
  @Test(arguments: strategies) func savingTakesTheSameTransitions(strategy: Strategy) {
    let whole = Self.run(strategy, .collecting, .coarse, on: mappers(4))
    var options = SearchOptions.collecting
    var saves = 0
    options.checkpoints = Checkpoints(interval: 0) { body in
      saves += 1
      body(CheckpointWriter { _ in })
    }
    let saved = Self.run(strategy, jobs: 2, options, .coarse, on: mappers(4))
    expectAllEqual(saved, whole, "saved")
    #expect(saves > 2)
  }

  @Test(arguments: strategies, [2, 3]) func randomProgramsInPiecesAgree(
    strategy: Strategy, jobs: Int
  ) {
    let report = Fuzzer(strategy, jobs: jobs, inPiecesOf: 20).run(
      seeds: 31_000..<31_100, size: .small)
    #expect(report.programs == 100)
    #expect(report.mismatches == [])
  }

  // MARK: A bound on executions

  /// Runs a search with a bound that is raised each time, and resumes it.
  private static func raised(
    _ strategy: Strategy, by step: Int, without omitted: PieceOmission = [],
    _ division: ParallelSearch.Division = .fine, on make: @escaping () -> TransitionSystem
  ) -> SearchResult {
    var options = SearchOptions.collecting
    let file = LastFile()
    options.checkpoints = file.checkpoints
    var jobs = 0
    for most in stride(from: step, to: .max, by: step) {
      jobs = jobs % 3 + 1
      options.limits.executions = most
      let result = run(strategy, jobs: jobs, options, division, without: omitted, on: make)
      guard result.ending == .bounded(.executions) else { return result }
      guard result.statistics.executionsBegun == most else { return result }
      options.resume = CheckpointReader(file.bytes)
    }
    preconditionFailure("the search does not end")
  }

  /// The bound is met exactly, wherever that is in a round, and the search is the same.
  @Test(arguments: strategies, [1, 7]) func raisingTheBoundChangesNothing(
    strategy: Strategy, step: Int
  ) {
    for (seed, make) in Self.toys(62_000..<62_100) {
      let whole = Self.run(strategy, .collecting, on: make)
      expectAllEqual(Self.raised(strategy, by: step, on: make), whole, "seed \(seed)")
    }
  }

  @Test(arguments: strategies) func executionsAreCountedExactly(strategy: Strategy) {
    var options = SearchOptions.collecting
    for most in [100, 700, 701, 1_300] {
      options.limits.executions = most
      let one = Self.run(strategy, options, .coarse, on: mappers(4))
      #expect(one.ending == .bounded(.executions))
      #expect(one.statistics.executionsBegun == most)
      for jobs in [2, 8] {
        let several = Self.run(strategy, jobs: jobs, options, .coarse, on: mappers(4))
        expectAllEqual(several, one, "\(jobs) threads, \(most) executions")
        #expect(several.explored == one.explored)
      }
    }
    let whole = Self.run(strategy, .collecting, .coarse, on: mappers(4))
    expectAllEqual(
      Self.raised(strategy, by: 333, .coarse, on: mappers(4)), whole, "by 333")
  }

  // MARK: What tests can tell

  /// The first toy program whose search is another one if something is not saved.
  private static func firstChange(without omitted: PieceOmission) -> UInt64? {
    toys(0..<2_000).first { _, make in
      let whole = run(.source, .collecting, on: make)
      let other = raised(.source, by: 3, without: omitted, on: make)
      return other.statistics != whole.statistics || other.finalStates != whole.finalStates
    }?.seed
  }

  @Test(arguments: [(PieceOmission.savedFindings, 3 as UInt64), (.savedBranches, 3)])
  func whatIsNotSavedIsMissed(omitted: PieceOmission, seed: UInt64) {
    #expect(Self.firstChange(without: omitted) == seed)
  }

  // MARK: What does not fit

  /// A divided search, saved in the middle of a round.
  private static func search(_ strategy: Strategy) -> SavedSearch {
    SavedSearch(
      options: .collecting, bound: Limits(executions: 10), laterBound: Limits(executions: 500)
    ) { run(strategy, $0, on: $1) }
  }

  @Test(arguments: strategies) func truncatedFilesAreRefused(strategy: Strategy) {
    Self.search(strategy).expectTruncatedFilesAreRefused(on: mappers(3))
  }

  /// Whatever is changed, the search is refused or goes on; most changes are seen.
  @Test(arguments: strategies) func changedFilesAreRefused(strategy: Strategy) {
    let (changes, refused) = Self.search(strategy).changeFiles()
    #expect(changes >= 1_000)
    #expect(refused * 3 > changes * 2)
  }

  /// A search in pieces does not go on with that of another program.
  @Test func anotherProgramIsNoticed() {
    var options = SearchOptions.collecting
    options.resume = CheckpointReader(Self.search(.source).saved(on: mappers(3)))
    let result = Self.run(.source, options, on: mappers(4))
    guard case .refused(.systemChanged) = result.ending else {
      Issue.record("\(result.ending)")
      return
    }
  }

  // MARK: Progress

  /// The explored part after each tenth of a search, in hundredths.
  private static func estimates(_ strategy: Strategy, jobs: Int) -> [Int] {
    let make = mappers(5)
    let all = run(strategy, .collecting, .coarse, on: make).statistics.executionsBegun
    return (1..<10).map { tenth in
      var options = SearchOptions.collecting
      options.limits.executions = all * tenth / 10
      let result = run(strategy, jobs: jobs, options, .coarse, on: make)
      return Int(((result.explored ?? 0) * 100).rounded())
    }
  }

  @Test func aDividedSearchHasAnEstimate() {
    let estimates = Self.estimates(.source, jobs: 1)
    #expect(Self.estimates(.source, jobs: 2) == estimates)
    #expect(estimates == [53, 50, 52, 58, 67, 80, 85, 86, 98])
  }
}
