// Properties of a scenario: of its final states, of every state, and in code.

import Gracewalk
import Testing

struct PropertyTests {
  private enum Place { case atEnd, always, inCode }

  /// Two CPUs count; without an atomic addition a count is lost.
  private func report(_ place: Place, atomically isAtomic: Bool) throws -> CheckReport {
    let model = Model(
      name: "count", summary: "counting", scenario: "Two CPUs count.", expectation: .holds
    ) { _ in
      let scenario = Scenario()
      let counter = scenario.variable("counter", initial: 0)
      let ended = scenario.variable("ended", initial: 0)
      scenario.cpus(
        ["cpu 0", "cpu 1"],
        CPUOperation("count") { cpu in
          if isAtomic {
            _ = try cpu.fetchAdd(counter, 1, .relaxed)
          } else {
            try cpu.store(counter, try cpu.load(counter, .relaxed) + 1, .relaxed)
          }
          let before = try cpu.fetchAdd(ended, 1, .acquireRelease)
          let count = try cpu.load(counter, .relaxed)
          if place == .inCode, before == 1 { try cpu.assert(count == 2, "both are counted") }
        })
      if place == .atEnd {
        scenario.atEnd("both CPUs are counted") { $0.value(of: counter) == 2 }
      }
      if place == .always {
        scenario.always("Nobody ends uncounted!") { machine in
          machine.value(of: ended) <= machine.value(of: counter)
        }
      }
      return scenario
    }
    return try model.check()
  }

  @Test func finalStates() throws {
    #expect(try report(.atEnd, atomically: true).verdict == .holds)
    let lost = try report(.atEnd, atomically: false)
    #expect(lost.violatedInvariant == "both-cpus-are-counted")
    #expect(lost.text.contains("not so: both CPUs are counted"))
  }

  @Test func everyState() throws {
    let right = try report(.always, atomically: true)
    #expect(right.verdict == .holds)
    let lost = try report(.always, atomically: false)
    #expect(lost.violatedInvariant == "nobody-ends-uncounted")
  }

  @Test func inCode() throws {
    #expect(try report(.inCode, atomically: true).verdict == .holds)
    let lost = try report(.inCode, atomically: false)
    #expect(lost.violatedInvariant == OperationsDoNotThrow.id)
    #expect(lost.text.contains("assertion failed: both are counted"))
  }

  @Test func twoPropertiesOfOneNameAreAMistake() {
    let model = Model(
      name: "twice", summary: "", scenario: "", expectation: .holds
    ) { _ in
      let scenario = Scenario()
      let word = scenario.variable("word", initial: false)
      scenario.cpu("cpu", runs: "set") { cpu in try cpu.store(word, true, .relaxed) }
      scenario.atEnd("it is set") { $0.value(of: word) }
      scenario.atEnd("it is set") { !$0.value(of: word) }
      return scenario
    }
    #expect {
      try model.check()
    } throws: { error in
      "\(error)".contains("two different invariants are called it-is-set")
    }
  }
}
