// A fuzzing task as a value: a range of seeds, and the searches to compare.

import GracewalkChecking
import GracewalkMachine

/// A range of seeds and the searches compared with the exhaustive one, as a unit of work.
package struct FuzzRequest: WorkUnit {
  package var seeds: Range<UInt64>
  package var size = RandomProgram.Size.full
  package var mix: RandomProgram.Mix = []
  /// Whether tables have three levels.
  package var isDeep = false
  package var memoryModel = MemoryModel.standard
  /// The search under test; nil for the stateful one, or for all that reduce if no other option
  /// selects one.
  package var strategy: Strategy?
  package var isExact = false
  /// Whether programs have identical CPUs, which the search exchanges.
  package var usesSymmetry = false
  package var jobs = 1
  /// Transitions after which the search is saved and another one resumes it.
  package var piece: Int?
  /// Whether the exhaustive search is compared with an interpreter, and no search with another.
  package var usesInterpreter = false
  /// States of a program in which two steps are taken in both orders.
  package var statesOfPairsMax = 100

  private static let partsMax = 1_024

  package init(seeds: Range<UInt64>) { self.seeds = seeds }

  /// Why programs cannot be run under the memory model; nil if they can.
  package var memoryProblem: String? {
    if memoryModel == .sequentialConsistency { return nil }
    return strategy == .optimal ? "--mode optimal is for sequential consistency" : nil
  }

  /// Whether all searches that reduce are compared at once.
  private var testsAll: Bool {
    strategy == nil && !isExact && !usesSymmetry && jobs == 1 && piece == nil
  }

  private var fuzzer: Fuzzer {
    if usesInterpreter {
      var fuzzer = Fuzzer.interpreting(identicalCPUs: usesSymmetry)
      fuzzer.mix = mix
      fuzzer.isDeep = isDeep
      return fuzzer
    }
    var fuzzer =
      testsAll
      ? Fuzzer(Strategy.reduced(under: memoryModel))
      : Fuzzer(
        strategy ?? .stateful, isExact: isExact, usesSymmetry: usesSymmetry, jobs: jobs,
        inPiecesOf: piece)
    fuzzer.mix = mix
    fuzzer.isDeep = isDeep
    fuzzer.memoryModel = memoryModel
    fuzzer.piece = piece
    fuzzer.statesOfPairsMax = statesOfPairsMax
    // Identical CPUs have few distinct behaviours: many small programs find more than a few large
    // ones.
    if usesSymmetry, size == .small { fuzzer.statesMax = 20_000 }
    // In stateless searches, speculative walks and evictions take many executions.
    if mix.contains(.hardware), size == .small { fuzzer.statesMax = 2_000 }
    return fuzzer
  }

  package func run(_ context: WorkContext<Fuzzer.Report>) -> Fuzzer.Report {
    fuzzer.run(seeds: seeds, size: size, shouldContinue: context.watch)
  }

  /// The same seeds split into non-empty parts.
  func split(into parts: Int) -> [FuzzRequest] {
    let count = min(max(parts, 1), max(seeds.count, 1))
    return (0..<count).map { part in
      var request = self
      let lower = seeds.lowerBound + UInt64(seeds.count * part / count)
      request.seeds = lower..<(seeds.lowerBound + UInt64(seeds.count * (part + 1) / count))
      return request
    }
  }

  /// Fuzzes the seeds, in as many parts as the executor can use.
  ///
  /// - Parameter shouldContinue: called with the results so far of a part; returns false to end it.
  package func report(
    by executor: any Executor, shouldContinue: @escaping @Sendable (Fuzzer.Report) -> Bool
  ) -> Fuzzer.Report {
    var whole = Fuzzer.Report()
    // Few enough for a message each, and enough for the jobs of a cluster.
    let parts = split(into: min(executor.width, Self.partsMax))
    var watch = WorkWatch<FuzzRequest>()
    watch.begin = { _ in shouldContinue }
    _ = executor.run(parts, watch) { done in
      if case .success(let report) = done.result { whole.add(report) }
      return whole.mismatches.count < Fuzzer.mismatchesMax
    }
    return whole
  }
}
