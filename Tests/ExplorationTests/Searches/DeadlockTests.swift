// A deadlock is found, and its schedule minimised.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

/// Two CPUs that take two locks, in opposite orders or in the same; each counts first.
private func scenario(opposite: Bool = true) -> Scenario {
  let scenario = Scenario()
  let word = scenario.word("word")
  let locks = [scenario.spinLock("left"), scenario.spinLock("right")]
  for cpu in 0..<2 {
    let order = cpu == 1 && opposite ? [locks[1], locks[0]] : locks
    scenario.cpu(
      "cpu \(cpu)",
      CPUOperation("hold both") { cpu in
        for _ in 0..<2 { _ = try cpu.fetchAdd(word, 1, .relaxed) }
        for lock in order { try cpu.lock(lock) }
        for lock in order { try cpu.unlock(lock) }
      })
  }
  scenario.require(NobodyStuck())
  return scenario
}

/// The number of preemptions in a schedule.
private func preemptions(in schedule: Schedule, of scenario: Scenario) -> Int {
  let machine = Machine(scenario)
  var count = 0
  var latest: Int?
  for step in schedule.steps {
    if let latest, latest != step.cpu, machine.able.contains(latest) { count += 1 }
    _ = machine.step(step.cpu, choice: step.choice)
    latest = step.cpu
  }
  return count
}

struct DeadlockTests {
  @Test func bothSearchesFindIt() throws {
    for result in [classes(of: scenario()), interleavings(of: scenario()), states(of: scenario())] {
      #expect(result.ending == .violation)
      let machine = Machine(scenario())
      for step in try #require(result.schedule).steps {
        #expect(machine.step(step.cpu, choice: step.choice) == .clean)
      }
      #expect(machine.able == [])
      #expect(machine.judgeEnd() == .violation)
      #expect(machine.violation?.report.message == "stuck: [0, 1]")
    }
  }

  @Test func thereIsNoneIfTheOrderIsTheSame() {
    #expect(classes(of: scenario(opposite: false)).ending == .complete)
    #expect(states(of: scenario(opposite: false)).ending == .complete)
  }

  /// The first CPU counts twice and takes its first lock; it is preempted; so does the other.
  @Test func itIsMinimisedToOnePreemption() throws {
    var minimiser = Minimiser { Machine(scenario()) }
    let simplest = minimiser.minimise()
    let result = try #require(simplest)
    #expect(result.isProven)
    #expect(result.schedule.text == "0*3,1*3")
    #expect(preemptions(in: result.schedule, of: scenario()) == 1)
  }

  /// A spin comes first in order, so the search cannot tell whether there is a violation.
  @Test func minimisingGivesUpWhereASystemHalts() {
    let scenario = {
      let scenario = Scenario()
      let word = scenario.word("word")
      scenario.cpu(
        "spinner",
        CPUOperation("spin") { cpu in while try cpu.load(word, .relaxed) == 0 {} })
      return scenario
    }
    var minimiser = Minimiser { Machine(scenario()) }
    let simplest = minimiser.minimise()
    #expect(simplest == nil)
  }

  /// Fewer preemptions come before fewer steps: the longer way without preemption wins.
  @Test func aLongerScheduleWithFewerPreemptionsIsSimpler() throws {
    let scenario = {
      let scenario = Scenario()
      let word = scenario.word("word")
      let end = scenario.word("end")
      scenario.cpu(
        "A",
        CPUOperation("store") { cpu in
          try cpu.store(word, 1, .relaxed)
          let long = try cpu.choose(2)
          for _ in 0..<(long * 5) { try cpu.store(word, 2, .relaxed) }
          try cpu.store(word, 3, .relaxed)
        })
      scenario.cpu(
        "B",
        CPUOperation("load") { cpu in
          try cpu.store(end, try cpu.load(word, .relaxed) == 3 ? 1 : 0, .relaxed)
        })
      scenario.require(NeverEndsWith(end, equal: 1))
      return scenario
    }
    var minimiser = Minimiser { Machine(scenario()) }
    let simplest = minimiser.minimise()
    let result = try #require(simplest)
    #expect(result.schedule.text == "0*3,1*2")
    #expect(result.isProven)
  }

  /// Of two invariants that fail, the one that fails in the simpler execution is shown.
  @Test func theSimplestViolationOfAnyInvariantIsFound() throws {
    let scenario = {
      let scenario = Scenario()
      let word = scenario.word("word")
      for value in 1...2 as ClosedRange<UInt64> {
        scenario.cpu(
          "\(value)", CPUOperation("store") { cpu in try cpu.store(word, value, .relaxed) })
      }
      scenario.require(NeverEndsWith(word, equal: 1))
      scenario.require(NeverEndsWith(word, equal: 2))
      return scenario
    }
    var minimiser = Minimiser { Machine(scenario()) }
    let simplest = minimiser.minimise()
    let result = try #require(simplest)
    #expect(result.schedule.text == "0,1")
    #expect(result.isProven)
  }
}
