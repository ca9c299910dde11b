// The reduced searches compared with the exhaustive one on random programs.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import TestExpectations
import TestSupport
import Testing

@Suite(.tags(.fuzz, .long), .unlessQuick) struct FuzzerTests {
  static let smallChunk = 1_000
  static let fullChunk = 50

  private static let chunks = [
    "small": 50, "full": 20, "loops": 10, "interrupts": 3, "slabs": 4, "contexts": 4,
    "hardware": 4, "three levels": 2, "three levels, hardware": 1, "interrupts, exact": 1,
    "x86-TSO": 2, "x86-TSO, interrupts": 1,
  ]

  /// Runs a chunk: no mismatch, and the recorded number of programs with a violation.
  private func expect(
    _ kind: String, _ chunk: Int, of size: Int = smallChunk, _ fuzzer: Fuzzer,
    _ programs: RandomProgram.Size = .small
  ) throws {
    let first = UInt64(chunk * size)
    let report = fuzzer.run(seeds: first..<(first + UInt64(size)), size: programs)
    #expect(report.programs == size)
    #expect(report.mismatches == [])
    try Counts("Fuzzer").expect(["violated": report.violated], for: "\(kind), chunk \(chunk)")
  }

  @Test func nothingElseIsRecorded() throws {
    try Counts("Fuzzer").expectRows(
      for: Self.chunks.flatMap { kind, count in (0..<count).map { "\(kind), chunk \($0)" } })
  }

  /// 50,000 small programs, in chunks, with the number of programs per chunk that have a violation.
  @Test(arguments: 0..<50) func smallProgramsAgree(chunk: Int) throws {
    try expect("small", chunk, Fuzzer(Strategy.reduced))
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

  /// Programs on which a plausible but wrong rule lost something, with the rule.
  @Test(arguments: pinned)
  func programsThatExposedWrongRules(seed: UInt64, rule: String) {
    let mismatches = Fuzzer(Strategy.reduced).run(seeds: seed..<(seed + 1)).mismatches
    #expect(mismatches == [], "\(rule)")
  }

  /// Programs whose loops are longer or shorter, depending on other CPUs.
  @Test(arguments: 0..<10) func programsWithLoopsAgree(chunk: Int) throws {
    var fuzzer = Fuzzer(Strategy.reduced)
    fuzzer.hasLoops = true
    try expect("loops", chunk, fuzzer)
  }

  /// Programs that mask interrupts and wait until others have taken one.
  @Test(arguments: 0..<3) func programsWithInterruptsAgree(chunk: Int) throws {
    var fuzzer = Fuzzer(Strategy.reduced)
    fuzzer.masksInterrupts = true
    try expect("interrupts", chunk, fuzzer)
  }

  /// Programs whose freed pages are reused at once, while other CPUs read them.
  @Test(arguments: 0..<4) func programsWithSlabsAgree(chunk: Int) throws {
    var fuzzer = Fuzzer(Strategy.reduced)
    fuzzer.hasSlabs = true
    try expect("slabs", chunk, fuzzer)
  }

  /// The same with states compared in full.
  @Test func programsWithInterruptsAgreeExactly() throws {
    var fuzzer = Fuzzer(.stateful, isExact: true)
    fuzzer.masksInterrupts = true
    try expect("interrupts, exact", 0, of: 500, fuzzer)
  }

  /// Programs with a VM that owns the table pages and is released.
  @Test(arguments: 0..<4) func programsWithContextsAgree(chunk: Int) throws {
    var fuzzer = Fuzzer(Strategy.reduced)
    fuzzer.hasContexts = true
    try expect("contexts", chunk, fuzzer)
  }

  /// Programs whose stores become visible in steps of their own.
  @Test(arguments: 0..<2) func programsUnderTSOAgree(chunk: Int) throws {
    var fuzzer = Fuzzer(Strategy.reduced(under: .totalStoreOrder))
    fuzzer.memoryModel = .totalStoreOrder
    fuzzer.statesOfPairsMax = 100
    try expect("x86-TSO", chunk, fuzzer)
  }

  @Test func programsWithInterruptsUnderTSOAgree() throws {
    var fuzzer = Fuzzer(Strategy.reduced(under: .totalStoreOrder))
    fuzzer.memoryModel = .totalStoreOrder
    fuzzer.masksInterrupts = true
    fuzzer.statesOfPairsMax = 100
    try expect("x86-TSO, interrupts", 0, fuzzer)
  }

  /// Programs whose loads may find old values, too; few, since they have many states.
  @Test(arguments: [RandomProgram.Mix(), .interrupts])
  func programsUnderArmv8Agree(mix: RandomProgram.Mix) {
    var fuzzer = Fuzzer(Strategy.reduced(under: .armv8))
    fuzzer.memoryModel = .armv8
    fuzzer.mix = mix
    fuzzer.statesOfPairsMax = 20
    fuzzer.statesMax = 5_000
    let report = fuzzer.run(seeds: 0..<40, size: .small)
    #expect(report.programs == 40)
    #expect(report.mismatches == [])
  }

  /// 1,000 larger programs.
  @Test(arguments: 0..<20) func largerProgramsAgree(chunk: Int) throws {
    try expect("full", chunk, of: Self.fullChunk, Fuzzer(Strategy.reduced), .full)
  }

  /// Programs whose tables have three levels, one of which is there from the start.
  @Test(arguments: 0..<2) func programsWithDeepTablesAgree(chunk: Int) throws {
    var fuzzer = Fuzzer(Strategy.reduced)
    fuzzer.mix = .allOfIdenticalCPUs
    fuzzer.isDeep = true
    fuzzer.statesMax = 300
    fuzzer.statesOfPairsMax = 100
    try expect("three levels", chunk, of: 200, fuzzer)
  }

  @Test func programsWithDeepTablesAndHardwareAgree() throws {
    var fuzzer = Fuzzer(Strategy.reduced)
    fuzzer.hasHardware = true
    fuzzer.isDeep = true
    fuzzer.statesMax = 300
    fuzzer.statesOfPairsMax = 100
    try expect("three levels, hardware", 0, of: 200, fuzzer)
  }

  /// Programs with guests whose accesses walk the table, and with invalidations.
  ///
  /// One in twelve is too large for searches without states; the number must not grow.
  @Test(arguments: 0..<4) func programsWithHardwareAgree(chunk: Int) throws {
    var fuzzer = Fuzzer(Strategy.reduced)
    fuzzer.hasHardware = true
    fuzzer.statesMax = 500
    try expect("hardware", chunk, fuzzer)
  }
}
