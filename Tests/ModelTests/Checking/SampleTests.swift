// Sampling during a long search: violations are found sooner, and the results are otherwise the
// same.

import Foundation
import Gracewalk
import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkReporting
import TestExpectations
import Testing

@Suite(.tags(.long), .unlessQuick) struct SampleTests {
  /// Four CPUs that count; the first is stuck if the last was faster, which a systematic search
  /// tries last.
  static func late(turns: Int, isBroken: Bool = true) -> Model {
    Model(
      name: "late", summary: "", scenario: "",
      expectation: isBroken ? .violates(["progress"]) : .holds
    ) { _ in
      let scenario = Scenario()
      let flag = scenario.word("flag")
      let count = scenario.word("count")
      for number in 0..<4 {
        scenario.cpu(
          "cpu \(number)",
          CPUOperation("count") { cpu in
            if number == 3 { try cpu.store(flag, 1, .relaxed) }
            if number == 0, try cpu.load(flag, .relaxed) == 1, isBroken {
              try cpu.wait(until: flag, .equals(2))
            }
            for _ in 0..<turns { _ = try cpu.fetchAdd(count, 1, .relaxed) }
          })
      }
      return scenario
    }
  }

  private func check(
    turns: Int = 3, _ change: (inout CheckOptions) -> Void = { _ in }
  ) throws -> CheckReport {
    var options = CheckOptions()
    change(&options)
    return try Self.late(turns: turns).check(options)
  }

  @Test func foundSooner() throws {
    let plain = try check { $0.usesSamples = false }
    let report = try check()
    #expect(plain.verdict == .violated && plain.sampledExecutions == nil)
    #expect(report.verdict == .violated)
    #expect(report.statistics.transitions == SamplingPhases.transitionsMin)
    #expect(plain.statistics.transitions == 131_851)
    #expect(report.sampledExecutions == 1)
    #expect(report.counterexample == plain.counterexample)
    let text = CheckText(report).header
    #expect(text.contains("  found by sampling: random execution 1"))
    #expect(!CheckText(plain).header.contains { $0.contains("sample") })
  }

  /// With one more turn, a systematic search finds nothing within 11 million states.
  @Test func largeOnesAreDecidedAtOnce() throws {
    let report = try check(turns: 4)
    #expect(report.verdict == .violated)
    #expect(report.statistics.transitions == SamplingPhases.transitionsMin)
  }

  @Test func theSameForAnyNumberOfThreads() throws {
    let one = try check()
    for jobs in [2, 3] {
      let several = try check { $0.jobs = jobs }
      #expect(several.verdict == .violated)
      #expect(several.counterexample == one.counterexample)
    }
    let unminimised = try check { $0.minimises = false }
    let several = try check {
      $0.minimises = false
      $0.jobs = 2
    }
    #expect(several.counterexample == unminimised.counterexample)
  }

  @Test(arguments: [Strategy.stateful, .source, .optimal, .exhaustive])
  func inEverySearch(_ strategy: Strategy) throws {
    let report = try check { $0.strategy = strategy }
    #expect(report.sampledExecutions == 1)
    #expect(report.statistics.transitions == SamplingPhases.transitionsMin)
    if strategy.mergesStates {
      let exact = try check {
        $0.strategy = strategy
        $0.isExact = true
      }
      #expect(exact.sampledExecutions == 1)
      #expect(exact.statistics == report.statistics)
    }
  }

  @Test func goesOnAfterACheckpoint() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let expected = try check()
    let half = try check {
      $0.limits.states = 20_000
      $0.checkpoints = CheckpointFile(path: path)
    }
    #expect(half.verdict == .incomplete(.bound(.states)) && half.isSaved)
    let saved = try Checkpoint(path: path)
    let rest = try check { $0.resume = saved }
    #expect(rest.statistics == expected.statistics)
    #expect(rest.counterexample == expected.counterexample)
    #expect(rest.sampledExecutions == expected.sampledExecutions)
  }

  /// A model that holds is explored completely, with the same counts.
  @Test func correctModelsStillHold() throws {
    let model = Self.late(turns: 3, isBroken: false)
    var options = CheckOptions()
    options.usesSamples = false
    let plain = try model.check(options)
    let report = try model.check()
    #expect(report.verdict == .holds && plain.verdict == .holds)
    #expect(report.statistics == plain.statistics)
    // Two phases of samples leave no trace.
    #expect(report.statistics.transitions == 409_883)
  }

  /// With a bound on preemptions there is no sampling, which would exceed it.
  @Test func notUnderABoundOnPreemptions() throws {
    let report = try check { $0.limits.preemptions = 0 }
    #expect(report.sampledExecutions == nil)
  }

  @Test func longestStepsOfSamplesAreCounted() throws {
    let report = try check {
      $0.strategy = .random
      $0.minimises = false
    }
    #expect(report.verdict == .violated && report.statistics.depthMax > 0)
  }

  // MARK: Advice

  @Test func longChecksGiveHints() throws {
    var options = CheckOptions()
    options.limits.states = 10
    let report = try Self.late(turns: 3, isBroken: false).check(options)
    #expect(
      report.speedHints == [
        "if cpu 0 and cpu 1 run the same code, declare them identical (Scenario.cpus), and states "
          + "that differ by an exchange of them count as one",
        "--jobs 2 searches with two threads",
      ])
    #expect(
      CheckText(report, width: 1_000).header.last?.hasPrefix("  to make it shorter: --jobs") == true
    )
    #expect(try Self.late(turns: 1, isBroken: false).check().speedHints.isEmpty)
  }

  @Test func hintsNameFeaturesAndReduction() throws {
    let hints = try NotJudgedTests.careless(InvariantCatalogue.tables).speedHints()
    #expect(hints.count == 2 && hints[0].hasSuffix("have it: --feature ets=1"))
    let state = try NotJudgedTests.careless([AnyState()], hasHardware: false).speedHints()
    #expect(state.count == 2)
    #expect(state[0].hasPrefix("nothing is reduced, since any-state is about every state"))
    #expect(state[1] == "--jobs 2 searches with two threads")
  }
}

/// Does not say what it looks at.
private struct AnyState: StateInvariant {
  let id = "any-state"
  let statement = "Every state will do."
  let rationale = "A test says so."
  let source = ""
  let applicability = Applicability.chosen("a test says so")

  func judgeState(of machine: Machine) -> Violation? { nil }
}
