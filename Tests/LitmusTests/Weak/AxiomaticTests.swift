// The machine for weaker memory against the axioms, on random programs.

import Foundation
import GracewalkLitmus
import GracewalkMachine
import GracewalkSupport
import Testing

@Suite struct AxiomaticTests {
  /// Programs per memory model.
  ///
  /// `AXIOM_PROGRAMS=1000000 AXIOM_SEED=1` asks for others by hand.
  static let programCount = number("AXIOM_PROGRAMS") ?? standardCount
  static let seed = UInt64(number("AXIOM_SEED") ?? 15)

  private static let standardCount = 6_700

  private static func number(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
  }

  /// Programs are divided among this many tests per memory model, which run side by side.
  private static let partCount = 8

  @Test(arguments: [MemoryModel.sequentialConsistency, .totalStoreOrder, .armv8], 0..<partCount)
  func finalStatesAreThoseOfTheAxioms(model: MemoryModel, part: Int) throws {
    var random = SplitMix64(seed: Self.seed)
    var options = LitmusOptions()
    options.memoryModel = model
    var (checked, total) = (0, 0)
    for number in 0..<Self.programCount {
      let program = RandomProgram(&random, hasExclusives: model == .armv8)
      guard number % Self.partCount == part else { continue }
      checked += 1
      let test = try LitmusTest(reading: program.text)
      let report = test.checkWeakly(options)
      try #require(report.isComplete)
      let found = Set(report.states.map(\.values))
      let allowed = Executions(program, model).finals
      total += allowed.count
      if found != allowed {
        let missed = allowed.subtracting(found).sorted { $0.lexicographicallyPrecedes($1) }
        let invented = found.subtracting(allowed).sorted { $0.lexicographicallyPrecedes($1) }
        Issue.record(
          "program \(number): missed \(missed), invented \(invented)\n\(program.text)")
        return
      }
    }
    #expect(total > 2 * checked)
  }

  /// A load of what one's own read-modify-write has stored need not come after the load of that: a
  /// fence behind it orders only what it waits for.
  @Test(arguments: [
    ("STADD X5,[X21]", "LDR X1,[X21]", LitmusReport.Observation.sometimes),
    ("LDADD X5,X2,[X21]", "LDR X1,[X21]", .never),
    ("STADD X5,[X21]", "LDAPR X1,[X21]", .never),
  ])
  func ownUpdatesAreReadEarly(
    update: String, load: String, observation: LitmusReport.Observation
  ) throws {
    let text = """
      AArch64 own-update
      { 0:X20=x; 0:X21=z; 1:X20=x; 1:X21=z; }
      P0 | P1 ;
      MOV X5,#1 | MOV X5,#6 ;
      STR X5,[X20] | \(update) ;
      MOV X6,#4 | \(load) ;
      STLR X6,[X21] | DMB LD ;
       | LDR X3,[X20] ;
      exists (1:X1=10 /\\ 1:X3=0)
      """
    var options = LitmusOptions()
    options.memoryModel = .armv8
    #expect(try LitmusTest(reading: text).check(options).observation == observation)
  }

  /// A difference would be found: what one model allows, another forbids.
  @Test func modelsDiffer() throws {
    var random = SplitMix64(seed: 15)
    var differences = 0
    for _ in 0..<200 {
      let program = RandomProgram(&random, hasExclusives: false)
      let strong = Executions(program, .sequentialConsistency).finals
      let middle = Executions(program, .totalStoreOrder).finals
      let weak = Executions(program, .armv8).finals
      #expect(strong.isSubset(of: middle))
      if strong != middle && middle != weak { differences += 1 }
    }
    #expect(differences > 5)
  }
}
