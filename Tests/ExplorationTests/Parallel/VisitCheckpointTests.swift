// Saved searches that visit each state once: files that were changed or cut short.

import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import Testing

struct VisitCheckpointTests {
  private static let ways = [false, true]

  /// - Parameter keepsGraph: whether livelocks are looked for.
  private static func search(keepsGraph: Bool) -> SavedSearch {
    SavedSearch(bound: Limits(states: 60), laterBound: Limits(states: 5_000)) { options, make in
      keepsGraph
        ? ParallelSearch.runRepeating(
          jobs: 1, options, .fine, looksForLivelocks: true, makeSystem: make)
        : ParallelSearch.runExhaustive(jobs: 1, options, .fine, makeSystem: make)
    }
  }

  @Test(arguments: ways) func truncatedFilesAreRefused(keepsGraph: Bool) {
    Self.search(keepsGraph: keepsGraph).expectTruncatedFilesAreRefused {
      Machine(Textbook.lastzero(3))
    }
  }

  /// Whatever is changed, the search is refused or goes on.
  @Test(arguments: ways) func changedFilesAreRefused(keepsGraph: Bool) {
    let (changes, refused) = Self.search(keepsGraph: keepsGraph).changeFiles()
    #expect(changes >= 1_000)
    #expect(refused * 4 > changes)
  }
}
