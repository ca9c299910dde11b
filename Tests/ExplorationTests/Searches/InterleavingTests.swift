// The exhaustive search on programs whose interleavings fit in a comment.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

/// CPUs A, B, … that each store to one word a number of times.
func storing(_ counts: Int...) -> Scenario {
  let scenario = Scenario()
  let word = scenario.word("word")
  for (number, count) in counts.enumerated() {
    let value = UInt64(number + 1)
    scenario.cpu(
      "\(number)",
      CPUOperation("store") { cpu in
        for _ in 0..<count { try cpu.store(word, value, .relaxed) }
      })
  }
  return scenario
}

struct InterleavingTests {
  /// No CPU, no step: one empty execution.
  @Test func nobody() {
    let statistics = interleavings(of: storing()).statistics
    #expect(statistics.executions == 1)
    #expect(statistics.transitions == 0)
    #expect(statistics.depthMax == 0)
  }

  /// AA.
  @Test func oneCPUHasOneExecution() {
    let statistics = interleavings(of: storing(2)).statistics
    #expect(statistics.executions == 1)
    #expect(statistics.transitions == 2)
    #expect(statistics.depthMax == 2)
  }

  /// AABB, ABAB, ABBA, BAAB, BABA, BBAA: a tree of 2 + 4 + 6 + 6 steps.
  @Test func twoCPUsWithTwoStepsEach() {
    let statistics = interleavings(of: storing(2, 2)).statistics
    #expect(statistics.executions == 6)
    #expect(statistics.transitions == 18)
    #expect(statistics.depthMax == 4)
    #expect(statistics.states == 0)
  }

  /// ABC, ACB, BAC, BCA, CAB, CBA.
  @Test func threeCPUsWithOneStepEach() {
    let statistics = interleavings(of: storing(1, 1, 1)).statistics
    #expect(statistics.executions == 6)
    #expect(statistics.transitions == 15)
  }

  /// Multinomial coefficients: (Σn)! / Πn!.
  @Test(arguments: [
    ([3, 3], 20), ([4, 2], 15), ([2, 2, 2], 90), ([3, 2, 1], 60), ([1, 1, 1, 1], 24),
  ])
  func countsAreMultinomial(counts: [Int], executions: Int) {
    let scenario = Scenario()
    let word = scenario.word("word")
    for (number, count) in counts.enumerated() {
      scenario.cpu(
        "\(number)",
        CPUOperation("load") { cpu in for _ in 0..<count { _ = try cpu.load(word, .relaxed) } })
    }
    #expect(interleavings(of: scenario).statistics.executions == executions)
    #expect(classes(of: scenario).statistics.executions == 1)
  }

  /// A stores, which enables B: only AB.
  @Test func aCPUThatWaitsGoesLater() {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu("A", CPUOperation("store") { cpu in try cpu.store(word, 1, .relaxed) })
    scenario.cpu("B", CPUOperation("wait") { cpu in _ = try cpu.wait(until: word, .equals(1)) })
    #expect(interleavings(of: scenario).statistics.executions == 1)
    #expect(classes(of: scenario).statistics.executions == 1)
  }

  /// Merged, two independent CPUs with two steps each meet in 3 · 3 states, joined by 12 steps.
  @Test func mergingVisitsEachStateOnce() {
    let scenario = Scenario()
    for cpu in 0..<2 {
      let word = scenario.word("word \(cpu)")
      scenario.cpu(
        "\(cpu)",
        CPUOperation("store") { cpu in
          try cpu.store(word, 1, .relaxed)
          try cpu.store(word, 2, .relaxed)
        })
    }
    let statistics = states(of: scenario).statistics
    #expect(statistics.states == 9)
    #expect(statistics.transitions == 12)
    #expect(statistics.executions == 1)
  }

  @Test func mergingKeepsTheFinalStates() {
    for seed in 0..<100 as Range<UInt64> {
      let merged = states(of: randomScenario(seed: seed))
      guard merged.statistics.states < 300 else { continue }
      let all = interleavings(of: randomScenario(seed: seed), collectingFinalStates: true)
      #expect(all.finalStates == merged.finalStates, "seed \(seed)")
    }
  }
}
