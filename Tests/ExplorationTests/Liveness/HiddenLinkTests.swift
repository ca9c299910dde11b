// Loops under Armv8 in which a page is private to its CPU in some turns, and a link to it pending.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkSupport
import TestSupport
import Testing

struct HiddenLinkTests {
  /// A random program, the number of its states, and how many a search finds that does not look at
  /// what is pending.
  private static let programs: [(seed: UInt64, states: Int, otherwise: Int)] = [
    (162, 1_556, 1_551), (351, 112, 117),
  ]

  @Test(arguments: programs)
  func statesAreThoseOfCodeThatRunsEveryTurn(seed: UInt64, states: Int, otherwise: Int) {
    var fuzzer = Fuzzer(.stateful)
    fuzzer.memoryModel = .armv8
    fuzzer.mix = []
    fuzzer.hasRepeats = true
    #expect(fuzzer.run(seeds: seed..<(seed + 1), size: .small).mismatches == [])

    func count(without rules: OmittedRules) -> Int {
      let scenario = RandomProgram(repeatSeed: seed, size: .small).scenario(under: .armv8)
      scenario.omittedRules = rules
      return LivenessSearch(Machine(scenario), SearchOptions()).run().statistics.states
    }
    #expect(count(without: []) == states)
    #expect(count(without: .hiddenLinks) == otherwise)
  }

  /// What an owner may find in a page that it links in some turns before it links the page above.
  private func found(without rules: OmittedRules) -> Set<UInt64> {
    let found = Locked(Set<UInt64>())
    let scenario = Scenario()
    scenario.memoryModel = .armv8
    scenario.mayRepeat = true
    scenario.omittedRules = rules
    let root = scenario.rootTable()
    scenario.cpu("owner", runs: "link") { cpu in
      guard let page = try cpu.allocateTable(), let below = try cpu.allocateTable() else { return }
      try cpu.repeatUntilDone { () throws(Abandoned) -> Bool? in
        if try cpu.choose(2) == 1 {
          try cpu.store(page[0], Descriptor.table(below).bits, .relaxed)
          return nil
        }
        try cpu.store(root[0], Descriptor.table(page).bits, .relaxed)
        let old = try cpu.exchange(below[0], 1, .relaxed)
        found.withLock { _ = $0.insert(old) }
        return true
      }
    }
    scenario.cpu("other", runs: "follow") { cpu in
      guard let page = cpu.table(at: Descriptor(bits: try cpu.load(root[0], .acquire))),
        let below = cpu.table(at: Descriptor(bits: try cpu.load(page[0], .acquire)))
      else { return }
      _ = try cpu.exchange(below[0], 3, .relaxed)
    }
    let result = LivenessSearch(Machine(scenario), SearchOptions(), looksForLivelocks: false).run()
    #expect(result.ending == .complete)
    return found.withLock { $0 }
  }

  /// Without what is pending, an access to a page that others can reach passes for one that they
  /// cannot, since it was one in the first turn.
  @Test func anAccessIsNotPrivateBecauseItWasInAnotherTurn() {
    #expect(found(without: []) == [0, 3])
    #expect(found(without: .hiddenLinks) == [0])
  }
}
