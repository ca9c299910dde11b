// Matching states on what is still read loses no outcome, and each part of the rule is needed.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkModels
import GracewalkSupport
import TestExpectations
import TestSupport
import Testing

/// A toy of whose executions one word is judged: it keeps the values that were seen.
private final class JudgedToy: ToySystem {
  /// Values that several threads may see.
  final class Seen: Sendable {
    private let all = Locked(Set<Int>())

    var values: [Int] { all.withLock { $0.sorted() } }

    func insert(_ value: Int) { all.withLock { _ = $0.insert(value) } }
  }

  var seen = Seen()

  override func judgeEnd() -> StepOutcome {
    seen.insert(read(0))
    return .clean
  }
}

@Suite struct MatchingTests {
  /// The values of word 0 at the ends of executions, and the transitions taken.
  private static func outcomes(
    of seed: UInt64, _ search: (@escaping () -> JudgedToy) -> SearchResult
  ) -> (values: [Int], transitions: Int) {
    let seen = JudgedToy.Seen()
    let result = search {
      let toy = JudgedToy(seed: seed)
      toy.seen = seen
      return toy
    }
    return (seen.values, result.statistics.transitions)
  }

  /// The first of the toy programs on which a search loses an outcome.
  private static func firstLoss(
    _ seeds: Range<UInt64>, _ search: (@escaping () -> JudgedToy) -> SearchResult
  ) -> UInt64? {
    seeds.first { seed in
      outcomes(of: seed) { ExhaustiveSearch($0(), SearchOptions()).run() }.values
        != outcomes(of: seed, search).values
    }
  }

  private static func search(
    _ makeSystem: () -> JudgedToy, without omitted: StatefulSearch.Omission = []
  ) -> SearchResult {
    StatefulSearch(makeSystem(), SearchOptions(), without: omitted).run()
  }

  @Test(arguments: 0..<5 as Range<UInt64>) func nothingIsLost(chunk: UInt64) {
    #expect(Self.firstLoss(chunk * 500..<(chunk + 1) * 500) { Self.search($0) } == nil)
  }

  @Test func nothingIsLostInPieces() {
    let loss = Self.firstLoss(50_000..<50_200) { makeSystem in
      Strategy.stateful.search(inPiecesOf: 7, SearchOptions()) { makeSystem() }
    }
    #expect(loss == nil)
  }

  /// Divisions with short rounds; in the second, members leave states to each other, and the third
  /// is not divided as long as matching finds much.
  private static var divisions: [ParallelSearch.Division] {
    var leaving = ParallelSearch.Division.fine
    leaving.leavesClaimed = true
    var patient = ParallelSearch.Division.fine
    patient.patience = 8
    return [.fine, leaving, patient]
  }

  /// Each member matches states with those that it, and before this round the others, finished.
  @Test(arguments: 0..<4 as Range<UInt64>) func nothingIsLostByTeams(chunk: UInt64) {
    for division in Self.divisions {
      let seeds = 60_000 + chunk * 250..<60_000 + (chunk + 1) * 250
      let loss = Self.firstLoss(seeds) { makeSystem in
        ParallelSearch.run(jobs: 1, SearchOptions(), division) { makeSystem() }
      }
      #expect(loss == nil)
    }
  }

  @Test func teamsCountTheSame() {
    for seed in 60_000..<60_040 as Range<UInt64> {
      for division in Self.divisions {
        let results = [1, 2, 3].map { jobs in
          ParallelSearch.run(jobs: jobs, SearchOptions(), division) { ToySystem(seed: seed) }
        }
        for result in results.dropFirst() {
          #expect(result.ending == results[0].ending)
          #expect(result.statistics == results[0].statistics, "seed \(seed)")
          #expect(result.schedule == results[0].schedule)
        }
      }
    }
  }

  @Test(arguments: [1, 3]) func teamsInPiecesCountTheSame(jobs: Int) {
    for seed in 61_000..<61_030 as Range<UInt64> {
      for division in Self.divisions {
        let whole = ParallelSearch.run(jobs: 1, SearchOptions(), division) { ToySystem(seed: seed) }
        let result = Strategy.search(inPiecesOf: 9, SearchOptions()) {
          ParallelSearch.run(jobs: jobs, $0, division) { ToySystem(seed: seed) }
        }
        #expect(result.statistics == whole.statistics, "seed \(seed)")
      }
    }
  }

  /// Members would do each other's work where many steps lead to states that are finished.
  @Test func whatMergesMuchIsDividedLate() {
    func search(mappers: Int, start: Int, patience: Int) -> SearchResult {
      var division = ParallelSearch.Division()
      (division.start, division.patience) = (start, patience)
      return ParallelSearch.run(jobs: 1, SearchOptions(), division) {
        Machine(PageTableBenchmark.scenario(mappers: mappers))
      }
    }
    // 41 % of the first 16,384 transitions.
    let late = search(mappers: 9, start: 1 << 14, patience: 8)
    let early = search(mappers: 9, start: 1 << 14, patience: 1)
    #expect(late.statesTwice == nil && early.statesTwice != nil)
    #expect(late.statistics.transitions == 55_621)
    #expect(early.statistics.transitions == 64_088)
    // Less than 40 % of the first 1,000.
    let patient = search(mappers: 6, start: 1_000, patience: 8)
    #expect(patient.statesTwice != nil)
    #expect(
      patient.statistics == search(mappers: 6, start: 1_000, patience: 1).statistics)
  }

  /// Rounds so long that the members' tables grow.
  @Test(.tags(.long), .unlessQuick) func teamsWithLongRoundsAreSaved() {
    var division = ParallelSearch.Division()
    (division.start, division.turns) = (1_000, 1_000)
    let scenario = { PageTableBenchmark.scenario(mappers: 7) }
    let given = division
    let whole = ParallelSearch.run(jobs: 2, SearchOptions(), given) { Machine(scenario()) }
    let one = ParallelSearch.run(jobs: 1, SearchOptions(), given) { Machine(scenario()) }
    #expect(whole.statesTwice != nil)
    #expect(whole.statistics == one.statistics)
    let result = Strategy.search(inPiecesOf: 3_000, SearchOptions()) {
      ParallelSearch.run(jobs: 2, $0, given) { Machine(scenario()) }
    }
    #expect(result.ending == .complete)
    #expect(result.statistics == whole.statistics)
  }

  /// Transitions of teams over 500 toy programs, with matching and without, and without what tasks
  /// read.
  @Test func matchingSavesTransitionsOfTeams() {
    var sums = [0, 0]
    var withoutReads = 0
    for seed in 0..<500 as Range<UInt64> {
      for (index, matches) in [true, false].enumerated() {
        var options = SearchOptions()
        options.matchesStates = matches
        let result = ParallelSearch.run(jobs: 1, options, .fine) { ToySystem(seed: seed) }
        sums[index] += result.statistics.transitions
      }
      let result = ParallelSearch.run(jobs: 1, SearchOptions(), .fine, without: .taskReads) {
        ToySystem(seed: seed)
      }
      withoutReads += result.statistics.transitions
    }
    #expect(sums == [257_156, 450_592])
    // States that do not match are taken for each other if what tasks read does not count.
    #expect(withoutReads < sums[0])
  }

  @Test(arguments: [(StatefulSearch.Omission.values, 7 as UInt64), (.laterReads, 42)])
  func lossesAreFound(omitted: StatefulSearch.Omission, seed: UInt64) {
    let loss = Self.firstLoss(0..<10_000) { Self.search($0, without: omitted) }
    #expect(loss == seed)
  }

  /// Transitions over 500 toy programs, with matching and without.
  @Test func matchingSavesTransitions() {
    var (with, without) = (0, 0)
    for seed in 0..<500 as Range<UInt64> {
      with += Self.outcomes(of: seed) { Self.search($0) }.transitions
      var options = SearchOptions()
      options.matchesStates = false
      without +=
        Self.outcomes(of: seed) { StatefulSearch($0(), options).run() }.transitions
    }
    #expect(with == 221_887)
    #expect(without == 404_967)
  }

  /// Claims to write what is only read.
  private final class WritesInvented: Forwarding {
    override func addWordsWritten(to words: GrowableBuffer<UInt32>) {
      base.addWordsWritten(to: words)
      for word in 0..<8 as Range<UInt32> { words.append(word) }
    }
  }

  private static let liars: [@Sendable (TransitionSystem) -> Forwarding] = [
    { ReadsHidden($0) }, { WritesInvented($0) },
  ]

  @Test(arguments: zip(liars.indices, [66, 89])) func liesAreFoundOut(number: Int, programs: Int) {
    let liar = Self.liars[number]
    let fuzzer = Fuzzer(matchesStates: true) { system, options in
      StatefulSearch(liar(system), options).run()
    }
    let report = fuzzer.run(seeds: 0..<10_000, size: .small, stopAfter: 1)
    #expect(!report.mismatches.isEmpty)
    #expect(report.programs == programs)
  }
}
