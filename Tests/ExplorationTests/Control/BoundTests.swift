// Bounds end every search, even if no step can be taken.

import GracewalkExploration
import GracewalkSupport
import Testing

/// A system in which no CPU ever takes a step.
private final class Nothing: TransitionSystem {
  let start: StepOutcome
  let end: StepOutcome

  init(start: StepOutcome = .clean, end: StepOutcome = .clean) {
    self.start = start
    self.end = end
    super.init()
  }

  override var cpuCount: Int { 1 }
  override var objectCount: Int { 1 }
  override func enabledCPUs() -> CPUSet { CPUSet() }
  override func disabledCPUs() -> CPUSet { CPUSet() }
  override func judgeStart() -> StepOutcome { start }
  override func judgeEnd() -> StepOutcome { end }
  override var stateKey: UInt64 { 1 }
  override var violatedInvariant: Int { 0 }
}

@Suite struct BoundTests {
  @Test func aMinimiserThatFindsNothingEnds() {
    var minimiser = Minimiser { Nothing() }
    #expect(minimiser.minimise() == nil)
  }

  /// A violation before the first step, or in a state without steps, has an empty schedule.
  @Test func theShortestScheduleHasNoSteps() {
    for system in [Nothing(start: .violation), Nothing(end: .violation)] {
      var minimiser = Minimiser { system }
      let result = minimiser.minimise()
      #expect(result?.schedule == Schedule())
      #expect(result?.isProven == true)
    }
  }

  @Test func aViolationAtTheStartEndsEverySearch() {
    let system = Nothing(start: .violation)
    let results = [
      ExhaustiveSearch(system, SearchOptions()).run(),
      StatefulSearch(system, SearchOptions()).run(),
      OptimalSearch(system, SearchOptions()).run(),
      SourceSearch(system, SearchOptions()).run(),
      LivenessSearch(system, SearchOptions()).run(),
      SamplingSearch(system, SearchOptions(), sampling: .uniform).run(),
    ]
    for result in results {
      #expect(result.ending == .violation)
      #expect(result.schedule == Schedule())
      #expect(result.statistics.transitions == 0)
    }
  }

  /// The clock is read even if no steps are counted.
  @Test func samplesWithoutStepsEnd() {
    let limits = [Limits(seconds: 0.05), Limits(depth: 0, seconds: 0.05)]
    for limits in limits {
      let search = SamplingSearch(Nothing(), SearchOptions(limits: limits), sampling: .uniform)
      #expect(search.run().ending == .bounded(.seconds))
    }
  }
}
