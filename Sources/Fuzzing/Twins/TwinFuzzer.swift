// The same random program as a model and as C code: verdicts and outcomes are the same.

import GracewalkCompiled
import GracewalkExploration
import GracewalkLLVM
import GracewalkMachine
import GracewalkSupport

/// Compares what the exhaustive search says of models with what all searches say of the same
/// programs in C.
package struct TwinFuzzer {
  package struct Report {
    package var programs = 0
    /// Programs in which an assertion fails, and those that were too large to compare.
    package var wrong = 0
    package var skipped = 0
    /// Outcomes of all programs that are not wrong.
    package var outcomes = 0
    package var mismatches: [(seed: UInt64, what: String)] = []
  }

  /// How many programs a file has: starting a compiler takes longer than compiling one.
  private static let fileSize = 50
  private let compile: (_ text: String) throws -> IRModule
  /// What is changed in the text of each program, so that tests see it found.
  private let change: (String) -> String

  /// - Parameters:
  ///   - change: applied to C code.
  ///   - compile: turns C code into LLVM IR.
  package init(
    changing change: @escaping (String) -> String = { $0 },
    compile: @escaping (_ text: String) throws -> IRModule
  ) {
    self.compile = compile
    self.change = change
  }

  package func run(
    seeds: Range<UInt64>, while shouldContinue: (Report) -> Bool = { _ in true }
  ) throws -> Report {
    var report = Report()
    var first = seeds.lowerBound
    while first < seeds.upperBound, shouldContinue(report) {
      let end = min(first + UInt64(Self.fileSize), seeds.upperBound)
      let programs = (first..<end).map { TwinProgram(seed: $0) }
      let names = programs.indices.map { TwinProgram.Names(number: $0) }
      let texts = zip(programs, names).map { change($0.text($1)) }
      let module = try compile(TwinProgram.head + texts.joined())
      for (index, program) in programs.enumerated() {
        compare(first + UInt64(index), program, module, names[index], &report)
      }
      first = end
    }
    return report
  }

  /// What a search says of a program; the outcomes count if no assertion fails.
  private struct Answer: Equatable {
    var isWrong: Bool
    var outcomes: [[UInt64]]
  }

  private func compare(
    _ seed: UInt64, _ program: TwinProgram, _ module: IRModule, _ names: TwinProgram.Names,
    _ report: inout Report
  ) {
    report.programs += 1
    guard let expected = answer(asModel: program) else { return report.skipped += 1 }
    if expected.isWrong { report.wrong += 1 }
    report.outcomes += expected.outcomes.count
    let searches: [(String, Bool, (TransitionSystem, SearchOptions) -> SearchResult)] = [
      ("stateful", true, { StatefulSearch($0, $1).run() }),
      ("optimal", true, { OptimalSearch($0, $1).run() }),
      ("source", true, { SourceSearch($0, $1).run() }),
      ("exhaustive", true, { ExhaustiveSearch($0, $1).run() }),
      ("exhaustive without merging", false, { ExhaustiveSearch($0, $1).run() }),
    ]
    for (name, merges, search) in searches {
      do {
        guard let answer = try answer(asC: module, names, merges: merges, search),
          answer != expected
        else { continue }
        let what =
          answer.isWrong != expected.isWrong
          ? (expected.isWrong ? "an assertion fails in the model alone" : "a false alarm")
          : "\(answer.outcomes.count) outcomes, the model has \(expected.outcomes.count)"
        report.mismatches.append((seed, "\(name): \(what)"))
      } catch { report.mismatches.append((seed, "\(name): \(error)")) }
    }
  }

  /// Nil if there are too many states.
  private func answer(asModel program: TwinProgram) -> Answer? {
    let outcomes = Outcomes()
    var options = SearchOptions()
    options.limits.states = 50_000
    let result = ExhaustiveSearch(Machine(program.scenario(outcomes)), options).run()
    switch result.ending {
    case .complete: return Answer(isWrong: false, outcomes: outcomes.all)
    case .violation: return Answer(isWrong: true, outcomes: [])
    default: return nil
    }
  }

  private func answer(
    asC module: IRModule, _ names: TwinProgram.Names, merges: Bool,
    _ search: (TransitionSystem, SearchOptions) -> SearchResult
  ) throws -> Answer? {
    var options = ProgramOptions()
    options.entry = names.main
    options.mergesStates = merges
    // Threads that cannot go on are an outcome here.
    (options.findsDeadlocks, options.findsLivelocks) = (false, false)
    options.outcomeGlobals = [names.words, names.results]
    var limits = SearchOptions()
    limits.limits.executions = 50_000
    limits.limits.states = 200_000
    let result = try Program([module], options).search(limits, by: search)
    if case .bounded = result.result.ending { return nil }
    let isWrong = result.finding != nil
    return Answer(isWrong: isWrong, outcomes: isWrong ? [] : result.outcomes)
  }
}
