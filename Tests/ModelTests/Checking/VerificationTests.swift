// Models in a user's tests: the error of `verify` has all information, and `replay` shows it.

import Gracewalk
import GracewalkModels
import Testing

@Suite struct VerificationTests {
  private static func broken(_ violated: [String]) -> Model {
    Model(
      name: "lost-update", summary: "", scenario: "Two CPUs count.",
      parameters: [Parameter("most", "", 2...9, standard: 2)],
      expectation: violated.isEmpty ? .holds : .violates(violated), instances: [["most": 3]]
    ) { values in
      let scenario = Scenario()
      let word = scenario.word("count")
      scenario.cpus(
        ["cpu 0", "cpu 1"],
        CPUOperation("count") { cpu in
          let count = try cpu.load(word, .relaxed)
          try cpu.store(word, count + 1, .relaxed)
        })
      scenario.cpu(
        "judge", CPUOperation("wait") { cpu in try cpu.wait(until: word, .equals(2)) })
      _ = values["most"]
      return scenario
    }
  }

  @Test func asDeclared() throws {
    let reports = try Self.broken(["progress"]).verify()
    #expect(reports.map(\.violatedInvariant) == ["progress"])
    for model in Memcache.models { try model.verify() }
  }

  @Test func aFailureHasTheTraceAndALineThatReplaysIt() throws {
    let model = Self.broken([])
    let error = #expect(throws: VerificationFailure.self) { try model.verify() }
    let text = try #require(error).description
    #expect(text.hasPrefix("declared: holds; found otherwise:\nlost-update most=3\n"))
    #expect(text.contains("violated — progress fails; 3 CPUs, 1 operation each"))
    #expect(text.contains("\nstep  cpu 0 "))
    #expect(text.contains("✗ progress"))
    let schedule = try #require(error?.check.report.counterexample).recording.schedule.text
    #expect(
      text.hasSuffix("\n  print(try model.replay(\"\(schedule)\", parameters: [\"most\": 3]))"))
    // The line prints the same trace as the failure.
    let again = try model.replay(schedule, parameters: ["most": 3])
    #expect(again.violation?.invariant == "progress")
    #expect(text.contains(again.description.prefix { $0 != "✗" }))
  }

  @Test func aMissingViolationIsAFailure() throws {
    let model = try #require(Catalogue.model(named: "shared-memcache"))
    let wrong = Model(
      name: model.name, summary: "", scenario: "", expectation: .violates(["progress"]),
      build: model.build)
    let error = #expect(throws: VerificationFailure.self) { try wrong.verify() }
    #expect(
      try #require(error).description.hasPrefix("declared: violates progress; found otherwise:"))
    let unknown = Model(
      name: "x", summary: "", scenario: "", expectation: .violates(["prog"]), build: model.build)
    let mistake = #expect(throws: CheckError.self) { try unknown.verify() }
    #expect(
      try #require(mistake).description.contains(
        "is declared to violate 'prog', which it does not require; did you mean progress?"))
  }

  @Test func anIncompleteCheckIsAFailure() throws {
    var options = CheckOptions()
    options.limits.executions = 1
    let model = try #require(Catalogue.model(named: "fault-in-parallel"))
    let error = #expect(throws: VerificationFailure.self) { try model.verify(options) }
    #expect(try #require(error).description.contains("raise --executions"))
  }

  @Test func replaysThatDoNotFit() throws {
    let model = Self.broken([])
    let texts = [
      ("0**", "'0**' is not a schedule; steps are given as in 0*4,1,2:1"),
      ("7", "the schedule does not fit lost-update: step 1 of the schedule: there is no CPU 7"),
      ("0*9", "step 3 of the schedule: cpu 0 cannot continue there: it is at 'end'"),
    ]
    for (schedule, expected) in texts {
      let error = #expect(throws: ReplayFailure.self) { try model.replay(schedule) }
      #expect(try #require(error).description.contains(expected), "\(schedule)")
    }
    let right = try model.replay("0*2,1*2,2")
    #expect(right.violation == nil)
    #expect(right.description.hasSuffix("Nothing is wrong in this execution."))
  }
}
