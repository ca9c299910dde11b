// The reduced searches held against the exhaustive one on random programs.

import Checking
import Exploration
import TestSupport
import Testing

struct FuzzerTests {
  static let smallChunk = 1_000
  static let smallViolated = [
    28, 24, 21, 21, 22, 13, 21, 15, 17, 20, 21, 23, 21, 17, 20, 22, 24, 19, 26, 24,
    25, 16, 18, 27, 24, 23, 21, 21, 24, 21, 27, 28, 19, 28, 19, 21, 15, 19, 26, 29, 29, 24, 21, 21,
    23, 23, 21, 12, 19, 22,
  ]
  static let fullChunk = 50
  static let fullViolated = [
    3, 1, 1, 6, 4, 3, 1, 2, 6, 4, 7, 5, 4, 6, 4, 3, 1, 8, 1, 4,
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
  @Test(arguments: zip(0..<10, [16, 12, 11, 15, 6, 14, 9, 13, 12, 5]))
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
  @Test(arguments: zip(0..<3, [207, 230, 205]))
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
  @Test(arguments: zip(0..<4, [246, 240, 249, 268]))
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
    #expect(report.violated == 100)
  }

  /// Programs with a VM that owns the table pages, and that somebody releases.
  @Test(arguments: zip(0..<4, [399, 446, 399, 434]))
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
  @Test(arguments: zip(0..<4, [116, 124, 103, 104]))
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
