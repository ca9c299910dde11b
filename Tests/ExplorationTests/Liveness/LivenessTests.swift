// Livelocks: found if there is one, only fair ones, the simplest first, and compared with an
// oracle.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkSupport
import TestExpectations
import TestSupport
import Testing

private func livelock(cpus: Int, _ edges: [[(cpu: Int, target: Int)]]) -> String? {
  let result = LivenessSearch(WrittenGraph(cpus: cpus, edges), SearchOptions()).run()
  #expect(result.ending == (result.schedule == nil ? .complete : .violation))
  #expect(result.schedule == nil || result.isSimplest)
  return result.schedule?.text
}

struct LivenessTests {
  // MARK: Graphs by hand

  @Test func withoutCyclesThereIsNoLivelock() {
    #expect(livelock(cpus: 2, [[(0, 1), (1, 2)], [(1, 3)], [(0, 3)], []]) == nil)
  }

  @Test func aStepThatChangesNothingIsOne() {
    #expect(livelock(cpus: 1, [[(0, 0)]]) == "(0)")
  }

  /// CPU 1 is always enabled and would end it.
  @Test func cpusThatStayEnabledMustStep() {
    #expect(livelock(cpus: 2, [[(0, 0), (1, 1)], []]) == nil)
    #expect(livelock(cpus: 2, [[(0, 1), (1, 2)], [(0, 0), (1, 2)], []]) == nil)
  }

  /// CPU 1 is enabled in only one of two states.
  @Test func cpusThatAreSometimesDisabledNeedNotStep() {
    #expect(livelock(cpus: 2, [[(0, 1), (1, 2)], [(0, 0)], []]) == "(0*2)")
  }

  @Test func everybodyGoesRound() {
    #expect(livelock(cpus: 2, [[(0, 0), (1, 0)]]) == "(0,1)")
  }

  /// Two components: the fair one comes later.
  @Test func theUnfairComponentIsPassed() {
    #expect(
      livelock(cpus: 2, [[(0, 1)], [(0, 1), (1, 2)], [(1, 3)], [(1, 3)]]) == "0,1*2,(1)")
  }

  @Test func theEarliestIsFoundAndThenTheShortest() {
    // State 3 has a round of two steps, state 4 of one; both are two steps away.
    let edges: [[(cpu: Int, target: Int)]] = [
      [(0, 1), (0, 2)], [(0, 3)], [(0, 4)], [(0, 5)], [(0, 4)], [(0, 3)],
    ]
    #expect(livelock(cpus: 1, edges) == "0:1,0,(0)")
  }

  @Test func choicesAreSteps() {
    #expect(livelock(cpus: 1, [[(0, 1), (0, 0)], []]) == "(0:1)")
  }

  // MARK: Rounds

  /// The quickly found round is also fair, but not always the shortest.
  @Test func largeComponentsGetSomeRound() {
    let edges: [[(cpu: Int, target: Int)]] = [
      [(0, 1), (1, 2), (2, 0)], [(0, 2), (1, 0), (2, 1)], [(0, 0), (1, 1), (2, 2)],
    ]
    let graph = StateGraph(cpuCount: 3)
    for (state, edges) in edges.enumerated() {
      graph.add(CPUSet.first(3), WrittenGraph(cpus: 3, [edges]))
      for (number, edge) in graph.edges(of: state).enumerated() {
        graph.setTarget(of: edge, to: edges[number].target)
      }
    }
    let exact = Livelocks(graph).simplest()
    #expect(exact?.schedule.text == "(0,1,2)")
    #expect(exact?.isShortest == true)
    let quick = Livelocks(graph, pairsMax: 1).simplest()
    #expect(quick?.isShortest == false)
    #expect(Set(quick?.schedule.steps.map(\.cpu) ?? []) == [0, 1, 2])
    #expect(quick?.schedule.loop == 0)
  }

  // MARK: Bounds

  private let endless: [[(cpu: Int, target: Int)]] =
    (0..<100).map { [(0, $0 + 1)] } + [[(0, 100)]]

  private func search(_ limits: Limits) -> SearchResult {
    LivenessSearch(WrittenGraph(cpus: 1, endless), SearchOptions(limits: limits)).run()
  }

  @Test func boundsAreExact() {
    #expect(search(Limits(states: 50)).ending == .bounded(.states))
    #expect(search(Limits(depth: 50)).ending == .bounded(.depth))
    #expect(search(Limits(seconds: 0)).ending == .bounded(.seconds))
    #expect(search(Limits()).schedule?.text == "0*100,(0)")
    #expect(search(Limits()).isSimplest)
  }

  /// A livelock found up to a bound is genuine, but there may be a simpler one beyond the bound.
  @Test func violationsWithinABoundAreFound() {
    let edges: [[(cpu: Int, target: Int)]] = [[(0, 1), (0, 2)], [(0, 1)]] + [[(0, 3)], []]
    let options = SearchOptions(limits: Limits(states: 3))
    let result = LivenessSearch(WrittenGraph(cpus: 1, edges), options).run()
    #expect(result.schedule?.text == "0,(0)")
    #expect(!result.isSimplest)
  }

  /// In a large graph livelocks are looked for before all states are known.
  @Test func aLivelockIsFoundInAPartOfTheStates() {
    let edges = [[(0, 1), (0, 2)], [(0, 1)]] + endless.dropLast(2).map { [(0, $0[0].target + 2)] }
    func search(_ nextLook: Int?) -> SearchResult {
      let search = LivenessSearch(WrittenGraph(cpus: 1, edges + [[]]), SearchOptions())
      if let nextLook { search.nextLook = nextLook }
      return search.run()
    }
    #expect(search(nil).statistics.states == 102)
    #expect(search(nil).schedule?.text == "0,(0)")
    #expect(search(nil).isSimplest)
    for nextLook in [4, 64] {
      let part = search(nextLook)
      #expect(part.ending == .violation)
      #expect(part.statistics.states == nextLook)
      #expect(part.schedule?.text == "0,(0)")
      #expect(!part.isSimplest)
    }
  }

  /// It goes on with twice as many states if there is none.
  @Test func itIsLookedForAgain() {
    let search = LivenessSearch(WrittenGraph(cpus: 1, endless), SearchOptions())
    search.nextLook = 2
    #expect(search.run().schedule?.text == "0*100,(0)")
    #expect(search.nextLook == 128)
  }

  // MARK: Random programs

  /// The number of 40 programs that have a violation, mostly a livelock.
  @Test(.tags(.fuzz, .long), .unlessQuick, arguments: zip(0..<4, [29, 30, 29, 26]))
  func theOracleAgrees(chunk: Int, violated: Int) {
    var fuzzer = Fuzzer(.exhaustive)
    fuzzer.hasRepeats = true
    fuzzer.piece = 7
    let first = UInt64(chunk * 40)
    let report = fuzzer.run(seeds: first..<(first + 40), size: .small)
    #expect(report.mismatches == [])
    #expect(report.skipped == 0)
    #expect(report.violated == violated)
  }

  /// If no CPU repeats there is no cycle, and the search is an exhaustive one.
  @Test func programsWithoutRepetitionHaveNone() {
    let fuzzer = Fuzzer { LivenessSearch($0, $1).run() }
    let report = fuzzer.run(seeds: 0..<600, size: .small)
    #expect(report.mismatches == [])
    #expect(report.violated > 0)
    for seed in 0..<300 as Range<UInt64> {
      let search = LivenessSearch(Machine(randomScenario(seed: seed)), SearchOptions()).run()
      #expect(search.statistics.states == states(of: randomScenario(seed: seed)).statistics.states)
    }
  }
}
