// Compares searches on random programs with threads, with equal local states merged and not.

import GracewalkCompiled
import GracewalkExploration
import GracewalkLLVM
import GracewalkSupport

/// Explores random programs exhaustively, where each history of a thread is a state of its own,
/// and by the searches that reduce and merge.
package struct ThreadsFuzzer {
  package struct Report {
    package var programs = 0
    /// Programs in which something is wrong, and those that were too large to compare.
    package var wrong = 0
    package var skipped = 0
    package var mismatches: [(seed: UInt64, what: String)] = []
  }

  package typealias Search = (TransitionSystem, SearchOptions) -> SearchResult

  /// The search that matches states.
  private let stateful: Search

  package init(_ stateful: @escaping Search = { StatefulSearch($0, $1).run() }) {
    self.stateful = stateful
  }

  package func run(
    seeds: Range<UInt64>, while shouldContinue: (Report) -> Bool = { _ in true }
  ) -> Report {
    var report = Report()
    for seed in seeds {
      guard shouldContinue(report) else { break }
      report.programs += 1
      do {
        try compare(seed, &report)
      } catch {
        report.mismatches.append((seed, "\(error)"))
      }
    }
    return report
  }

  /// What a search says of a program: equal for all searches.
  private struct Answer: Equatable {
    var isWrong: Bool
    /// Contents of memory at the ends of executions; empty if something is wrong.
    var memories: [UInt64]
  }

  private func compare(_ seed: UInt64, _ report: inout Report) throws {
    let text = RandomThreads.text(seed: seed)
    let module = try IRReader.read(Array(text.utf8), file: "program \(seed)")
    let merged = try Program([module], options(merges: true))
    let apart = try Program([module], options(merges: false))
    guard let oracle = try answer(apart, { ExhaustiveSearch($0, $1).run() }) else {
      report.skipped += 1
      return
    }
    if oracle.isWrong { report.wrong += 1 }
    let searches: [(String, Program, Search)] = [
      ("stateful", merged, stateful),
      ("optimal", merged, { OptimalSearch($0, $1).run() }),
      ("source", merged, { SourceSearch($0, $1).run() }),
      ("exhaustive", merged, { ExhaustiveSearch($0, $1).run() }),
      ("stateful without merging", apart, { StatefulSearch($0, $1).run() }),
    ]
    for (name, program, search) in searches {
      guard let answer = try answer(program, search), answer != oracle else { continue }
      let what =
        answer.isWrong != oracle.isWrong
        ? (oracle.isWrong ? "finds nothing, and something is wrong" : "raises a false alarm")
        : "\(answer.memories.count) ends, \(oracle.memories.count) expected"
      report.mismatches.append((seed, "\(name): \(what)"))
    }
  }

  private func options(merges: Bool) -> ProgramOptions {
    var options = ProgramOptions()
    options.mergesStates = merges
    options.collectsMemories = true
    options.unroll = 6
    return options
  }

  /// Nil if the program is too large.
  private func answer(_ program: Program, _ search: Search) throws -> Answer? {
    var options = SearchOptions()
    options.limits.executions = 20_000
    options.limits.states = 200_000
    let result = try program.search(options, by: search)
    if case .bounded = result.result.ending { return nil }
    return Answer(
      isWrong: result.finding != nil, memories: result.finding == nil ? result.memories : [])
  }
}
