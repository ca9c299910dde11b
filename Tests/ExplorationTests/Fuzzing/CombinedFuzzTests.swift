// Programs of several kinds at once, to find bugs in their interaction.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import TestExpectations
import Testing

@Suite(.tags(.fuzz, .long), .unlessQuick) struct CombinedFuzzTests {
  private static let programs = 250
  private static let chunks = 0..<4

  private func expect(
    _ mix: RandomProgram.Mix, _ seeds: Range<UInt64>, for key: String
  ) throws {
    var fuzzer = Fuzzer(Strategy.reduced)
    fuzzer.mix = mix
    fuzzer.statesMax = 300
    fuzzer.statesOfPairsMax = 100
    let report = fuzzer.run(seeds: seeds, size: .small)
    #expect(report.programs == seeds.count)
    #expect(report.mismatches == [])
    try Counts("Combined").expect(
      [
        "violated": report.violated, "skipped": report.skipped,
        "transitions": report.transitions, "pairs": report.pairs,
      ], for: key)
  }

  /// 1,000 small programs with guests, slabs, masked interrupts and contexts, in chunks.
  @Test(arguments: chunks)
  func everythingTogetherAgrees(chunk: Int) throws {
    let first = UInt64(chunk * Self.programs)
    let seeds = first..<(first + UInt64(Self.programs))
    try expect(
      [.hardware, .slabs, .interrupts, .contexts], seeds, for: "everything, chunk \(chunk)")
  }

  private static let pairs: [(name: String, mix: RandomProgram.Mix)] = [
    ("hardware + slabs", [.hardware, .slabs]), ("hardware + contexts", [.hardware, .contexts]),
    ("hardware + interrupts", [.hardware, .interrupts]),
    ("slabs + interrupts", [.slabs, .interrupts]), ("contexts + slabs", [.contexts, .slabs]),
    ("interrupts + contexts", [.interrupts, .contexts]), ("primitives", [.primitives]),
    ("primitives + slabs", [.primitives, .slabs]), ("all", .all),
  ]

  @Test(arguments: pairs)
  func pairsAgree(name: String, mix: RandomProgram.Mix) throws {
    try expect(mix, 0..<100, for: name)
  }

  @Test func nothingElseIsRecorded() throws {
    try Counts("Combined").expectRows(
      for: Self.chunks.map { "everything, chunk \($0)" } + Self.pairs.map(\.name))
  }
}
