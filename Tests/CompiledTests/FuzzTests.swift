// Random programs: searches agree, and mutated programs are refused or judged.

import GracewalkFuzzing
import Testing

@Suite struct FuzzTests {
  @Test func searchesAgreeOnRandomThreads() {
    let report = ThreadsFuzzer().run(seeds: 0..<150)
    #expect(report.mismatches.map { "\($0.seed): \($0.what)" } == [])
    // Both kinds of programs occur, or the test would show little.
    #expect(report.wrong > 30 && report.programs - report.wrong - report.skipped > 30)
  }

  @Test func mutantsAreRefusedOrJudged() {
    let report = IRFuzzer().run(seeds: 0..<300)
    #expect(report.mismatches.map { "\($0.seed): \($0.what)" } == [])
    #expect(report.refused > 30 && report.judged > 30)
  }
}
