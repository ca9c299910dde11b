// The same random program as LLVM IR and as a litmus test: their final states are the same.

import GracewalkChecking
import GracewalkCompiled
import GracewalkExploration
import GracewalkLLVM
import GracewalkLitmus
import GracewalkMachine

/// Compares programs under each memory model with litmus tests, on a machine that has little in
/// common with that of programs but the order of stores.
package struct OrderFuzzer {
  package struct Report {
    package var programs = 0
    /// Programs with final states that sequential consistency does not have, by model.
    package var weak: [(model: String, programs: Int)] = MemoryModel.allCases.dropFirst().map {
      ($0.rawValue, 0)
    }
    package var outcomes = 0
    package var skipped = 0
    package var mismatches: [(seed: UInt64, what: String)] = []
  }

  /// What is changed in the text of each program, so that tests see it found.
  private let change: (String) -> String

  package init(changing change: @escaping (String) -> String = { $0 }) { self.change = change }

  package func run(
    seeds: Range<UInt64>, while shouldContinue: (Report) -> Bool = { _ in true }
  ) -> Report {
    var report = Report()
    for seed in seeds {
      guard shouldContinue(report) else { break }
      report.programs += 1
      do {
        try compare(seed, &report)
      } catch { report.mismatches.append((seed, (error as? Finding)?.message ?? "\(error)")) }
    }
    return report
  }

  private func compare(_ seed: UInt64, _ report: inout Report) throws {
    let program = OrderedProgram(seed: seed)
    var strong: [[UInt64]] = []
    for model in MemoryModel.allCases {
      guard let found = try program.outcomes(under: model, changing: change),
        let known = program.expectedOutcomes(under: model)
      else {
        report.skipped += 1
        return
      }
      report.outcomes += found.count
      let missing = known.count { !found.contains($0) }
      let excess = found.count { !known.contains($0) }
      if missing + excess > 0 {
        report.mismatches.append(
          (seed, "\(model.rawValue): \(missing) final states missing, \(excess) too many"))
      }
      if model == .sequentialConsistency { strong = found }
      // An `LDAR` waits for an `STLR` before it, so not all of x86 is in Armv8.
      let lost = strong.count { !found.contains($0) }
      if lost > 0 {
        report.mismatches.append((seed, "\(model.rawValue): \(lost) final states of sc missing"))
      }
      if let place = report.weak.firstIndex(where: { $0.model == model.rawValue }),
        found.count > strong.count
      {
        report.weak[place].programs += 1
      }
    }
  }
}

extension OrderedProgram {
  /// What executions of the program as LLVM IR end with, in order; nil if it is too large.
  package func outcomes(
    under model: MemoryModel, changing change: (String) -> String = { $0 }
  ) throws -> [[UInt64]]? {
    let module = try IRReader.read(Array(change(text).utf8), file: "program.ll")
    var options = ProgramOptions()
    options.memoryModel = model
    options.outcomeGlobals = Self.outcomes
    let limits = SearchOptions(limits: Limits(states: 400_000))
    let result = try Program([module], options).search(limits) { ExhaustiveSearch($0, $1).run() }
    if let finding = result.finding { throw finding }
    if case .bounded = result.result.ending { return nil }
    return Self.sorted(result.outcomes.map { observed($0) })
  }

  /// The same of the program as a litmus test.
  package func expectedOutcomes(under model: MemoryModel) -> [[UInt64]]? {
    var options = LitmusOptions()
    options.memoryModel = model
    let report = litmus(model).checkWeakly(options)
    return report.isComplete ? Self.sorted(report.states.map(\.values)) : nil
  }

  private static func sorted(_ values: [[UInt64]]) -> [[UInt64]] {
    Set(values).sorted { $0.lexicographicallyPrecedes($1) }
  }
}
