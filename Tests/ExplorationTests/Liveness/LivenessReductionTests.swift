// The reduced search for livelocks: what it saves, and what it misses without one of its parts.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkSupport
import TestSupport
import Testing

/// A full and a reduced search of the same scenario.
private func both(
  _ makeScenario: () -> Scenario, without omitted: PersistentSets.Omission = []
) -> (full: SearchResult, reduced: SearchResult) {
  var options = SearchOptions()
  options.collectsFinalStates = true
  let full = LivenessSearch(Machine(makeScenario()), options).run()
  return (full, LivenessSearch(Machine(makeScenario()), options, without: omitted).run())
}

/// CPUs that each take, and release, a lock of their own until it is done: twice.
private func ownLocks(_ count: Int) -> Scenario {
  let scenario = Scenario()
  scenario.mayRepeat = true
  for number in 0..<count {
    let word = scenario.word("lock \(number)")
    scenario.cpu(
      "cpu \(number)",
      CPUOperation("take") { cpu in
        try cpu.repeatUntilDone { () throws(Abandoned) -> Bool? in
          try cpu.compareExchange(word, expected: 0, desired: 1, .acquire).exchanged ? true : nil
        }
        try cpu.store(word, 0, .release)
      })
  }
  return scenario
}

/// One CPU waits in a loop for a word that another writes at last.
private func waiting() -> Scenario {
  let scenario = Scenario()
  scenario.mayRepeat = true
  let (flag, other) = (scenario.word("flag"), scenario.word("other"))
  scenario.cpu(
    "waiter",
    CPUOperation("wait") { cpu in
      _ = try cpu.repeatUntilDone { () throws(Abandoned) -> UInt64? in
        let value = try cpu.load(flag, .acquire)
        return value == 0 ? nil : value
      }
    })
  scenario.cpu(
    "setter",
    CPUOperation("set") { cpu in
      try cpu.store(other, 1, .relaxed)
      try cpu.store(flag, 1, .release)
    })
  return scenario
}

@Suite struct LivenessReductionTests {
  @Test func independentLoopsAreNotInterleaved() {
    let (full, reduced) = both { ownLocks(3) }
    #expect(full.ending == .complete && reduced.ending == .complete)
    #expect(full.finalStates == reduced.finalStates)
    #expect(full.statistics.states == 27)
    #expect(reduced.statistics.states == 7)
  }

  /// Without the rule for cycles only the waiter would ever run.
  @Test func nobodyIsPassedOverForEver() {
    let (full, reduced) = both(waiting)
    #expect(full.ending == .complete && reduced.ending == .complete)
    #expect(reduced.statistics.executions == full.statistics.executions)
  }

  /// The first random program whose verdict or final states are wrong without a part.
  private func firstLoss(without omitted: PersistentSets.Omission) -> UInt64? {
    (0..<2_000 as Range<UInt64>).first { seed in
      let (full, reduced) = both({ repeatingScenario(seed: seed) }, without: omitted)
      let isMissed = (full.schedule?.loop == nil) != (reduced.schedule?.loop == nil)
      return full.ending != reduced.ending || isMissed
        || full.ending == .complete && full.finalStates != reduced.finalStates
    }
  }

  @Test func nothingIsLost() { #expect(firstLoss(without: []) == nil) }

  /// CPU 1 may take the lock first, which nothing that runs after CPU 0 has taken it shows.
  @Test func stepsThatStayDisabledCount() {
    func stuck() -> Scenario {
      let scenario = Scenario()
      scenario.mayRepeat = true
      let (lock, word) = (scenario.spinLock("lock"), scenario.word("word"))
      scenario.cpu("keeper", CPUOperation("keep") { try $0.lock(lock) })
      scenario.cpu(
        "other",
        CPUOperation("take") { cpu in
          try cpu.store(word, 1, .relaxed)
          try cpu.lock(lock)
        })
      return scenario
    }
    #expect(both(stuck).reduced.finalStates == both(stuck).full.finalStates)
    #expect(both(stuck).full.finalStates.count == 2)
    #expect(both(stuck, without: .disabledSteps).reduced.finalStates.count == 1)
  }

  @Test(arguments: [(PersistentSets.Omission.races, 75 as UInt64), (.cycles, 0)])
  func lossesAreFound(omitted: PersistentSets.Omission, seed: UInt64) {
    #expect(firstLoss(without: omitted) == seed)
  }
}
