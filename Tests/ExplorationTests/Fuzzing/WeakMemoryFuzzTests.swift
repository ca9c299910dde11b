// The standard search under weaker memory, in every way it can be run, on random programs.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import TestExpectations
import Testing

@Suite(.tags(.fuzz, .long), .unlessQuick) struct WeakMemoryFuzzTests {
  enum Way: CaseIterable {
    /// States are compared in full.
    case exact
    case threads
    /// It is saved and resumed after every fiftieth transition.
    case pieces
    /// Programs may loop forever, and livelocks are looked for.
    case repeats

    var fuzzer: Fuzzer {
      switch self {
      case .exact: return Fuzzer(.stateful, isExact: true)
      case .threads: return Fuzzer(.stateful, jobs: 2)
      case .pieces: return Fuzzer(.stateful, inPiecesOf: 50)
      case .repeats:
        var fuzzer = Fuzzer(.stateful)
        fuzzer.hasRepeats = true
        fuzzer.piece = 50
        return fuzzer
      }
    }
  }

  /// The same verdicts, final states and counts as without, and as the exhaustive search.
  @Test(arguments: Way.allCases)
  func programsUnderTSOAgree(way: Way) {
    var fuzzer = way.fuzzer
    fuzzer.memoryModel = .totalStoreOrder
    let report = fuzzer.run(seeds: 0..<200, size: .small)
    #expect(report.programs == 200)
    #expect(report.mismatches == [])
    #expect(report.violated == (way == .repeats ? 146 : 9))
  }

  /// The same under Armv8, where programs have more states.
  @Test(arguments: Way.allCases)
  func programsUnderArmv8Agree(way: Way) {
    var fuzzer = way.fuzzer
    fuzzer.memoryModel = .armv8
    fuzzer.statesMax = 5_000
    let report = fuzzer.run(seeds: 0..<40, size: .small)
    #expect(report.programs == 40)
    #expect(report.mismatches == [])
    #expect(report.violated == (way == .repeats ? 28 : 2))
  }

  /// Searches without states under Armv8, where loads are choices.
  @Test(arguments: [Strategy.source, .sleep])
  func searchesWithoutStatesAgreeUnderArmv8(strategy: Strategy) {
    var fuzzer = Fuzzer(strategy)
    fuzzer.memoryModel = .armv8
    fuzzer.statesMax = 1_000
    let report = fuzzer.run(seeds: 0..<40, size: .small)
    #expect(report.programs == 40)
    #expect(report.mismatches == [])
    #expect(report.violated > 0)
  }

  /// Identical CPUs are exchanged with their buffers, and under Armv8 in the order of stores, also
  /// where what the code will not need is forgotten.
  @Test(
    arguments: [(MemoryModel.totalStoreOrder, 300 as UInt64), (.armv8, 80)],
    [RandomProgram.Mix(), .interrupts])
  func programsWithIdenticalCPUsAgree(
    under: (model: MemoryModel, count: UInt64), mix: RandomProgram.Mix
  ) {
    var fuzzer = Fuzzer(.stateful, usesSymmetry: true)
    fuzzer.memoryModel = under.model
    fuzzer.mix = mix
    fuzzer.statesMax = 2_000
    let report = fuzzer.run(seeds: 0..<under.count, size: .small)
    #expect(report.programs == Int(under.count))
    #expect(report.mismatches == [])
    #expect(report.violated > 0)
  }
}
