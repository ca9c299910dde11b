// Orders of stores that nobody can tell apart are one under Armv8, and no others.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkSupport
import TestExpectations
import Testing

@Suite(.tags(.fuzz, .long), .unlessQuick) struct StoreSorterTests {
  /// A lock whose view has one of two stores.
  ///
  /// It has the store to `a`, which the last CPU may still miss, and not that to `b`. So the two
  /// are not independent, although nobody reads both: the CPU that takes the lock next may miss
  /// `b`, although it has read `c`.
  private func lockBetweenStores(without rules: OmittedRules) -> Scenario {
    let scenario = Scenario()
    scenario.memoryModel = .armv8
    scenario.omittedRules = rules
    let (m, b, c) = (scenario.word("m"), scenario.word("b"), scenario.word("c"))
    let (f, a) = (scenario.word("f"), scenario.word("a"))
    let lock = scenario.spinLock("lock")
    scenario.cpu("holder", runs: "hold") { cpu in
      try cpu.lock(lock)
      try cpu.store(m, 1, .relaxed)
      try cpu.store(a, 1, .relaxed)
      try cpu.unlock(lock)
    }
    scenario.cpu("writer", runs: "write") { cpu in
      try cpu.store(b, 1, .relaxed)
      try cpu.store(c, 1, .release)
    }
    scenario.cpu("next", runs: "read") { cpu -> any OperationResult in
      let isAfterB = try cpu.load(c, .relaxed) == 1
      try cpu.lock(lock)
      let isAfterHolder = try cpu.load(m, .relaxed) == 1
      let missesB = try cpu.load(b, .relaxed) == 0
      try cpu.unlock(lock)
      try cpu.store(f, 1, .relaxed)
      return isAfterB && isAfterHolder && missesB
    }
    scenario.cpu("last", runs: "look") { cpu -> any OperationResult in
      guard try cpu.load(f, .relaxed) == 1 else { return false }
      _ = try cpu.load(a, .relaxed)
      return true
    }
    return scenario
  }

  /// A word whose first value was stored between two stores.
  ///
  /// Both readers have found that value of `w`, which was stored after `a`. Reading it once more as
  /// an acquire, one comes to know `a`, which it does not read, and not `b`.
  private func firstValueBetweenStores(without rules: OmittedRules) -> Scenario {
    let scenario = Scenario()
    scenario.memoryModel = .armv8
    scenario.omittedRules = rules
    let (b, c, e) = (scenario.word("b"), scenario.word("c"), scenario.word("e"))
    let (f, w, a) = (scenario.word("f"), scenario.word("w"), scenario.word("a"))
    scenario.cpu("first", runs: "write") { cpu in
      try cpu.store(a, 1, .relaxed)
      try cpu.store(w, 1, .release)
    }
    scenario.cpu("second", runs: "write") { cpu in
      try cpu.store(b, 1, .relaxed)
      try cpu.store(c, 1, .release)
    }
    scenario.cpu("reader of b", runs: "read") { cpu -> any OperationResult in
      guard try cpu.load(e, .relaxed) == 1, try cpu.load(w, .relaxed) == 1,
        try cpu.load(c, .relaxed) == 1, try cpu.load(w, .acquire) == 1
      else { return false }
      let missesB = try cpu.load(b, .relaxed) == 0
      try cpu.store(f, 1, .relaxed)
      return missesB
    }
    scenario.cpu("reader of a", runs: "read") { cpu -> any OperationResult in
      guard try cpu.load(w, .relaxed) == 1 else { return false }
      try cpu.store(e, 1, .relaxed)
      guard try cpu.load(f, .relaxed) == 1 else { return false }
      _ = try cpu.load(w, .acquire)
      _ = try cpu.load(a, .relaxed)
      return true
    }
    return scenario
  }

  private func mismatch(_ makeScenario: () -> Scenario) -> String? {
    Fuzzer.foresightMismatch(executions: 8, makeScenario)
  }

  @Test func aViewThatGoesToOthersKeepsStoresApart() {
    #expect(mismatch { lockBetweenStores(without: []) } == nil)
    #expect(mismatch { lockBetweenStores(without: .sharedViews) } != nil)
  }

  @Test func theFirstValueOfAWordKeepsStoresApart() {
    #expect(mismatch { firstValueBetweenStores(without: []) } == nil)
    #expect(mismatch { firstValueBetweenStores(without: .firstValues) } != nil)
  }

  /// Three or four CPUs with two or three accesses each to four words, some under a lock.
  private func randomScenario(seed: UInt64, without rules: OmittedRules = []) -> Scenario {
    var random = SplitMix64(seed: seed)
    let scenario = Scenario()
    scenario.memoryModel = .armv8
    scenario.omittedRules = rules
    let words = (0..<4).map { scenario.word("word \($0)") }
    let lock = scenario.spinLock("lock")
    for number in 0..<3 + random.below(2) {
      let isReader = number > 1
      let holdsLock = random.below(3) == 0
      let accesses = (0..<2 + random.below(2)).map { _ in
        (word: words[random.below(4)], kind: random.below(6), isOrdered: random.below(3) == 0)
      }
      scenario.cpu("cpu \(number)", runs: "access") { cpu -> any OperationResult in
        var found: UInt64 = 1
        if holdsLock { try cpu.lock(lock) }
        for access in accesses {
          switch access.kind {
          case 0: found = found * 8 + (try cpu.exchange(access.word, UInt64(number) + 1, .release))
          case 1 where access.isOrdered: try cpu.fence(.sequentiallyConsistent)
          case _ where isReader:
            found = found * 8 + (try cpu.load(access.word, access.isOrdered ? .acquire : .relaxed))
          default:
            try cpu.store(
              access.word, UInt64(number) + 1, access.isOrdered ? .release : .relaxed)
          }
        }
        if holdsLock { try cpu.unlock(lock) }
        return found
      }
    }
    return scenario
  }

  @Test func nothingIsLost() {
    var sorted = 0
    for seed in UInt64(0)..<200 {
      #expect(mismatch { randomScenario(seed: seed) } == nil, "seed \(seed)")
      if states(seed, without: []) < states(seed, without: .independence) { sorted += 1 }
    }
    #expect(sorted == 173)
  }

  private func states(_ seed: UInt64, without rules: OmittedRules) -> Int {
    let foresight = Foresight()
    func machine() -> Machine {
      Machine(randomScenario(seed: seed, without: rules), identities: nil, foresight: foresight)
    }
    foresight.learn(machine())
    return Strategy.exhaustive.search(machine(), SearchOptions()).statistics.states
  }
}
