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

  // MARK: Assumptions

  private enum Other { case nothing, fails, waitsForLock, repeats }

  /// One CPU assumes, with a lock, that it comes before the other.
  private func assuming(
    _ other: Other = .nothing, options: CheckOptions = CheckOptions(), never: Bool = false,
    mustHappen: [ExpectedOutcome] = []
  ) throws -> CheckReport {
    let model = Model(
      name: "assume", summary: "assuming", scenario: "One CPU assumes that it comes first.",
      expectation: .holds, mustHappen: mustHappen
    ) { _ in
      let scenario = Scenario()
      let (came, done) = (
        scenario.variable("came", initial: never), scenario.variable("done", initial: false)
      )
      let lock = scenario.spinLock("lock")
      scenario.mayRepeat = other == .repeats
      scenario.cpu("first", runs: "assume") { cpu -> any OperationResult in
        try cpu.lock(lock)
        let isLate = try cpu.load(came, .acquire)
        try cpu.assume(!isLate, "nobody came before")
        try cpu.store(done, true, .release)
        try cpu.unlock(lock)
        return isLate
      }
      scenario.cpu("other", runs: "come") { cpu in
        try cpu.store(came, true, .release)
        switch other {
        case .nothing: break
        case .fails: try cpu.assert(false, "this is wrong whatever anybody assumes")
        case .waitsForLock:
          try cpu.lock(lock)
          try cpu.unlock(lock)
        case .repeats:
          try cpu.repeatUntilDone { () throws(Abandoned) in
            try cpu.load(done, .acquire) ? true : nil
          }
        }
      }
      scenario.atEnd("the first is done") { $0.value(of: done) }
      return scenario
    }
    return try model.check(options)
  }

  private func options(_ strategy: Strategy) -> CheckOptions {
    var options = CheckOptions()
    options.strategy = strategy
    return options
  }

  @Test(arguments: [Strategy.stateful, .exhaustive, .optimal, .source, .sleep])
  func assumptionsCutExecutionsOff(_ strategy: Strategy) throws {
    let report = try assuming(options: options(strategy))
    #expect(report.verdict == .holds)
    #expect(report.coverage.assumptions == .cutOffSome)
    #expect(report.coverage.includes("assume", "cut off: nobody came before"))
    #expect(report.coverage.includes("assume", "false"))
    #expect(!report.coverage.includes("assume", "true"))
    #expect(report.text.contains("are cut off"))
    if strategy == .optimal { #expect(report.statistics.executions == 2) }
    // Who waits for a CPU that is cut off is in no deadlock.
    #expect(try assuming(.waitsForLock, options: options(strategy)).verdict == .holds)
    // What others do is judged all the same.
    #expect(
      try assuming(.fails, options: options(strategy)).violatedInvariant == OperationsDoNotThrow.id)
  }

  @Test func noLoopIsForeverWhereACPUIsCutOff() throws {
    #expect(try assuming(.repeats).verdict == .holds)
  }

  @Test(arguments: [Strategy.stateful, .exhaustive, .optimal])
  func whatIsAlwaysCutOffShowsNothing(_ strategy: Strategy) throws {
    let report = try assuming(options: options(strategy), never: true)
    #expect(report.isVacuous)
    #expect(report.coverage.assumptions == .cutOffAll)
    #expect(report.vacuousText == "every execution is cut off by an assumption")
    #expect(report.advice?.contains("cpu.assume") ?? false)
  }

  /// What must happen must do so in an operation that comes to its end.
  @Test func whatMustHappenIsNotCutOff() throws {
    let missing = ExpectedOutcome("assume", "true")
    let report = try assuming(mustHappen: [missing])
    #expect(report.vacuous == [missing])
    #expect(try assuming(mustHappen: [ExpectedOutcome("assume", "false")]).verdict == .holds)
  }

  @Test func bootCodeCannotAssumeWhatIsNotSo() throws {
    let model = Model(
      name: "boot", summary: "boot", scenario: "Boot code assumes.", expectation: .holds
    ) { _ in
      let scenario = Scenario()
      scenario.boot { cpu in try cpu.assume(false, "it is so") }
      scenario.cpu("cpu", runs: "nothing") { _ in }
      return scenario
    }
    #expect(throws: CheckError.self) { try model.check() }
  }
}
