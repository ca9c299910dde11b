// Symmetry compared with the exhaustive search, and false symmetries that the fuzzer detects.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkSupport
import TestExpectations
import TestSupport
import Testing

/// Claims that images are the identity, so summaries are not translated.
private final class SummariesUntranslated: Forwarding {
  override func image(ofCPU cpu: Int, under permutation: Int) -> Int { cpu }
  override func image(ofObject object: UInt32, under permutation: Int) -> UInt32 { object }
}

/// Translates footprints of steps, but not their CPUs.
private final class CPUsUntranslated: Forwarding {
  override func image(ofCPU cpu: Int, under permutation: Int) -> Int { cpu }
}

/// Uses every permutation as its own inverse, which is wrong for cycles of three or more.
private final class InversesForgotten: Forwarding {
  override func inverse(of permutation: Int) -> Int { permutation }
}

/// Does not undo steps in the keys: each permutation but the first keeps the key of the deepest
/// state.
private final class KeysOutOfDate: Forwarding {
  private var depth = 0
  private var deepest: (depth: Int, keys: [UInt64]) = (-1, [])

  override func step(_ cpu: Int, choice: Int) -> StepOutcome {
    depth += 1
    return base.step(cpu, choice: choice)
  }

  override func undo() {
    depth -= 1
    base.undo()
  }

  override func permutedKeys(_ keys: GrowableBuffer<UInt64>) -> Bool {
    guard base.permutedKeys(keys) else { return false }
    if depth > deepest.depth { deepest = (depth, (0..<keys.count).map { keys[$0] }) }
    for permutation in 1..<keys.count { keys[permutation] = deepest.keys[permutation] }
    return true
  }
}

/// Names states by memory alone, as if all CPUs had made the same observations.
private final class KeysTooCoarse: Forwarding {
  override func permutedKeys(_ keys: GrowableBuffer<UInt64>) -> Bool {
    guard base.permutedKeys(keys) else { return false }
    for permutation in 1..<keys.count { keys[permutation] &= 0xFFF }
    return true
  }
}

@Suite(.tags(.fuzz, .long), .unlessQuick) struct SymmetryFuzzTests {
  private static let chunk = 500
  private static let smallChunks = 0..<8
  private static let fullChunks = 0..<4

  @Test func nothingElseIsRecorded() throws {
    try Counts("Symmetry").expectRows(
      for: Self.smallChunks.map { "small, chunk \($0)" }
        + Self.fullChunks.map { "full, chunk \($0)" } + ["interrupts"])
  }

  /// 4,000 small programs, with the number of programs per chunk that have a violation.
  @Test(arguments: smallChunks)
  func smallProgramsAgree(chunk: Int) throws {
    let first = UInt64(chunk * Self.chunk)
    var fuzzer = Fuzzer(.stateful, usesSymmetry: true)
    fuzzer.statesMax = 1_000
    let report = fuzzer.run(seeds: first..<(first + UInt64(Self.chunk)), size: .small)
    #expect(report.programs == Self.chunk)
    #expect(report.mismatches == [])
    try Counts("Symmetry").expect(["violated": report.violated], for: "small, chunk \(chunk)")
  }

  /// 60 larger programs.
  @Test(arguments: fullChunks)
  func largerProgramsAgree(chunk: Int) throws {
    let first = UInt64(chunk * 15)
    var fuzzer = Fuzzer(.stateful, usesSymmetry: true)
    fuzzer.statesMax = 10_000
    let report = fuzzer.run(seeds: first..<(first + 15))
    #expect(report.programs == 15)
    #expect(report.mismatches == [])
    try Counts("Symmetry").expect(["violated": report.violated], for: "full, chunk \(chunk)")
  }

  /// Programs of identical CPUs that mask interrupts.
  @Test func programsWithInterruptsAgree() throws {
    var fuzzer = Fuzzer(.stateful, usesSymmetry: true)
    fuzzer.masksInterrupts = true
    fuzzer.statesMax = 1_000
    let report = fuzzer.run(seeds: 0..<UInt64(Self.chunk), size: .small)
    #expect(report.programs == Self.chunk)
    #expect(report.mismatches == [])
    try Counts("Symmetry").expect(["violated": report.violated], for: "interrupts")
  }

  private static let liars: [@Sendable (TransitionSystem) -> Forwarding] = [
    { SummariesUntranslated($0) }, { CPUsUntranslated($0) }, { InversesForgotten($0) },
    { KeysOutOfDate($0) }, { KeysTooCoarse($0) },
  ]

  /// Each is detected within ten thousand programs; for those that take long, the search starts
  /// closer.
  @Test(
    arguments: zip(
      liars.indices, [(6_200, 6_272), (5_800, 5_872), (0, 16), (0, 2), (0, 1)]))
  func liesAreFoundOut(number: Int, programs: (first: Int, last: Int)) {
    let liar = Self.liars[number]
    var fuzzer = Fuzzer(usesSymmetry: true) { system, options in
      StatefulSearch(liar(system), options).run()
    }
    fuzzer.statesMax = 20_000
    let seeds = UInt64(programs.first)..<10_000
    let report = fuzzer.run(seeds: seeds, size: .small, stopAfter: 1)
    #expect(!report.mismatches.isEmpty)
    #expect(programs.first + report.programs == programs.last)
  }

  /// So are those that claim too much of an order of stores.
  @Test func keysThatAreTooCoarseAreFoundOutUnderArmv8() {
    var fuzzer = Fuzzer(usesSymmetry: true) { system, options in
      StatefulSearch(KeysTooCoarse(system), options).run()
    }
    fuzzer.memoryModel = .armv8
    fuzzer.statesMax = 2_000
    let report = fuzzer.run(seeds: 0..<80, size: .small, stopAfter: 1)
    #expect(!report.mismatches.isEmpty)
  }

  @Test func honestForwardingAgrees() {
    var fuzzer = Fuzzer(usesSymmetry: true) { system, options in
      StatefulSearch(Forwarding(system), options).run()
    }
    fuzzer.statesMax = 1_000
    #expect(fuzzer.run(seeds: 0..<200, size: .small).mismatches == [])
  }

  /// The comparison is of the final states themselves, not only of their number.
  @Test func searchesWithoutSymmetryAgreeAsWell() {
    var fuzzer = Fuzzer(usesSymmetry: true) { system, options in
      var options = options
      options.usesSymmetry = false
      return StatefulSearch(system, options).run()
    }
    fuzzer.statesMax = 1_000
    #expect(fuzzer.run(seeds: 0..<500, size: .small).mismatches == [])
  }
}
