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
