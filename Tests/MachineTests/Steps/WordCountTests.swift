// Which actions on words are scheduling points, and which of them depend on each other.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

private typealias Body = @Sendable (VirtualCPU, Location) throws -> Void

/// Two CPUs that each do the same to one word, or each to its own.
private func twice(sharing: Bool, initial: UInt64 = 0, _ body: @escaping Body) -> Scenario {
  let scenario = Scenario()
  let words = [
    scenario.word("first", initial: initial), scenario.word("second", initial: initial),
  ]
  for cpu in 0..<2 {
    let word = words[sharing ? 0 : cpu]
    scenario.cpu("cpu \(cpu)", CPUOperation("act") { cpu in try body(cpu, word) })
  }
  return scenario
}

private let writes: [Body] = [
  { cpu, word in try cpu.store(word, 1, .relaxed) },
  { cpu, word in _ = try cpu.compareExchange(word, expected: 1, desired: 1, .relaxed) },
  { cpu, word in _ = try cpu.exchange(word, 1, .relaxed) },
  { cpu, word in _ = try cpu.fetchAdd(word, 1, .relaxed) },
  { cpu, word in _ = try cpu.incrementUnlessZero(word, .relaxed) },
]

private let reads: [Body] = [
  { cpu, word in _ = try cpu.load(word, .relaxed) },
  { cpu, word in _ = try cpu.rcuDereference(word) },
  { cpu, word in _ = try cpu.wait(until: word, .equals(1)) },
  // A compare-exchange that fails is a load.
  { cpu, word in _ = try cpu.compareExchange(word, expected: 5, desired: 6, .relaxed) },
]

struct WordCountTests {
  @Test(arguments: writes.indices)
  func writesOfOneWordAreDependent(number: Int) {
    let scenario = twice(sharing: true, initial: 1, writes[number])
    #expect(classes(of: scenario).statistics.executions == 2)
  }

  @Test(arguments: writes.indices)
  func writesOfTwoWordsAreNot(number: Int) {
    let scenario = twice(sharing: false, initial: 1, writes[number])
    #expect(classes(of: scenario).statistics.executions == 1)
    #expect(interleavings(of: scenario).statistics.executions == 2)
  }

  @Test(arguments: reads.indices)
  func readsOfOneWordAreNot(number: Int) {
    let scenario = twice(sharing: true, initial: 1, reads[number])
    #expect(classes(of: scenario).statistics.executions == 1)
    #expect(interleavings(of: scenario).statistics.executions == 2)
  }

  @Test func incrementingZeroIsARead() {
    let scenario = twice(sharing: true) { cpu, word in
      _ = try cpu.incrementUnlessZero(word, .relaxed)
    }
    #expect(classes(of: scenario).statistics.executions == 1)
  }

  /// Without the fences 6 interleavings of two steps each; with them as steps it would be 70.
  @Test func fencesAreNoSchedulingPoints() {
    let scenario = twice(sharing: true) { cpu, word in
      try cpu.fence(.release)
      try cpu.store(word, 1, .relaxed)
      try cpu.fence(.sequentiallyConsistent)
      _ = try cpu.load(word, .relaxed)
    }
    #expect(interleavings(of: scenario).statistics.executions == 6)
    #expect(interleavings(of: scenario).statistics.depthMax == 4)
  }

  /// 3 ways for the first choice; the second is made only after 1 and 2, of 1 and of 2 ways.
  @Test func everyChoiceIsExplored() {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu(
      "chooser",
      CPUOperation("choose") { cpu in
        let first = try cpu.choose(3)
        let second = first == 0 ? 0 : try cpu.choose(first)
        try cpu.store(word, UInt64(first * 10 + second), .relaxed)
      })
    let all = interleavings(of: scenario, collectingFinalStates: true)
    #expect(all.statistics.executions == 4)
    #expect(all.finalStates.count == 4)
    #expect(classes(of: scenario).finalStates == all.finalStates)
  }

  /// A choice is local, so the two orders of two choices are one class: 2 · 3 ways.
  @Test func choicesOfTwoCPUsAreIndependent() {
    let scenario = Scenario()
    for ways in 2...3 {
      scenario.cpu("chooser \(ways)", CPUOperation("choose") { cpu in try cpu.choose(ways) })
    }
    #expect(classes(of: scenario).statistics.executions == 6)
    #expect(interleavings(of: scenario).statistics.executions == 12)
  }
}
