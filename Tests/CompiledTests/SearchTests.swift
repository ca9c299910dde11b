// All searches agree on programs, whether equal local states are merged or not.

import GracewalkCompiled
import GracewalkExploration
import GracewalkLLVM
import GracewalkSupport
import Testing

@Suite struct SearchTests {
  typealias Search = (TransitionSystem, SearchOptions) -> SearchResult

  private static var searches: [Search] {
    [
      { OptimalSearch($0, $1).run() }, { SourceSearch($0, $1).run() },
      { StatefulSearch($0, $1).run() }, { ExhaustiveSearch($0, $1).run() },
    ]
  }

  private func verdicts(_ text: String) throws -> [Finding.Kind?] {
    try Self.searches.flatMap { search in
      try [true, false].map { merges in
        var options = ProgramOptions()
        options.mergesStates = merges
        return try PlainPrograms.check(text, options, by: search).finding?.kind
      }
    }
  }

  @Test func searchesAgree() throws {
    let programs = [
      PlainPrograms.plainCounter, PlainPrograms.lockedCounter, PlainPrograms.tornCounter,
      PlainPrograms.atomicCounter(threads: 3), PlainPrograms.spinLock(releases: "release"),
      PlainPrograms.spinLock(releases: "monotonic"),
    ]
    for program in programs {
      let verdicts = try verdicts(program)
      #expect(Set(verdicts.map { $0?.rawValue ?? "" }).count == 1, "\(verdicts)")
    }
  }

  /// A random thread: atomic loads, stores and updates of two words, and branches on what it read.
  private func worker(_ random: inout SplitMix64) -> String {
    var text = ""
    var latest = "0"
    for step in 0..<2 + random.below(3) {
      let word = random.below(2) == 0 ? "@x" : "@y"
      switch random.below(4) {
      case 0:
        text += "  %v\(step) = load atomic i32, ptr \(word) seq_cst, align 4\n"
        latest = "%v\(step)"
      case 1: text += "  store atomic i32 \(random.below(3)), ptr \(word) seq_cst, align 4\n"
      case 2:
        text += "  %v\(step) = atomicrmw add ptr \(word), i32 1 seq_cst, align 4\n"
        latest = "%v\(step)"
      default:
        text += "  %p\(step) = cmpxchg ptr \(word), i32 \(latest), i32 2 seq_cst seq_cst, align 4\n"
        text += "  %v\(step) = extractvalue { i32, i1 } %p\(step), 0\n"
        latest = "%v\(step)"
      }
    }
    return text + "  store atomic i32 \(latest), ptr @y seq_cst, align 4\n  ret ptr null"
  }

  /// Final states by each search, as one sorted list each.
  @Test func randomProgramsEndInTheSameStates() throws {
    var random = SplitMix64(seed: 3)
    for _ in 0..<40 {
      let text = PlainPrograms.module(PlainPrograms.zero, worker: worker(&random))
      let module = try IRReader.read(Array(text.utf8), file: "random.ll")
      let program = try Program([module], ProgramOptions())
      var finals: [[UInt64]] = []
      for search in Self.searches {
        var options = SearchOptions()
        options.collectsFinalStates = true
        let result = try program.search(options, by: search)
        #expect(result.finding == nil)
        finals.append(result.result.finalStates)
      }
      #expect(Set(finals).count == 1, "\(text)")
    }
  }
}
