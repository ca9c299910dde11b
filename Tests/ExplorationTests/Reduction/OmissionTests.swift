// The rules of the stateful search on toy programs, and the results lost without them.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkSupport
import Testing

@Suite struct OmissionTests {
  /// The first of the toy programs on which a search loses a final state.
  private static func firstLoss(
    _ seeds: Range<UInt64>, _ search: (UInt64, SearchOptions) -> SearchResult
  ) -> UInt64? {
    var options = SearchOptions()
    options.collectsFinalStates = true
    return seeds.first { seed in
      let oracle = ExhaustiveSearch(ToySystem(seed: seed), options).run()
      let result = search(seed, options)
      return result.ending != oracle.ending || result.finalStates != oracle.finalStates
    }
  }

  /// Toy programs: 500 in each of five chunks.
  @Test(arguments: 0..<5 as Range<UInt64>) func nothingIsLost(chunk: UInt64) {
    let loss = Self.firstLoss(chunk * 500..<(chunk + 1) * 500) { seed, options in
      StatefulSearch(ToySystem(seed: seed), options).run()
    }
    #expect(loss == nil)
  }

  @Test func nothingIsLostInPieces() {
    let loss = Self.firstLoss(50_000..<50_200) { seed, options in
      Strategy.stateful.search(inPiecesOf: 7, options) { ToySystem(seed: seed) }
    }
    #expect(loss == nil)
  }

  @Test func nothingIsLostByTeams() {
    let loss = Self.firstLoss(60_000..<60_100) { seed, options in
      ParallelSearch.run(jobs: 3, options, .fine) { ToySystem(seed: seed) }
    }
    #expect(loss == nil)
  }

  @Test(arguments: [(StatefulSearch.Omission.closure, 0 as UInt64), (.revisits, 2_110)])
  func lossesAreFound(omitted: StatefulSearch.Omission, seed: UInt64) {
    let loss = Self.firstLoss(0..<10_000) { seed, options in
      StatefulSearch(ToySystem(seed: seed), options, without: omitted).run()
    }
    #expect(loss == seed)
  }

  /// This program of the machine needs more than the latest race.
  ///
  /// A shrink writes a page only if it was freed before, and a later dependent step hides the race.
  @Test func earlierRacesMatter() {
    var fuzzer = Fuzzer { system, options in
      StatefulSearch(system, options, without: .earlierRaces).run()
    }
    fuzzer.hasSlabs = true
    #expect(fuzzer.run(seeds: 100_871..<100_872, size: .small).mismatches.count == 1)
  }
}
