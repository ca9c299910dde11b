// Sampling: the same executions for the same seed, and never a claim that something holds.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import TestSupport
import Testing

struct SamplingTests {
  private func sample(
    _ scenario: Scenario, _ sampling: Sampling, seed: UInt64, executions: Int
  ) -> SearchResult {
    var options = SearchOptions(limits: Limits(executions: executions))
    options.seed = seed
    return SamplingSearch(Machine(scenario), options, sampling: sampling).run()
  }

  private static let samplings: [Sampling] = [.uniform, .priorities(changes: 2)]

  @Test(arguments: samplings)
  func nothingFoundIsNothingShown(sampling: Sampling) {
    let result = sample(Textbook.lastzero(4), sampling, seed: 1, executions: 500)
    #expect(result.ending == .bounded(.executions))
    #expect(result.statistics.executions == 500)
    #expect(result.schedule == nil)
  }

  @Test(arguments: samplings)
  func aSeedDeterminesTheExecutions(sampling: Sampling) throws {
    let leak = try #require(Catalogue.model(named: "collapse-unlocked-descendants"))
    let runs = try (0..<2).map { _ in
      sample(try leak.scenario(), sampling, seed: 9, executions: 10_000)
    }
    #expect(runs[0].ending == .violation)
    #expect(runs[0].schedule == runs[1].schedule)
    #expect(runs[0].statistics == runs[1].statistics)
  }

  /// Different seeds are different samples: not all of them take equally long.
  @Test(arguments: samplings)
  func seedsDiffer(sampling: Sampling) throws {
    let leak = try #require(Catalogue.model(named: "collapse-unlocked-descendants"))
    let needed = try (0..<8).map { seed in
      let result = sample(
        try leak.scenario(invariants: ["no-leaked-table-page"]), sampling, seed: UInt64(seed),
        executions: 10_000)
      #expect(result.ending == .violation)
      return result.statistics.executions
    }
    #expect(Set(needed).count > 1)
  }

  @Test func choicesAreSampled() {
    let scenario = Scenario()
    let word = scenario.word("w")
    scenario.cpu(
      "chooser",
      CPUOperation("choose") { cpu in
        let chosen = try cpu.choose(4)
        if chosen == 3 { try cpu.wait(until: word, .equals(1)) }
      })
    scenario.require(NeverStuck())
    let result = sample(scenario, .uniform, seed: 0, executions: 1_000)
    #expect(result.ending == .violation)
    #expect(result.schedule?.steps == [Schedule.Step(cpu: 0, choice: 3)])
  }
}

/// Deadlocks, and nothing else.
private struct NeverStuck: QuiescenceInvariant {
  let id = "never-stuck"
  let statement = "Nobody is stuck."
  let rationale = "The test wants to see a choice that leads to a deadlock."
  let source = "none"
  let applicability = Applicability.chosen("it is a test's")
  var judgesDeadlocks: Bool { true }

  func judgeEnd(of machine: Machine) -> Violation? {
    machine.stuckCPUs.isEmpty ? nil : Violation("stuck")
  }
}
