// Model code that depends on anything but its observations is caught, and code that may is not.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

/// State outside of the machine, which model code must not depend on.
private final class Counter: @unchecked Sendable {
  private var count: UInt64 = 0
  func next() -> UInt64 {
    count += 1
    return count
  }
}

private func isNondeterminism(_ failure: MachineFailure?) -> Bool {
  if case .notDeterministic = failure { true } else { false }
}

struct DeterminismTests {
  /// Code that counts how often it is run, then makes a choice: the second way makes it run again.
  private func scenario(_ body: @escaping @Sendable (VirtualCPU, Location) throws -> Void)
    -> Scenario
  {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu(
      "cpu",
      CPUOperation("run") { cpu in
        try body(cpu, word)
        _ = try cpu.choose(2)
      })
    return scenario
  }

  @Test func aDifferentValueIsCaughtByTheSearch() {
    let counter = Counter()
    let machine = Machine(
      scenario { cpu, word in try cpu.store(word, counter.next(), .relaxed) })
    #expect(SourceSearch(machine, SearchOptions()).run().ending == .halted)
    #expect(
      machine.failure
        == .notDeterministic(cpu: 0, expected: "store word ← 1", actual: "store word ← 2"))
  }

  @Test func aDifferentActionIsCaughtByTheSearch() {
    let counter = Counter()
    let machine = Machine(
      scenario { cpu, word in
        if counter.next() == 1 {
          try cpu.store(word, 1, .relaxed)
        } else {
          _ = try cpu.load(word, .relaxed)
        }
      })
    let result = ExhaustiveSearch(machine, SearchOptions(), mergesStates: false).run()
    #expect(result.ending == .halted)
    #expect(
      machine.failure
        == .notDeterministic(cpu: 0, expected: "store word ← 1", actual: "load word"))
  }

  @Test func anEarlyEndIsCaughtByTheSearch() {
    let counter = Counter()
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu(
      "cpu",
      CPUOperation("run") { cpu in
        try cpu.store(word, 1, .relaxed)
        if counter.next() == 1 { _ = try cpu.choose(2) }
      })
    let machine = Machine(scenario)
    #expect(SourceSearch(machine, SearchOptions()).run().ending == .halted)
    #expect(isNondeterminism(machine.failure))
  }

  /// One CPU, one execution: the code runs once, so only the audit can tell.
  @Test func theAuditRunsCodeThatTheSearchDoesNot() {
    let counter = Counter()
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu(
      "cpu",
      CPUOperation("run") { cpu in
        try cpu.store(word, counter.next(), .relaxed)
        try cpu.store(word, 0, .relaxed)
      })
    let machine = Machine(scenario)
    #expect(SourceSearch(machine, SearchOptions()).run().ending == .complete)
    #expect(machine.failure == nil)
    machine.audit()
    #expect(isNondeterminism(machine.failure))
  }

  @Test func theAuditAcceptsCodeThatDependsOnItsObservationsOnly() {
    for seed in 0..<200 as Range<UInt64> {
      let machine = Machine(randomScenario(seed: seed))
      _ = ExhaustiveSearch(machine, SearchOptions()).run()
      machine.audit()
      #expect(machine.failure == nil, "seed \(seed)")
    }
  }

  @Test func searchingTwiceFindsTheSame() {
    for seed in 0..<100 as Range<UInt64> {
      let first = classes(of: randomScenario(seed: seed))
      let second = classes(of: randomScenario(seed: seed))
      #expect(first.statistics == second.statistics)
      #expect(first.finalStates == second.finalStates)
    }
  }

  @Test func anOperationThatThrowsEndsTheSearch() {
    struct Broken: Error {}
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu(
      "cpu",
      CPUOperation("run") { cpu in
        try cpu.store(word, 1, .relaxed)
        throw Broken()
      })
    let machine = Machine(scenario)
    #expect(SourceSearch(machine, SearchOptions()).run().ending == .halted)
    #expect(machine.failure == .operationThrew(cpu: 0, error: "Broken()"))
  }
}
