// Programs of several kinds at once: what only goes wrong where one kind meets another.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import Testing

/// What a run of the fuzzer comes to.
struct FuzzTotals: Equatable, Sendable {
  var violated: Int
  var skipped: Int
  var transitions: Int
  var pairs: Int
}

struct CombinedFuzzTests {
  private static let programs = 250
  private static let totals = [
    FuzzTotals(violated: 99, skipped: 172, transitions: 120515, pairs: 70195),
    FuzzTotals(violated: 124, skipped: 156, transitions: 176004, pairs: 74584),
    FuzzTotals(violated: 106, skipped: 202, transitions: 111418, pairs: 65713),
    FuzzTotals(violated: 119, skipped: 166, transitions: 134169, pairs: 64249),
  ]

  private func run(_ mix: RandomProgram.Mix, _ seeds: Range<UInt64>) -> FuzzTotals {
    var fuzzer = Fuzzer(Strategy.reduced)
    fuzzer.mix = mix
    fuzzer.statesMax = 300
    fuzzer.statesOfPairsMax = 100
    let report = fuzzer.run(seeds: seeds, size: .small)
    #expect(report.programs == seeds.count)
    #expect(report.mismatches == [])
    return FuzzTotals(
      violated: report.violated, skipped: report.skipped, transitions: report.transitions,
      pairs: report.pairs)
  }

  /// 1,000 small programs with guests, slabs, masked interrupts and contexts, in chunks.
  @Test(arguments: zip(0..<4, totals))
  func everythingTogetherAgrees(chunk: Int, expected: FuzzTotals) {
    let first = UInt64(chunk * Self.programs)
    let seeds = first..<(first + UInt64(Self.programs))
    #expect(run([.hardware, .slabs, .interrupts, .contexts], seeds) == expected)
  }

  private static let pairs: [(mix: RandomProgram.Mix, totals: FuzzTotals)] = [
    ([.hardware, .slabs], FuzzTotals(violated: 32, skipped: 54, transitions: 40718, pairs: 17874)),
    (
      [.hardware, .contexts],
      FuzzTotals(violated: 34, skipped: 62, transitions: 36614, pairs: 17479)
    ),
    (
      [.hardware, .interrupts],
      FuzzTotals(violated: 35, skipped: 52, transitions: 39186, pairs: 22489)
    ),
    (
      [.slabs, .interrupts], FuzzTotals(violated: 31, skipped: 2, transitions: 22420, pairs: 10896)
    ),
    ([.contexts, .slabs], FuzzTotals(violated: 46, skipped: 0, transitions: 36445, pairs: 18325)),
    (
      [.interrupts, .contexts],
      FuzzTotals(violated: 40, skipped: 6, transitions: 38274, pairs: 17630)
    ),
  ]

  @Test(arguments: pairs)
  func pairsAgree(mix: RandomProgram.Mix, expected: FuzzTotals) {
    #expect(run(mix, 0..<100) == expected)
  }
}
