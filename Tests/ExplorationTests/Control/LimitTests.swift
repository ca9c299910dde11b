// Every bound stops a search exactly, and the result names the bound.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

struct LimitTests {
  /// Two CPUs with six dependent steps each: 12!/(6!·6!) = 924 executions.
  private let scenario = storing(6, 6)

  @Test func unboundedSearchesAreComplete() {
    #expect(interleavings(of: scenario).ending == .complete)
    #expect(interleavings(of: scenario).statistics.executions == 924)
    #expect(classes(of: scenario).ending == .complete)
    #expect(classes(of: scenario).statistics.executions == 924)
  }

  @Test(arguments: [1, 2, 100, 923])
  func executions(limit: Int) {
    for result in [
      interleavings(of: scenario, limits: Limits(executions: limit)),
      classes(of: scenario, limits: Limits(executions: limit)),
    ] {
      #expect(result.ending == .bounded(.executions))
      #expect(result.statistics.executions == limit)
      #expect(result.schedule == nil)
    }
  }

  /// Cut after four of twelve steps: 2⁴ prefixes.
  @Test func depth() {
    let all = interleavings(of: scenario, limits: Limits(depth: 4))
    #expect(all.ending == .bounded(.depth))
    #expect(all.statistics.executions == 0)
    #expect(all.statistics.truncated == 16)
    #expect(all.statistics.depthMax == 4)
    let reduced = classes(of: scenario, limits: Limits(depth: 4))
    #expect(reduced.ending == .bounded(.depth))
    // Races are seen when their later step comes up; within four steps of one CPU none does.
    #expect(reduced.statistics.truncated == 1)
  }

  @Test func aDepthThatIsJustEnoughIsNoBound() {
    #expect(interleavings(of: scenario, limits: Limits(depth: 12)).ending == .complete)
    #expect(classes(of: scenario, limits: Limits(depth: 12)).ending == .complete)
    #expect(classes(of: scenario, limits: Limits(depth: 11)).ending == .bounded(.depth))
  }

  @Test func statesAreCountedWhereTheyAreMerged() {
    let result = states(of: scenario, limits: Limits(states: 20))
    #expect(result.ending == .bounded(.states))
    #expect(result.statistics.states == 20)
  }

  @Test func seconds() {
    let limits = Limits(seconds: 0)
    #expect(interleavings(of: scenario, limits: limits).ending == .bounded(.seconds))
    #expect(classes(of: scenario, limits: limits).ending == .bounded(.seconds))
    #expect(classes(of: scenario, limits: Limits(seconds: 1e9)).ending == .complete)
  }

  @Test(arguments: [false, true])
  func observersMayInterrupt(reduces: Bool) {
    var options = SearchOptions()
    var seen: [Int] = []
    options.watch = { progress in
      if seen.last != progress.statistics.transitions {
        seen.append(progress.statistics.transitions)
      }
      return progress.statistics.transitions < 8_192
    }
    let machine = Machine(storing(8, 8))
    let result =
      reduces
      ? SourceSearch(machine, options).run()
      : ExhaustiveSearch(machine, options, mergesStates: false).run()
    #expect(result.ending == .bounded(.interrupted))
    #expect(result.statistics.transitions == 8_192)
    #expect(seen == [0, 4_096, 8_192])
  }

  @Test func searchesLeaveTheMachineAtItsStart() {
    let machine = Machine(scenario)
    let start = machine.stateKey
    _ = SourceSearch(machine, SearchOptions()).run()
    #expect(machine.depth == 0)
    #expect(machine.stateKey == start)
    _ = ExhaustiveSearch(machine, SearchOptions(limits: Limits(executions: 5))).run()
    #expect(machine.depth == 0)
    #expect(machine.stateKey == start)
  }
}

struct PreemptionTests {
  /// AABB, BBAA; with one preemption also ABBA, BAAB; with two also ABAB, BABA.
  @Test(arguments: [(0, 2), (1, 4), (2, 6), (3, 6)])
  func twoCPUsWithTwoStepsEach(preemptions: Int, executions: Int) {
    let limits = Limits(preemptions: preemptions)
    let result = interleavings(of: storing(2, 2), limits: limits)
    #expect(result.statistics.executions == executions)
    #expect(result.ending == (preemptions < 2 ? .bounded(.preemptions) : .complete))
  }

  /// There are 3! = 6 orders of the CPUs: a switch at the end of one is no preemption.
  @Test func withoutPreemptionsCPUsRunToTheirEnd() {
    let result = interleavings(of: storing(3, 3, 3), limits: Limits(preemptions: 0))
    #expect(result.statistics.executions == 6)
  }

  /// A CPU that has to wait is not preempted: A waits, B stores, then A or B continues.
  @Test func leavingACPUThatWaitsIsNoPreemption() {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu(
      "A",
      CPUOperation("wait") { cpu in
        _ = try cpu.load(word, .relaxed)
        _ = try cpu.wait(until: word, .equals(1))
      })
    scenario.cpu("B", CPUOperation("store") { cpu in try cpu.store(word, 1, .relaxed) })
    let none = interleavings(of: scenario, limits: Limits(preemptions: 0))
    // A B A and B A A are all executions.
    #expect(none.statistics.executions == 2)
    #expect(none.ending == .complete)
  }

  /// Merging equal states must not lose executions that have more of the budget left.
  @Test(arguments: 0...3)
  func mergingIsExactUnderABound(preemptions: Int) {
    let limits = Limits(preemptions: preemptions)
    for seed in 0..<150 as Range<UInt64> {
      guard states(of: randomScenario(seed: seed)).statistics.states < 200 else { continue }
      let all = interleavings(
        of: randomScenario(seed: seed), limits: limits, collectingFinalStates: true)
      let merged = states(of: randomScenario(seed: seed), limits: limits)
      #expect(merged.finalStates == all.finalStates, "seed \(seed)")
      // With merging a search may find that nothing was left out: what one visit cut, another
      // explored.
      guard merged.ending == .complete else { continue }
      let unbounded = states(of: randomScenario(seed: seed))
      #expect(merged.finalStates == unbounded.finalStates, "seed \(seed)")
    }
  }
}
