// The reduced searches held against the exhaustive one on random programs.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import TestSupport
import Testing

struct FuzzerTests {
  static let smallChunk = 1_000
  static let smallViolated = [
    34, 29, 34, 31, 32, 21, 30, 31, 22, 31, 28, 34, 32, 22, 32, 31, 32, 29, 36, 32, 38, 23, 28,
    32, 26, 26, 25, 29, 32, 26, 33, 32, 31, 33, 27, 30, 23, 26, 32, 37, 40, 30, 32, 28, 26, 32,
    29, 20, 26, 27,
  ]
  static let fullChunk = 50
  static let fullViolated = [
    5, 3, 2, 6, 4, 3, 3, 4, 6, 5, 8, 8, 4, 6, 5, 4, 1, 8, 1, 5,
  ]

  /// 50,000 small programs, in chunks, with the number of programs per chunk that can go wrong.
  @Test(arguments: zip(0..<50, smallViolated))
  func smallProgramsAgree(chunk: Int, violated: Int) {
    let first = UInt64(chunk * Self.smallChunk)
    let seeds = first..<(first + UInt64(Self.smallChunk))
    let report = Fuzzer(Strategy.reduced).run(seeds: seeds, size: .small)
    #expect(report.programs == Self.smallChunk)
    #expect(report.mismatches == [])
    #expect(report.violated == violated)
  }

  static let pinned: [(seed: UInt64, rule: String)] = [
    (12_616, "an event that left a step disabled for another reason was passed over"),
    (5_127, "initials were accepted where a persistent set was needed"),
    (10_847, "a pending step raced only with what it would touch at once"),
    (14_243, "the end of one callback was taken for the end of another"),
    (10_170, "one of several who could enable a CPU was taken for all"),
    (1_423_502, "a later step of a CPU was looked for in one race only"),
    (2_129_190, "the end of a section was taken for the end of an earlier one"),
  ]

  /// Programs on which a rule that looked right lost something, and the rule.
  @Test(arguments: pinned)
  func programsThatToldWrongRulesApart(seed: UInt64, rule: String) {
    let mismatches = Fuzzer(Strategy.reduced).run(seeds: seed..<(seed + 1)).mismatches
    #expect(mismatches == [], "\(rule)")
  }

  /// Programs whose loops are longer or shorter, depending on what others did.
  @Test(arguments: zip(0..<10, [17, 14, 18, 20, 11, 18, 11, 19, 13, 5]))
  func programsWithLoopsAgree(chunk: Int, violated: Int) {
    var fuzzer = Fuzzer(Strategy.reduced)
    fuzzer.hasLoops = true
    let first = UInt64(chunk * Self.smallChunk)
    let report = fuzzer.run(seeds: first..<(first + UInt64(Self.smallChunk)), size: .small)
    #expect(report.programs == Self.smallChunk)
    #expect(report.mismatches == [])
    #expect(report.violated == violated)
  }

  /// Programs that mask interrupts and wait until others have taken one.
  @Test(arguments: zip(0..<3, [315, 295, 323]))
  func programsWithInterruptsAgree(chunk: Int, violated: Int) {
    var fuzzer = Fuzzer(Strategy.reduced)
    fuzzer.masksInterrupts = true
    let first = UInt64(chunk * Self.smallChunk)
    let report = fuzzer.run(seeds: first..<(first + UInt64(Self.smallChunk)), size: .small)
    #expect(report.programs == Self.smallChunk)
    #expect(report.mismatches == [])
    #expect(report.violated == violated)
  }

  /// Programs whose freed pages come back at once, while others look at them.
  @Test(arguments: zip(0..<4, [230, 260, 246, 252]))
  func programsWithSlabsAgree(chunk: Int, violated: Int) {
    var fuzzer = Fuzzer(Strategy.reduced)
    fuzzer.hasSlabs = true
    let first = UInt64(chunk * Self.smallChunk)
    let report = fuzzer.run(seeds: first..<(first + UInt64(Self.smallChunk)), size: .small)
    #expect(report.programs == Self.smallChunk)
    #expect(report.mismatches == [])
    #expect(report.violated == violated)
  }

  /// The same with states compared in full.
  @Test func programsWithInterruptsAgreeExactly() {
    var fuzzer = Fuzzer(.stateful, isExact: true)
    fuzzer.masksInterrupts = true
    let report = fuzzer.run(seeds: 0..<500, size: .small)
    #expect(report.mismatches == [])
    #expect(report.violated == 164)
  }

  /// Programs with a VM that owns the table pages, and that somebody releases.
  @Test(arguments: zip(0..<4, [406, 458, 410, 447]))
  func programsWithContextsAgree(chunk: Int, violated: Int) {
    var fuzzer = Fuzzer(Strategy.reduced)
    fuzzer.hasContexts = true
    let first = UInt64(chunk * Self.smallChunk)
    let report = fuzzer.run(seeds: first..<(first + UInt64(Self.smallChunk)), size: .small)
    #expect(report.programs == Self.smallChunk)
    #expect(report.mismatches == [])
    #expect(report.violated == violated)
  }

  /// 1,000 larger programs.
  @Test(arguments: zip(0..<20, fullViolated))
  func largerProgramsAgree(chunk: Int, violated: Int) {
    let first = UInt64(chunk * Self.fullChunk)
    let seeds = first..<(first + UInt64(Self.fullChunk))
    let report = Fuzzer(Strategy.reduced).run(seeds: seeds, size: .full)
    #expect(report.programs == Self.fullChunk)
    #expect(report.mismatches == [])
    #expect(report.violated == violated)
  }

  /// Programs with guests whose accesses walk the table, and with all that flushes what they cache.
  ///
  /// One in twelve has too many states for searches without states; there are no more of those.
  @Test(arguments: zip(0..<4, [228, 210, 190, 219]))
  func programsWithHardwareAgree(chunk: Int, violated: Int) {
    var fuzzer = Fuzzer(Strategy.reduced)
    fuzzer.hasHardware = true
    fuzzer.statesMax = 500
    let first = UInt64(chunk * Self.smallChunk)
    let report = fuzzer.run(seeds: first..<(first + UInt64(Self.smallChunk)), size: .small)
    #expect(report.programs == Self.smallChunk)
    #expect(report.mismatches == [])
    #expect(report.violated == violated)
  }
}
