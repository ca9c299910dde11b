// Exchanging identical CPUs under x86-TSO: their buffers, and those that make stores visible.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport
import TestSupport
import Testing

struct BufferSymmetryTests {
  private func scenario(_ seed: UInt64, without rules: OmittedRules) -> Scenario {
    let scenario = identicalScenario(seed: seed)
    scenario.memoryModel = .totalStoreOrder
    scenario.omittedRules = rules
    return scenario
  }

  /// Each CPU links a page of its own, so that what is pending names the page by its address.
  private func linking(_ seed: UInt64, without rules: OmittedRules) -> Scenario {
    let scenario = Scenario()
    scenario.memoryModel = .totalStoreOrder
    scenario.omittedRules = rules
    let root = scenario.rootTable()
    scenario.cpus(
      ["one", "two"],
      CPUOperation("link") { cpu in
        guard let page = try cpu.allocateTable() else { return }
        try cpu.store(root.entry(0), .table(page), .release)
      })
    return scenario
  }

  /// Random executions of random programs: how many keys were compared with those of the exchanged
  /// executions, and how many differed.
  private func compare(
    without rules: OmittedRules = [], stepsMax: Int = 30,
    _ make: (UInt64, OmittedRules) -> Scenario
  ) -> (keys: Int, different: Int) {
    let keys = GrowableBuffer<UInt64>()
    defer { keys.deallocate() }
    var (compared, different) = (0, 0)
    for seed in 0..<300 as Range<UInt64> {
      let machine = Machine(make(seed, rules))
      #expect(machine.permutedKeys(keys))
      var random = SplitMix64(seed: seed)
      var steps: [Schedule.Step] = []
      while steps.count < stepsMax, let step = randomStep(of: machine, &random) {
        _ = machine.step(step.cpu, choice: step.choice)
        steps.append(step)
        #expect(machine.permutedKeys(keys))
      }
      for permutation in 0..<machine.permutationCount {
        compared += 1
        let expected = key(of: make(seed, rules), after: steps, under: permutation)
        if keys[permutation] != expected { different += 1 }
      }
      #expect(machine.failure == nil)
    }
    return (compared, different)
  }

  @Test func keysAreThoseOfTheExchangedExecution() {
    let (keys, different) = compare(scenario)
    #expect(keys == 1_674)
    #expect(different == 0)
  }

  /// Without buffers in the exchange, keys differ.
  @Test func buffersAreExchanged() {
    #expect(compare(without: .exchangedBuffers, scenario).different == 87)
  }

  /// So they do without what entries name, as long as a link is pending.
  @Test(arguments: 1...3) func entriesAreExchanged(steps: Int) {
    #expect(compare(stepsMax: steps, linking).different == 0)
    #expect(compare(without: .exchangedEntries, stepsMax: steps, linking).different > 0)
  }
}
