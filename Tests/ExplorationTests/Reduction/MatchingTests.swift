// Matching states on what is still read loses no outcome, and each part of the rule is needed.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkSupport
import TestExpectations
import TestSupport
import Testing

/// A toy of whose executions one word is judged: it keeps the values that were seen.
private final class JudgedToy: ToySystem {
  final class Seen {
    var values: Set<Int> = []
  }

  var seen = Seen()

  override func judgeEnd() -> StepOutcome {
    seen.values.insert(read(0))
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
    return (seen.values.sorted(), result.statistics.transitions)
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

  /// While states are matched, the search is not divided: it counts what it counts alone.
  @Test func teamsDoTheSame() {
    for seed in 60_000..<60_100 as Range<UInt64> {
      let alone = Self.outcomes(of: seed) { Self.search($0) }
      let team = Self.outcomes(of: seed) { makeSystem in
        ParallelSearch.run(jobs: 1, SearchOptions(), .fine) { makeSystem() }
      }
      #expect(team == alone)
    }
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
