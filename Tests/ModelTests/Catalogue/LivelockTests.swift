// Models that loop forever, and how their traces are written, read and shown.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import GracewalkReporting
import GracewalkTraces
import Testing

@Suite struct LivelockTests {
  private func report(
    _ name: String, _ change: (inout CheckOptions) -> Void = { _ in }
  ) throws -> CheckReport {
    var options = CheckOptions()
    change(&options)
    return try #require(Catalogue.model(named: name)).check(options)
  }

  struct Counts: Sendable {
    var model: String
    var states: Int
    var transitions: Int
    /// The livelock, if there is one.
    var schedule: String?
  }

  static let expected = [
    Counts(model: "fault-until-mapped", states: 4_125, transitions: 5_524),
    Counts(
      model: "fault-until-mapped-keeps-entry-locked", states: 4_334, transitions: 11_452,
      schedule: "0*3,0:1,0,(1*3,2*3)"),
    Counts(model: "swap-two-entries", states: 204, transitions: 385),
    Counts(
      model: "swap-two-entries-in-any-order", states: 260, transitions: 565,
      schedule: "(0*2,1*2,0,1,0,2,1)"),
    Counts(
      model: "swap-two-entries-keeping-the-first", states: 206, transitions: 429,
      schedule: "0*2,2*2,0,2,(0,1)"),
  ]

  @Test(arguments: expected)
  func counts(_ expected: Counts) throws {
    let report = try report(expected.model)
    #expect(report.strategy == .stateful)
    #expect(report.note == nil)
    #expect(report.statistics.states == expected.states)
    #expect(report.statistics.transitions == expected.transitions)
    #expect(report.counterexample?.recording.schedule.text == expected.schedule)
    #expect(report.counterexample?.isMinimal != false)
  }

  /// If asked to, the search leaves nothing out; other searches that reduce are not run.
  @Test func nothingIsReducedOtherwise() throws {
    let full = try report("fault-until-mapped") { $0.search.strategy = .exhaustive }
    #expect(full.statistics.states == 16_670)
    #expect(full.statistics.transitions == 43_810)
    #expect(full.verdict == .holds)
    let optimal = try report("fault-until-mapped") { $0.search.strategy = .optimal }
    #expect(optimal.strategy == .exhaustive)
    #expect(optimal.note?.hasPrefix("reduction switched off: CPUs may repeat") == true)
  }

  /// A loop that ends by a count kept from turn to turn is not a livelock.
  @Test(arguments: [2, 3, 9]) func countsFromTurnToTurn(most: Int) {
    let model = Model(name: "m", summary: "", scenario: "", expectation: .holds) { _ in
      let scenario = Scenario()
      scenario.mayRepeat = true
      let x = scenario.word("x")
      scenario.cpu(
        "a",
        CPUOperation("count") { cpu in
          var count = 0
          try cpu.repeatUntilDone { () throws(Abandoned) -> Int? in
            count += 1
            _ = try cpu.load(x, .relaxed)
            return count == most ? 1 : nil
          }
        })
      return scenario
    }
    #expect(throws: CheckError.self) { try model.check() }
  }

  @Test func theViolationShowsTheRepeatingCPUs() throws {
    let trace = try #require(try report("swap-two-entries-keeping-the-first").counterexample)
    guard case .violated(let invariant, let violation) = trace.recording.end else {
      Issue.record("no violation")
      return
    }
    #expect(invariant == "progress")
    #expect(
      violation.message
        == "livelock: swapper 0 and swapper 1 loop forever, and no operation ends")
    #expect(
      violation.details == [
        "swapper 0 repeats, in swap 0, 1: load root[0]: is LOCKED",
        "swapper 1 repeats, in swap 1, 0: load root[0]: is LOCKED",
      ])
    #expect(trace.recording.loop == 6)
    #expect(trace.recording.stepsOfLoop == 2)
  }

  // MARK: Traces

  @Test func filesShowTheRound() throws {
    let trace = try #require(try report("swap-two-entries-in-any-order").counterexample)
    let file = TraceFile(trace)
    let read = try TraceFile(text: file.text)
    #expect(read == file)
    #expect(read.isIntact)
    #expect(read.schedule.loop == 0)
    let scenario = try #require(Catalogue.model(named: trace.model))
      .scenario(invariants: trace.invariants)
    #expect(try Recording(read.schedule, of: scenario) == trace.recording)
  }

  private func record(_ text: String, invariants: [String]? = nil) throws -> Recording {
    let model = try #require(Catalogue.model(named: "swap-two-entries-keeping-the-first"))
    let schedule = try #require(Schedule(text: text))
    return try Recording(schedule, of: try model.scenario(invariants: invariants))
  }

  @Test func aRoundThatDoesNotRepeatIsRefused() throws {
    #expect(
      throws: RecordingError.noRepetition(
        reason: "the state at its end is not the one it began in")
    ) { try record("0*2,2*2,0,(2,0)") }
    #expect(
      throws: RecordingError.noRepetition(
        reason: "swapper 1 stays enabled and never takes a step")
    ) { try record("0*2,2*2,0,2,(0*2)") }
  }

  @Test func withoutAnInvariantThereIsNoViolation() throws {
    let recording = try record("0*2,2*2,0,2,(0,1)", invariants: ["no-double-free"])
    #expect(recording.end == .unfinished)
    #expect(recording.loop == 6)
  }

  @Test func jsonShowsTheRound() throws {
    let text = try json(CheckDocument(try report("swap-two-entries-keeping-the-first")))
    #expect(text.contains("\"loop\" : 6,"))
    #expect(text.contains("\"schedule\" : \"0*2,2*2,0,2,(0,1)\""))
  }

  // MARK: Bounds and other invariants

  /// A bound that cuts executions must not let "holds" slip through.
  @Test(arguments: ["swap-two-entries-in-any-order", "swap-two-entries-keeping-the-first"])
  func boundsLeaveTheVerdictOpen(_ model: String) throws {
    let few = try report(model) { $0.limits.preemptions = 1 }
    #expect(few.verdict == .incomplete(.bound(.preemptions)))
    #expect(few.note?.contains("livelocks not looked for") == true)
    let short = try report(model) { $0.limits.depth = 8 }
    #expect(short.verdict == .incomplete(.bound(.depth)))
    // Nothing is cut, so all states are known.
    let many = try report(model) { $0.limits.preemptions = 1_000 }
    #expect(many.violatedInvariant == "progress")
    let long = try report(model) { $0.limits.depth = 9_000 }
    #expect(long.violatedInvariant == "progress")
  }

  @Test func withoutProgressNothingIsLookedFor() throws {
    let report = try report("swap-two-entries-in-any-order") {
      $0.invariants = ["no-entry-left-locked"]
    }
    #expect(report.verdict == .holds)
    #expect(!report.search.contains("livelocks"))
  }

  @Test func samplesNeverFindOne() throws {
    let report = try report("swap-two-entries-in-any-order") {
      $0.strategy = .random
      $0.limits.executions = 20
      $0.limits.depth = 200
    }
    #expect(report.violatedInvariant == nil)
    #expect(report.note?.contains("samples end") == true)
  }
}
