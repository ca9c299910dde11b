// The machine compared with an interpreter that has no code in common with it.

import GracewalkFuzzing
import TestExpectations
import Testing

@Suite(.tags(.fuzz, .long), .unlessQuick) struct InterpreterTests {
  private static let kinds: [(name: String, mix: RandomProgram.Mix, isIdentical: Bool)] = [
    ("plain", [], false), ("loops", .loops, false), ("interrupts", .interrupts, false),
    ("slabs", .slabs, false), ("contexts", .contexts, false), ("primitives", .primitives, false),
    ("identical", [], true), ("all", .allOfIdenticalCPUs, false),
    ("all, identical", .allOfIdenticalCPUs, true),
  ]

  /// Final states, results of operations and verdicts of 100 programs of each kind.
  @Test(arguments: kinds)
  func machineAgrees(name: String, mix: RandomProgram.Mix, isIdentical: Bool) throws {
    var fuzzer = Fuzzer.interpreting(statesMax: 2_000, identicalCPUs: isIdentical)
    fuzzer.mix = mix
    let report = fuzzer.run(seeds: 0..<100, size: .small)
    #expect(report.programs == 100)
    #expect(report.mismatches == [])
    #expect(report.unknown == 0)
    try Counts("Interpreter").expect(
      ["violated": report.violated, "skipped": report.skipped, "steps": report.transitions],
      for: name)
  }

  /// Larger programs.
  @Test(arguments: kinds)
  func machineAgreesOnLargerPrograms(
    name: String, mix: RandomProgram.Mix, isIdentical: Bool
  ) throws {
    var fuzzer = Fuzzer.interpreting(statesMax: 1_000, identicalCPUs: isIdentical)
    fuzzer.mix = mix
    let report = fuzzer.run(seeds: 1_000..<1_025, size: .full)
    #expect(report.programs == 25)
    #expect(report.mismatches == [])
    try Counts("Interpreter").expect(
      ["violated": report.violated, "skipped": report.skipped, "steps": report.transitions],
      for: "\(name), full")
  }

  /// Tables with three levels.
  @Test(arguments: kinds)
  func machineAgreesOnDeepTables(name: String, mix: RandomProgram.Mix, isIdentical: Bool) throws {
    var fuzzer = Fuzzer.interpreting(statesMax: 1_000, identicalCPUs: isIdentical)
    fuzzer.mix = mix
    fuzzer.isDeep = true
    let report = fuzzer.run(seeds: 2_000..<2_050, size: .small)
    #expect(report.programs == 50)
    #expect(report.mismatches == [])
    try Counts("Interpreter").expect(
      ["violated": report.violated, "skipped": report.skipped, "steps": report.transitions],
      for: "\(name), three levels")
  }

  /// What the interpreter does not know is counted, not compared.
  @Test(arguments: [RandomProgram.Mix.hardware, .repeats])
  func unknownProgramsAreSkipped(mix: RandomProgram.Mix) {
    var fuzzer = Fuzzer.interpreting()
    fuzzer.mix = mix
    let report = fuzzer.run(seeds: 0..<20, size: .small)
    #expect(report.unknown == 20)
    #expect(report.transitions == 0)
  }

  // MARK: Wrong interpreters

  /// Each mistake, and a kind of programs that shows it.
  private static let mistakes: [(mistake: String, mix: RandomProgram.Mix)] = [
    ("exchangesAlways", []), ("takesHeldLocks", []), ("readersEnterAtOnce", []),
    ("gracePeriodsEndAtOnce", []), ("callbacksRunAtOnce", []), ("barriersWaitForNone", .contexts),
    ("choosesFirst", []), ("waitsForNothing", []), ("freedPagesAreForgotten", .slabs),
    ("interruptsEndAtOnce", .interrupts), ("masksDelayNoGracePeriod", .interrupts),
    ("forgetsWhatIsHeld", .interrupts), ("linksAreNotCounted", .slabs), ("slabTakesLast", .slabs),
    ("shrinksNothing", .slabs), ("pagesOutliveNothing", .contexts), ("releasesNothing", .contexts),
    ("triesFail", .primitives), ("deadlocksLeak", []),
  ]

  @Test func everyMistakeIsTried() {
    #expect(Fuzzer.mistakesOfInterpreter.sorted() == Self.mistakes.map(\.mistake).sorted())
  }

  /// The number of programs until a wrong interpreter is found out.
  @Test(arguments: mistakes)
  func mistakesAreFoundOut(mistake: String, mix: RandomProgram.Mix) throws {
    var fuzzer = Fuzzer.interpreting(statesMax: 1_000, mistake: mistake)
    fuzzer.mix = mix
    let report = fuzzer.run(seeds: 0..<10_000, size: .full, stopAfter: 1)
    #expect(report.mismatches.count == 1)
    try Counts("Interpreter").expect(["programs": report.programs], for: mistake)
  }

  @Test func nothingElseIsRecorded() throws {
    let names = Self.kinds.map(\.name)
    try Counts("Interpreter").expectRows(
      for: names + names.flatMap { ["\($0), full", "\($0), three levels"] }
        + Self.mistakes.map(\.mistake))
  }
}
