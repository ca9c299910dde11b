// State invariants that say what they look at, so that the search may reduce the rest.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkSupport
import TestSupport
import Testing

/// Three CPUs that read and write three words at random.
///
/// In no state are the first two words both 2; or so the scenario says.
private func words(seed: UInt64) -> Scenario {
  let scenario = Scenario()
  let words = (0..<3).map { scenario.word("word \($0)") }
  var random = SplitMix64(seed: seed)
  for cpu in 0..<3 {
    let steps = (0..<3).map { _ in (random.below(3), random.below(3), UInt64(random.below(3))) }
    scenario.cpu(
      "cpu \(cpu)",
      CPUOperation("steps") { cpu in
        for (kind, word, value) in steps {
          switch kind {
          case 0: _ = try cpu.load(words[word], .relaxed)
          case 1: try cpu.store(words[word], value, .relaxed)
          default: _ = try cpu.compareExchange(words[word], expected: 0, desired: value, .relaxed)
          }
        }
      })
  }
  scenario.always("not both 2", reading: [words[0], words[1]]) { machine in
    machine.value(of: words[0]) != 2 || machine.value(of: words[1]) != 2
  }
  return scenario
}

/// Two CPUs, each of which takes a lock of its own for a moment.
private func locks(_ scope: StateScope) -> Scenario {
  let scenario = Scenario()
  for number in 0..<2 {
    let lock = scenario.spinLock("lock \(number)")
    scenario.cpu(
      "cpu \(number)",
      CPUOperation("take") { cpu in
        try cpu.lock(lock)
        try cpu.unlock(lock)
      })
  }
  scenario.require(NotBothLocked(scope: scope))
  return scenario
}

private struct NotBothLocked: StateInvariant {
  let scope: StateScope
  let id = "not-both-locked"
  let statement = "The two locks are never held at once."
  let rationale = "A test says so."
  let source = ""
  let applicability = Applicability.chosen("a test says so")

  func judgeState(of machine: Machine) -> Violation? {
    machine.heldLocks.count < 2 ? nil : Violation("both are held")
  }
}

@Suite struct StateScopeTests {
  /// A moment at which both words are 2 is found by every search, or by none.
  @Test(arguments: Strategy.reduced) func searchesAgree(_ strategy: Strategy) {
    var violated = 0
    for seed in 0..<400 as Range<UInt64> {
      let full = ExhaustiveSearch(Machine(words(seed: seed)), SearchOptions()).run()
      let reduced = strategy.search(Machine(words(seed: seed)), SearchOptions())
      #expect(reduced.ending == full.ending, "seed \(seed)")
      if full.ending == .violation { violated += 1 }
    }
    #expect(violated == 84)
  }

  @Test func lessIsExploredWhereLessIsJudged() {
    var (full, reduced) = (0, 0)
    for seed in 0..<400 as Range<UInt64> {
      let whole = ExhaustiveSearch(Machine(words(seed: seed)), SearchOptions()).run()
      if whole.ending == .violation { continue }
      full += whole.statistics.transitions
      let search = StatefulSearch(Machine(words(seed: seed)), SearchOptions())
      reduced += search.run().statistics.transitions
    }
    #expect(full == 87_592)
    #expect(reduced == 31_914)
  }

  /// The search believes what an invariant says of its scope.
  @Test func scopesMustBeTrue() {
    func ending(_ scope: StateScope) -> Ending {
      StatefulSearch(Machine(locks(scope)), SearchOptions()).run().ending
    }
    let full = ExhaustiveSearch(Machine(locks(.everything)), SearchOptions()).run()
    #expect(full.ending == .violation)
    #expect(ending(.words([])) == .complete)
  }

  @Test func looksOutsideTheScopeAreRefused() {
    let scenario = Scenario()
    let (one, other) = (scenario.word("one"), scenario.word("other"))
    scenario.cpu("writer", CPUOperation("write") { try $0.store(one, 1, .relaxed) })
    scenario.always("both are small", reading: [one]) { machine in
      machine.value(of: one) + machine.value(of: other) < 5
    }
    let machine = Machine(scenario)
    _ = StatefulSearch(machine, SearchOptions()).run()
    let text = machine.failure.map { machine.text(of: $0) }
    #expect(text == "both-are-small looks at other, which its scope leaves out")
  }
}
