// Exchanging identical CPUs under Armv8: the order of stores, and what each CPU knows of it.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport
import TestSupport
import Testing

struct OrderSymmetryTests {
  @Test func keysAreThoseOfTheExchangedExecution() {
    let (executions, different) = compareKeys(under: .armv8, identicalScenario)
    #expect(executions == 1_674)
    #expect(different == 0)
  }

  @Test func pendingLinksAreExchanged() {
    for steps in 1...4 {
      #expect(compareKeys(under: .armv8, stepsMax: steps, linkingScenario).different == 0)
    }
  }

  /// Parts of an exchange, and how many executions have other keys when one is left out.
  private static let parts: [(part: OmittedRules, different: Int)] = [
    (.exchangedBuffers, 912), (.exchangedEntries, 114), (.exchangedStores, 171),
    (.exchangedViews, 130), (.exchangedKeys, 77),
  ]

  @Test(arguments: parts)
  func everyPartIsExchanged(part: OmittedRules, different: Int) {
    #expect(compareKeys(under: .armv8, without: part, identicalScenario).different == different)
  }

  /// The number of searches, each after one random execution, whose code does what was not
  /// foreseen.
  private func surprises(without rules: OmittedRules) -> Int {
    (0..<60 as Range<UInt64>).count { seed in
      func machine(_ foresight: Foresight) -> Machine {
        let scenario = identicalScenario(seed: seed)
        scenario.memoryModel = .armv8
        scenario.omittedRules = rules
        return Machine(scenario, identities: nil, foresight: foresight)
      }
      let foresight = Foresight()
      foresight.learn(machine(foresight), executions: 1)
      let machine = machine(foresight)
      var options = SearchOptions()
      options.usesSymmetry = true
      options.limits.states = 2_000
      _ = StatefulSearch(machine, options).run()
      return machine.outranForesight
    }
  }

  /// What one CPU does is known of all that are identical.
  @Test func whatIsForeseenOfOneIsForeseenOfAll() {
    #expect(surprises(without: []) < surprises(without: .exchangedPlaces))
  }
}
