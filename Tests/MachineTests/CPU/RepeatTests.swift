// Forgotten turns: the state afterwards, mistakes of models, and their detection.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport
import TestSupport
import Testing

/// A scenario in which one CPU repeats and another stores.
private func repeating(
  _ body: @escaping @Sendable (VirtualCPU, Location) throws -> Void
) -> Scenario {
  let scenario = Scenario()
  scenario.mayRepeat = true
  let word = scenario.word("word")
  scenario.cpu("repeater", CPUOperation("repeat") { cpu in try body(cpu, word) })
  scenario.cpu("other", CPUOperation("store") { cpu in try cpu.store(word, 1, .relaxed) })
  return scenario
}

/// Why a machine stops when all states of a scenario are explored and audited, or nil.
private func failure(of scenario: Scenario) -> MachineFailure? {
  let machine = Machine(scenario)
  guard machine.failure == nil else { return machine.failure }
  _ = LivenessSearch(machine, SearchOptions(), looksForLivelocks: false).run()
  machine.audit()
  return machine.failure
}

/// The machine's message about a bad loop, or nil.
private func complaint(of scenario: Scenario) -> String? {
  guard case .badLoop(_, let text) = failure(of: scenario) else { return nil }
  return text
}

struct RepeatTests {
  private let waiting = repeating { cpu, word in
    try cpu.repeatUntilDone { () throws(Abandoned) -> UInt64? in
      let value = try cpu.load(word, .acquire)
      _ = try cpu.load(word, .acquire)
      return value == 1 ? value : nil
    }
  }

  @Test(arguments: [false, true])
  func aTurnThatChangesNothingLeadsBack(unrolls: Bool) {
    let machine = Machine(waiting, unrolls: unrolls)
    let start = machine.stateKey
    machine.take(0)
    #expect(machine.stateKey != start)
    machine.take(0)
    #expect(machine.stateKey == start)
    machine.take(0, 0, 0)
    machine.take(1)
    machine.undo()
    machine.undo()
    #expect(machine.stateKey == start)
    machine.take(1, 0)
    #expect(machine.able == [0])
    machine.take(0)
    #expect(machine.able == [])
    #expect(machine.failure == nil)
  }

  /// The last turn is remembered, and so is everything before the loop.
  @Test func onlyTurnsWithoutResultAreForgotten() {
    let scenario = repeating { cpu, word in
      let before = try cpu.load(word, .relaxed)
      let found = try cpu.repeatUntilDone { () throws(Abandoned) -> UInt64? in
        let value = try cpu.load(word, .acquire)
        return value == 0 ? nil : value
      }
      try cpu.store(word, 10 * before + found, .relaxed)
      _ = try cpu.load(word, .relaxed)
    }
    let result = LivenessSearch(Machine(scenario), SearchOptions()).run()
    // The other CPU stores before the first load or after it: 1 and 1 at the end, or 0 and 1.
    #expect(result.ending == .complete)
    #expect(result.statistics.executions == 2)
    #expect(failure(of: scenario) == nil)
  }

  @Test func aScenarioMustSayThatItRepeats() {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu(
      "repeater",
      CPUOperation("repeat") { cpu in
        _ = try cpu.load(word, .relaxed)
        try cpu.repeatUntilDone { () throws(Abandoned) -> UInt64? in
          try cpu.load(word, .relaxed)
        }
      })
    #expect(complaint(of: scenario)?.contains("mayRepeat") == true)
  }

  @Test func aTurnMustTakeAnAction() {
    let scenario = repeating { cpu, _ in
      try cpu.repeatUntilDone { () throws(Abandoned) -> UInt64? in nil }
    }
    #expect(complaint(of: scenario) == "repeats a turn that takes no action")
  }

  @Test func aTurnMustTakeAnActionThatOthersSee() {
    let scenario = repeating { cpu, word in
      try cpu.repeatUntilDone { () throws(Abandoned) -> UInt64? in
        try cpu.fence(.release)
        return nil
      }
    }
    #expect(failure(of: scenario) == .spin(cpu: 0, location: "memory of its own"))
  }

  @Test func aTurnMustLeaveItsSections() {
    let scenario = repeating { cpu, word in
      try cpu.repeatUntilDone { () throws(Abandoned) -> UInt64? in
        try cpu.rcuReadLock()
        return nil
      }
    }
    #expect(complaint(of: scenario)?.contains("read-side section") == true)
  }

  @Test func bootCodeMustNotRepeat() {
    let scenario = repeating { cpu, word in try cpu.store(word, 1, .relaxed) }
    let word = scenario.word("never")
    scenario.boot { cpu in
      try cpu.repeatUntilDone { () throws(Abandoned) -> UInt64? in
        try cpu.load(word, .relaxed) == 0 ? nil : 1
      }
    }
    #expect(failure(of: scenario) != nil)
  }

  /// Code that catches `Abandoned` and repeats is still stopped.
  @Test func codeThatCatchesWhatItShouldNotIsStopped() {
    let scenario = repeating { cpu, word in
      try cpu.repeatUntilDone { () throws(Abandoned) -> UInt64? in
        let value = try? cpu.load(word, .acquire)
        return value == 7 ? value : nil
      }
    }
    let machine = Machine(scenario)
    machine.take(0, 1, 0)
    machine.audit()
    #expect(machine.failure == nil)
  }

  // MARK: Information from turn to turn

  @Test func aCounterOfTurnsIsFoundWhereTheNextTurnBegins() {
    let scenario = repeating { cpu, word in
      var turns: UInt64 = 0
      try cpu.repeatUntilDone { () throws(Abandoned) -> UInt64? in
        turns += 1
        try cpu.store(word, turns, .relaxed)
        return nil
      }
    }
    #expect(complaint(of: scenario)?.contains("must not keep anything") == true)
  }

  @Test func stateKeptFromATurnBeforeIsFound() {
    let scenario = repeating { cpu, word in
      var turns = 0
      try cpu.repeatUntilDone { () throws(Abandoned) -> UInt64? in
        turns += 1
        if turns == 2 { return 1 }
        return try cpu.load(word, .relaxed) == 5 ? 5 : nil
      }
    }
    #expect(complaint(of: scenario)?.contains("must not keep anything") == true)
  }

  /// The second turn begins like the first, so only the audit sees that it continues differently.
  @Test func laterChangesOfATurnAreFoundByTheAudit() {
    let scenario = repeating { cpu, word in
      var turns: UInt64 = 0
      try cpu.repeatUntilDone { () throws(Abandoned) -> UInt64? in
        turns += 1
        let seen = try cpu.load(word, .acquire)
        if seen == 1 { try cpu.store(word, min(turns, 2), .relaxed) }
        return seen == 1 ? 1 : nil
      }
    }
    let machine = Machine(scenario)
    #expect(LivenessSearch(machine, SearchOptions()).run().ending == .complete)
    #expect(machine.failure == nil)
    machine.audit()
    guard case .notDeterministic = machine.failure else {
      Issue.record("\(String(describing: machine.failure))")
      return
    }
  }

  // MARK: Random programs

  /// Whether code runs in every turn or only in new ones makes no difference to states.
  @Test(arguments: 0..<4)
  func reusingNodesChangesNothing(chunk: UInt64) {
    for seed in (chunk * 100)..<(chunk * 100 + 100) {
      var random = SplitMix64(seed: seed)
      let reused = Machine(repeatingScenario(seed: seed))
      let unrolled = Machine(repeatingScenario(seed: seed), unrolls: true)
      for _ in 0..<300 {
        #expect(reused.stateKey == unrolled.stateKey)
        #expect(reused.able == unrolled.able)
        if reused.depth > 0 && random.below(4) == 0 {
          reused.undo()
          unrolled.undo()
          continue
        }
        guard let step = randomStep(of: reused, &random) else { break }
        let outcome = reused.step(step.cpu, choice: step.choice)
        #expect(unrolled.step(step.cpu, choice: step.choice) == outcome)
        guard outcome == .clean else { break }
      }
      reused.audit()
      unrolled.audit()
      #expect(reused.failure == unrolled.failure)
    }
  }

  /// However often a loop is repeated, only the undo log grows.
  @Test(.enabled(if: allocationsAreCounted))
  func goingRoundAllocatesNothing() {
    let machine = Machine(waiting)
    func go() {
      for _ in 0..<10_000 { machine.take(0, 0) }
      while machine.depth > 0 { machine.undo() }
    }
    go()
    #expect(allocations { for _ in 0..<20_000 { _ = machine.step(0, choice: 0) } } == 0)
  }
}
