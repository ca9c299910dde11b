// What the stateful search relies on that no program of the machine shows: lies about toy programs.

import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkSupport
import TestExpectations
import TestSupport
import Testing

@Suite struct LieTests {
  /// The first of some toy programs on which a stateful search loses a final state.
  private static func firstLoss(
    _ seeds: Range<UInt64>, usesSymmetry: Bool = false, of system: (UInt64) -> TransitionSystem,
    told lie: (TransitionSystem) -> Forwarding = { Forwarding($0) }
  ) -> UInt64? {
    seeds.first { losesStates(of: { system($0) }, $0, usesSymmetry, told: lie) }
  }

  private static func losesStates(
    of system: (UInt64) -> TransitionSystem, _ seed: UInt64, _ usesSymmetry: Bool = false,
    told lie: (TransitionSystem) -> Forwarding
  ) -> Bool {
    var options = SearchOptions()
    options.collectsFinalStates = true
    let oracle = ExhaustiveSearch(system(seed), options).run()
    options.usesSymmetry = usesSymmetry
    let result = StatefulSearch(lie(system(seed)), options).run()
    return result.ending != oracle.ending || result.finalStates != oracle.finalStates
  }

  // MARK: What a disabled step could touch

  /// CPU 3 waits for three words and looks at the third only once the second is there.
  ///
  /// It can go on if CPU 2 comes first. After CPU 0 it never can, and it looks at what CPU 0 wrote
  /// only between the steps of CPU 2 and CPU 1, in an order that need not be tried.
  private static func hiddenReason() -> ToySystem {
    ToySystem([
      [.store(word: 2, value: 1)], [.store(word: 0, value: 1)], [.store(word: 1, value: 1)],
      [
        .waitForAll([
          ToyCondition(word: 0, value: 0), ToyCondition(word: 1, value: 1),
          ToyCondition(word: 2, value: 0),
        ])
      ],
    ])
  }

  @Test func disabledStepsRaceWithAllTheyCouldTouch() {
    let system = { (_: UInt64) in Self.hiddenReason() }
    #expect(!Self.losesStates(of: system, 0) { Forwarding($0) })
    #expect(Self.losesStates(of: system, 0) { PotentialHidden($0) })
  }

  private static func waiting(_ seed: UInt64) -> ToySystem {
    ToySystem(seed: seed, waitsForAll: true)
  }

  @Test func programsThatWaitForSeveralWordsAgree() {
    #expect(Self.firstLoss(0..<1_000, of: Self.waiting) == nil)
  }

  @Test(.tags(.long), .unlessQuick) func hidingWhatDisabledStepsCouldTouchIsFoundOut() throws {
    let loss = Self.firstLoss(0..<10_000, of: Self.waiting) { PotentialHidden($0) }
    try expectLoss(loss, of: "potential footprints")
  }

  private func expectLoss(_ seed: UInt64?, of name: String) throws {
    #expect(seed != nil, "\(name)")
    try Counts("Lies").expect(["seed": seed.map { Int($0) } ?? -1], for: name)
  }

  @Test func nothingElseIsRecorded() throws {
    try Counts("Lies").expectRows(for: ["potential footprints", "images of objects"])
  }

  /// Compares, of steps that are disabled, what they could touch with what they would touch.
  private final class PotentialCompared: Forwarding {
    var compared = 0
    var differences = 0

    override func addPotentialFootprint(of cpu: Int, to footprint: Footprint) {
      base.addPotentialFootprint(of: cpu, to: footprint)
      guard base.disabledCPUs().contains(cpu) else { return }
      let actual = Footprint()
      base.addFootprint(of: cpu, to: actual)
      compared += 1
      let isEqual =
        actual.count == footprint.count
        && (0..<actual.count).allSatisfy { actual[$0] == footprint[$0] }
      if !isEqual { differences += 1 }
    }
  }

  /// Why no program of the machine can show the lie, while accesses are sequentially consistent.
  @Test func stepsOfTheMachineThatAreDisabledHideNothing() {
    let mixes: [RandomProgram.Mix] = [
      [], .loops, .interrupts, .slabs, .contexts, [.slabs, .interrupts, .contexts],
    ]
    var (compared, differences) = (0, 0)
    for mix in mixes {
      for seed in 0..<100 as Range<UInt64> {
        let program = RandomProgram(mix, seed: seed, size: .small)
        let system = PotentialCompared(Machine(program.scenario()))
        _ = StatefulSearch(system, SearchOptions()).run()
        compared += system.compared
        differences += system.differences
      }
    }
    #expect(compared > 1_000)
    #expect(differences == 0)
  }

  // MARK: What takes an object's place

  private static func identical(_ seed: UInt64) -> IdenticalToys { IdenticalToys(seed: seed) }

  @Test func identicalToysAgree() {
    #expect(Self.firstLoss(0..<2_000, usesSymmetry: true, of: Self.identical) == nil)
  }

  @Test(.tags(.long), .unlessQuick) func leavingObjectsUntranslatedIsFoundOut() throws {
    let loss = Self.firstLoss(0..<30_000, usesSymmetry: true, of: Self.identical) {
      ObjectsUntranslated($0)
    }
    try expectLoss(loss, of: "images of objects")
  }
}
