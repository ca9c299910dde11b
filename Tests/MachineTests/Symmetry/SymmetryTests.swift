// Exchanging identical CPUs: the keys equal those of the exchanged execution, and cheats are
// detected.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport
import TestSupport
import Testing

struct SymmetryTests {
  private func keys(of machine: Machine) -> [UInt64] {
    let buffer = GrowableBuffer<UInt64>()
    defer { buffer.deallocate() }
    #expect(machine.permutedKeys(buffer))
    return (0..<buffer.count).map { buffer[$0] }
  }

  /// Random walks with occasional undos, over programs with every kind of action.
  @Test func keysAreThoseOfTheExchangedExecution() {
    var compared = 0
    for seed in 0..<300 as Range<UInt64> {
      let machine = Machine(identicalScenario(seed: seed))
      var random = SplitMix64(seed: seed)
      var steps: [Schedule.Step] = []
      var known = [keys(of: machine)]
      for _ in 0..<30 {
        if random.below(4) == 0, !steps.isEmpty {
          machine.undo()
          steps.removeLast()
          known.removeLast()
        } else if let step = randomStep(of: machine, &random) {
          _ = machine.step(step.cpu, choice: step.choice)
          steps.append(step)
          known.append(keys(of: machine))
        }
        #expect(keys(of: machine) == known.last)
      }
      for permutation in 0..<machine.permutationCount {
        let expected = key(of: identicalScenario(seed: seed), after: steps, under: permutation)
        #expect(known.last?[permutation] == expected, "seed \(seed)")
        compared += 1
      }
      #expect(machine.failure == nil)
    }
    #expect(compared == 1_674)
  }

  /// Keys are the same if intermediate ones were not requested.
  @Test func keysNeedNotBeAskedForAtEachStep() {
    for seed in 0..<100 as Range<UInt64> {
      let scenario = { identicalScenario(seed: seed) }
      let (lazy, eager) = (Machine(scenario()), Machine(scenario()))
      _ = keys(of: lazy)
      _ = keys(of: eager)
      var random = SplitMix64(seed: seed)
      while let step = randomStep(of: eager, &random) {
        _ = eager.step(step.cpu, choice: step.choice)
        _ = lazy.step(step.cpu, choice: step.choice)
        _ = keys(of: eager)
      }
      #expect(keys(of: lazy) == keys(of: eager), "seed \(seed)")
    }
  }

  private func scenario(classes: [Int]) -> Scenario {
    let scenario = Scenario()
    let word = scenario.word("word")
    for (number, count) in classes.enumerated() {
      scenario.cpus(
        (0..<count).map { "cpu \(number).\($0)" }, usesCallbacks: number == 0,
        CPUOperation("add") { cpu in _ = try cpu.fetchAdd(word, 1, .relaxed) })
    }
    return scenario
  }

  @Test(arguments: [
    ([1, 1], 1, false), ([2], 2, false), ([3, 1], 6, false), ([4], 24, false), ([5], 120, false),
    ([6], 120, true), ([3, 3], 36, false), ([2, 4], 48, false), ([5, 2], 120, true),
    ([4, 4], 48, true),
  ])
  func permutationsAreAGroupOfLimitedSize(classes: [Int], count: Int, isLimited: Bool) {
    let scenario = scenario(classes: classes)
    #expect((scenario.symmetryLimit != nil) == isLimited)
    let machine = Machine(scenario)
    #expect(machine.permutationCount == count)
    var orders: Set<[Int]> = []
    for permutation in 0..<count {
      let inverse = machine.inverse(of: permutation)
      let order = (0..<machine.cpuCount).map { machine.image(ofCPU: $0, under: permutation) }
      #expect(order.map { machine.image(ofCPU: $0, under: inverse) } == Array(order.indices))
      orders.insert(order)
    }
    #expect(orders.count == count)
  }

  // MARK: CPUs that are not identical

  /// Two CPUs, with a page each that the other can find, run the same code.
  private func failure(
    initial: UInt64 = 0,
    _ body: @escaping @Sendable (VirtualCPU, _ word: Location, TablePage) throws -> Void
  ) -> MachineFailure? {
    let scenario = Scenario()
    let word = scenario.word("word", initial: initial)
    scenario.cpus(
      ["one", "two"], usesCallbacks: true,
      CPUOperation("run") { cpu in
        guard let page = try cpu.allocateTable() else { throw NoPage() }
        try cpu.publish(page)
        try body(cpu, word, page)
      })
    let machine = Machine(scenario)
    var options = SearchOptions()
    options.usesSymmetry = true
    let result = StatefulSearch(machine, options).run()
    #expect(result.ending == (machine.failure == nil ? .complete : .halted))
    if result.ending == .complete {
      machine.audit()
      #expect(result.statistics.statesCovered > result.statistics.states)
    }
    return machine.failure
  }

  private func text(_ failure: MachineFailure?) -> String {
    if case .notIdentical(let text) = failure { text } else { "\(String(describing: failure))" }
  }

  @Test func codeThatTreatsCPUsAlikeIsAccepted() {
    let accepted = failure { cpu, word, page in
      let found = try cpu.exchange(word, Descriptor.table(page).bits, .acquireRelease)
      if let other = cpu.table(at: Descriptor(bits: found)) {
        _ = try cpu.fetchAdd(other[0], 1, .relaxed)
        try cpu.callRCU { cpu in _ = try cpu.fetchAdd(other[1], 1, .relaxed) }
      }
    }
    #expect(accepted == nil)
  }

  @Test func lookingAtTheNumberOfACPUIsFoundOut() {
    let found = failure { cpu, word, _ in
      if cpu.index == 0 { _ = try cpu.load(word, .relaxed) }
    }
    #expect(
      text(found) == "one does 'load word' where two, with the CPUs exchanged in all it has "
        + "observed, does 'end' and not 'load word'")
  }

  @Test func storingTheNumberOfAPageIsFoundOut() {
    let found = failure { cpu, word, page in try cpu.store(word, UInt64(page.id), .relaxed) }
    #expect(text(found).hasPrefix("one does 'store word ← 16' where two,"))
  }

  @Test func comparingAddressesIsFoundOut() {
    let found = failure { cpu, word, page in
      let own = Descriptor.table(page).bits
      let other = try cpu.exchange(word, own, .relaxed)
      if other > own { try cpu.store(page[0], 1, .relaxed) }
    }
    #expect(
      text(found) == "two does 'end' where one, with the CPUs exchanged in all it has observed, "
        + "does 'store one.0[0] ← 0x1' and not 'end'")
  }

  @Test func callbacksThatTellCPUsApartAreFoundOut() {
    let found = failure { cpu, word, page in
      let index = cpu.index
      try cpu.callRCU { cpu in try cpu.store(word, UInt64(index), .relaxed) }
    }
    #expect(text(found).hasPrefix("one/rcu does 'store word ← 0' where two/rcu,"))
  }

  /// A specification may use results in any way, so they must be identical.
  @Test func watchedResultsThatNameCPUsAreFoundOut() {
    struct Watch: QuiescenceInvariant, MachineRequirements {
      let id = "watch"
      let requirements: Machine.Requirements = .history
      func judgeEnd(of machine: Machine) -> Violation? { nil }
    }
    let scenario = Scenario()
    let call = SpecificationCall(operation: 0, argument: 0)
    scenario.cpus(["one", "two"], CPUOperation("run", call: call) { cpu in cpu.index })
    scenario.require(Watch())
    let machine = Machine(scenario)
    var options = SearchOptions()
    options.usesSymmetry = true
    #expect(StatefulSearch(machine, options).run().ending == .halted)
    #expect(text(machine.failure) == "one returns what depends on which CPU it is")
  }

  @Test func arithmeticOnAddressesIsFoundOut() {
    let found = failure { cpu, word, page in
      try cpu.store(word, Descriptor.table(page).bits, .relaxed)
      _ = try cpu.fetchAdd(word, 8, .relaxed)
    }
    #expect(text(found) == "one does arithmetic on the address of a page, in word")
  }

  @Test func waitingForPartOfAnAddressIsFoundOut() {
    let found = failure { cpu, word, page in
      try cpu.store(word, Descriptor.table(page).bits, .relaxed)
      try cpu.wait(until: word, .bits(0x1000, equal: 0x1000))
    }
    #expect(text(found) == "one waits for some bits of what may be the address of a page")
  }

  @Test func waitingForFlagsOfAnAddressIsAccepted() {
    let accepted = failure { cpu, word, page in
      try cpu.store(word, Descriptor.table(page).bits, .relaxed)
      try cpu.wait(until: word, .bits(3, equal: 3))
      try cpu.wait(until: word, .differs(from: 0))
    }
    #expect(accepted == nil)
  }

  /// Page 16 is the first of CPU 0, and so is what looks like its address.
  @Test func numbersThatLookLikeAddressesAreFoundOut() {
    let looksLikeAPage: UInt64 = 17 << 12 | 3
    let stored = failure { cpu, word, _ in try cpu.store(word, looksLikeAPage, .relaxed) }
    #expect(text(stored).hasPrefix("one does 'store word ←"))
    let initial = failure(initial: looksLikeAPage) { cpu, word, _ in
      _ = try cpu.load(word, .relaxed)
    }
    #expect(text(initial) == "what they start from changes when they are exchanged")
    let added = failure(initial: looksLikeAPage - 1) { cpu, word, _ in
      _ = try cpu.fetchAdd(word, 1, .relaxed)
    }
    #expect(text(added) == "one does arithmetic on the address of a page, in word")
  }

  @Test func theUnreducedSearchDoesNotCare() {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpus(
      ["one", "two"],
      CPUOperation("run") { cpu in try cpu.store(word, UInt64(cpu.index), .relaxed) })
    let machine = Machine(scenario)
    #expect(StatefulSearch(machine, SearchOptions()).run().ending == .complete)
    machine.audit()
    #expect(machine.failure == nil)
  }
}
