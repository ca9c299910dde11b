// Random programs: searches agree, and mutated programs are refused or judged.

import GracewalkExploration
import GracewalkFuzzing
import TestSupport
import Testing

@Suite struct FuzzTests {
  @Test func searchesAgreeOnRandomThreads() {
    let report = ThreadsFuzzer().run(seeds: 0..<150)
    #expect(report.mismatches.map { "\($0.seed): \($0.what)" } == [])
    // Both kinds of programs occur, or the test would show little.
    #expect(report.wrong > 30 && report.programs - report.wrong - report.skipped > 30)
  }

  /// Programs until the first on which a search is found to be wrong.
  private func programsToMismatch(_ search: @escaping ThreadsFuzzer.Search) -> Int? {
    let report = ThreadsFuzzer(search).run(seeds: 0..<5_000) { $0.mismatches.isEmpty }
    return report.mismatches.isEmpty ? nil : report.programs
  }

  @Test func hiddenReadsAreFoundOut() {
    #expect(programsToMismatch { StatefulSearch(ReadsHidden($0), $1).run() } == 4)
  }

  @Test func valuesThatAreIgnoredAreFoundOut() {
    #expect(programsToMismatch { StatefulSearch($0, $1, without: .values).run() } == 4)
  }

  @Test func mutantsAreRefusedOrJudged() {
    let report = IRFuzzer().run(seeds: 0..<300)
    #expect(report.mismatches.map { "\($0.seed): \($0.what)" } == [])
    #expect(report.refused > 30 && report.judged > 30)
  }
}
