// Comparing states in full: right even if hashes collide, and the same results if they do not.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkModels
import GracewalkSupport
import TestExpectations
import TestSupport
import Testing

/// Hashes that are far too short; final states are recorded by their full hashes.
private final class KeysCut: Forwarding {
  let mask: UInt64
  var finalStates: Set<UInt64> = []

  /// Called with the full hash of each final state.
  private let note: (UInt64) -> Void

  init(_ base: TransitionSystem, bits: UInt64, note: @escaping (UInt64) -> Void = { _ in }) {
    mask = bits < 64 ? 1 << bits - 1 : .max
    self.note = note
    super.init(base)
  }

  override var stateKey: UInt64 { base.stateKey & mask }

  override func judgeEnd() -> StepOutcome {
    finalStates.insert(base.stateKey)
    note(base.stateKey)
    return base.judgeEnd()
  }
}

@Suite struct ExactTests {
  /// A fuzzer for searches with keys of a few bits, and the number of their collisions.
  private final class Cut {
    var collisions = 0

    func fuzzer(_ strategy: Strategy, bits: UInt64, isExact: Bool) -> Fuzzer {
      Fuzzer(isExact: isExact) { system, options in
        let cut = KeysCut(system, bits: bits)
        var result = strategy.search(cut, options)
        result.finalStates = cut.finalStates.sorted()
        self.collisions += result.statistics.collisions
        return result
      }
    }
  }

  @Test(arguments: [(Strategy.stateful, 4, 2), (.stateful, 8, 7), (.exhaustive, 4, 1)])
  func collisionsLoseStates(strategy: Strategy, bits: UInt64, programs: Int) {
    let cut = Cut()
    let report = cut.fuzzer(strategy, bits: bits, isExact: false)
      .run(seeds: 0..<1_000, size: .small, stopAfter: 1)
    #expect(report.mismatches.count == 1)
    #expect(report.programs == programs)
    #expect(cut.collisions == 0)
  }

  @Test(
    .tags(.long), .unlessQuick,
    arguments: [
      (Strategy.stateful, 4, 14_347), (.stateful, 8, 2_365), (.exhaustive, 4, 65_129),
    ])
  func exactSearchesTellStatesApart(strategy: Strategy, bits: UInt64, collisions: Int) {
    let cut = Cut()
    let report = cut.fuzzer(strategy, bits: bits, isExact: true).run(seeds: 0..<1_000, size: .small)
    #expect(report.mismatches == [])
    #expect(report.programs == 1_000)
    #expect(cut.collisions == collisions)
  }

  /// Under a bound on preemptions, states count together with the CPU that led to them.
  @Test(arguments: 0...2)
  func exactUnderABoundOnPreemptions(preemptions: Int) {
    for seed in 0..<150 as Range<UInt64> {
      guard states(of: randomScenario(seed: seed)).statistics.states < 200 else { continue }
      let limits = Limits(preemptions: preemptions)
      let expected = states(of: randomScenario(seed: seed), limits: limits)
      let machine = Machine(randomScenario(seed: seed), isExact: true)
      let cut = KeysCut(machine, bits: 5)
      var options = SearchOptions(limits: limits)
      options.isExact = true
      let result = ExhaustiveSearch(cut, options).run()
      var statistics = result.statistics
      statistics.collisions = 0
      #expect(statistics == expected.statistics)
      #expect(cut.finalStates.sorted() == expected.finalStates)
    }
  }

  /// 5,000 small programs; many more were run by hand.
  @Test(.tags(.long), .unlessQuick, arguments: [Strategy.stateful, .exhaustive])
  func exactSearchesAgree(strategy: Strategy) {
    let report = Fuzzer(strategy, isExact: true).run(seeds: 20_000..<22_500, size: .small)
    #expect(report.mismatches == [])
    #expect(report.violated == 75)
  }

  /// All counts are the same if states are not matched; states take more memory.
  @Test(.tags(.long), .unlessQuick, arguments: [(4, 1_114), (5, 5_558), (6, 24_056)])
  func exactSearchesCountTheSame(mappers: Int, states: Int) {
    let scenario = { PageTableBenchmark.scenario(mappers: mappers) }
    var options = SearchOptions()
    options.matchesStates = false
    let plain = StatefulSearch(Machine(scenario()), options)
    let expected = plain.run()
    options.isExact = true
    let search = StatefulSearch(Machine(scenario(), isExact: true), options)
    let result = search.run()
    #expect(result.statistics == expected.statistics)
    #expect(result.statistics.states == states)
    #expect(search.bytesPerState < 128)
    #expect(search.bytesPerState > plain.bytesPerState)
  }

  /// Threads that compare states in full count what one thread does, and keep states apart.
  @Test(arguments: [1, 2, 3]) func threadsTellStatesApart(jobs: Int) {
    for seed in 0..<150 as Range<UInt64> {
      var options = SearchOptions()
      options.isExact = true
      options.collectsFinalStates = true
      let oracle = states(of: randomScenario(seed: seed))
      let results = [64, 6 as UInt64].map { bits in
        let identities = Identities(isShared: true)
        let finals = Locked(Set<UInt64>())
        var result = ParallelSearch.run(jobs: jobs, options, .fine) {
          let machine = Machine(randomScenario(seed: seed), identities: identities)
          return KeysCut(machine, bits: bits) { key in finals.withLock { _ = $0.insert(key) } }
        }
        result.finalStates = finals.withLock { $0.sorted() }
        return result
      }
      for result in results {
        #expect(result.ending == oracle.ending)
        #expect(result.finalStates == oracle.finalStates, "seed \(seed)")
      }
      var (whole, cut) = (results[0].statistics, results[1].statistics)
      #expect(whole.collisions == 0)
      cut.collisions = 0
      whole.collisions = 0
      #expect(cut == whole, "seed \(seed)")
    }
  }

  /// Claims that machines with numbers of their own write equal states alike.
  private final class SharingClaimed: Forwarding {
    override var sharesExactStates: Bool { true }
  }

  private func team(_ makeSystem: @escaping () -> TransitionSystem) -> SearchResult {
    var options = SearchOptions()
    options.isExact = true
    return ParallelSearch.run(jobs: 1, options, .fine, makeSystem: makeSystem)
  }

  /// Without shared numbers, equal states look different to two members.
  @Test func numbersOfHistoriesMustBeShared() {
    let seed = (0..<1_000 as Range<UInt64>).first { seed in
      team { SharingClaimed(Machine(randomScenario(seed: seed), isExact: true)) }
        .statistics.collisions > 0
    }
    #expect(seed == 2)
  }

  /// Machines with numbers of their own search alone.
  @Test func onlyMachinesThatShareNumbersAreDivided() {
    let identities = Identities(isShared: true)
    let scenario = { PageTableBenchmark.scenario(mappers: 4) }
    let divided = team { Machine(scenario(), identities: identities) }
    let alone = team { Machine(scenario(), isExact: true) }
    #expect(divided.statesTwice != nil)
    #expect(alone.statesTwice == nil)
    #expect(divided.statistics.states == 1_286)
    #expect(alone.statistics.states == 1_114)
  }

  /// Exact states are equal if and only if keys are.
  @Test(arguments: 0..<100 as Range<UInt64>)
  func exactStatesAndKeysCorrespond(seed: UInt64) {
    let machine = Machine(randomScenario(seed: seed), isExact: true)
    var random = SplitMix64(seed: seed)
    var keys: [[UInt64]: UInt64] = [:]
    var states: [UInt64: [UInt64]] = [:]
    let words = GrowableBuffer<UInt64>()
    defer { words.deallocate() }
    for _ in 0..<50 {
      while let step = randomStep(of: machine, &random) {
        _ = machine.step(step.cpu, choice: step.choice)
        words.removeAll()
        machine.addExactState(to: words)
        let state = (0..<words.count).map { words[$0] }
        let key = machine.stateKey
        #expect(keys.updateValue(key, forKey: state) ?? key == key)
        #expect(states.updateValue(state, forKey: key) ?? state == state)
      }
      while machine.depth > 0 { machine.undo() }
    }
    #expect(keys.count == states.count && keys.count > 1)
  }

  /// The progress of ten CPUs with seven operations each takes nine octal digits; for 62 CPUs it
  /// takes 61, too many for a word.
  @Test(arguments: [(10, true), (62, false)])
  func historiesMustFitIntoAWord(cpus: Int, fits: Bool) {
    let scenario = Scenario()
    let word = scenario.word("word")
    for cpu in 0..<cpus {
      let call = SpecificationCall(operation: 0, argument: cpu)
      let operation = CPUOperation("load", call: call) { cpu in try cpu.load(word, .relaxed) }
      scenario.cpu("cpu \(cpu)", Array(repeating: operation, count: 7))
    }
    scenario.require(Sees(.threw, requirements: .history))
    #expect(Machine(scenario).failure == nil)
    let failure = Machine(scenario, isExact: true).failure
    if fits {
      #expect(failure == nil)
    } else {
      guard case .capacity(let text) = failure else {
        Issue.record("\(String(describing: failure))")
        return
      }
      #expect(text.hasPrefix("too many operations to compare states exactly"))
    }
  }

  /// n²/2⁶⁵, one digit, rounded up.
  @Test(arguments: [
    (1, "3e-20"), (2, "2e-19"), (1_000, "3e-14"), (1_000_000, "3e-8"), (145_278, "6e-10"),
    (6_074_000_999, "1"), (6_074_001_000, "1"), (5_900_000_000, "1"), (5_700_000_000, "9e-1"),
    (Int.max, "1"),
  ])
  func bounds(states: Int, text: String) {
    #expect(CollisionBound(states: states).text == text)
  }

  @Test func boundsAreReported() throws {
    let model = try #require(Catalogue.model(named: "shared-memcache"))
    var options = CheckOptions()
    #expect(try model.check(options).collisionBound?.text == "3e-18")
    options.strategy = .source
    #expect(try model.check(options).collisionBound == nil)
    options.strategy = .stateful
    options.limits.states = 3
    #expect(try model.check(options).collisionBound?.text == "3e-19")
    options.isExact = true
    #expect(try model.check(options).collisionBound == nil)
  }
}
