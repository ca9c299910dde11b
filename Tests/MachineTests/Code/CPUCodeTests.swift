// The interface for code on virtual CPUs: an interpreter behaves like closures, in fewer states.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport
import TestSupport
import Testing

/// Two CPUs each read a word three times, keep the largest value, and try to be the first to report
/// it; a third one writes to the word.
private func readers(interpreted: Bool, over words: inout [Location]) -> Scenario {
  let scenario = Scenario()
  let word = scenario.word("word")
  let answer = scenario.word("answer")
  words = [word, answer]
  for name in ["first", "second"] {
    if interpreted {
      // Register 0 is the largest so far, 1 what was read, 2 the number of reads.
      scenario.interpret(
        name,
        [
          .load(word, into: 1),
          .compute {
            $0[0] = max($0[0], $0[1])
            $0[1] = 0
            $0[2] += 1
          },
          .jump(to: 0) { $0[2] < 3 },
          .compute { $0[3] = $0[0] + 1 },
          .compareExchange(answer, expected: 0, from: 3, into: 1),
          .compute { if $0[1] != 0 { $0[0] = 99 } },
          .finish(result: 0),
        ])
    } else {
      scenario.cpu(
        name,
        CPUOperation("operation 0") { cpu in
          var largest: UInt64 = 0
          for _ in 0..<3 { largest = max(largest, try cpu.load(word, .relaxed)) }
          let found = try cpu.compareExchange(
            answer, expected: 0, desired: largest + 1, .relaxed)
          return found.exchanged ? largest : 99
        })
    }
  }
  if interpreted {
    scenario.interpret(
      "writer",
      [
        .compute { $0[0] = 1 }, .store(word, from: 0), .compute { $0[0] = 2 },
        .store(word, from: 0), .compute { $0[0] = 0 }, .store(word, from: 0), .finish(result: 0),
      ])
  } else {
    scenario.cpu(
      "writer",
      CPUOperation("operation 0") { cpu in
        for value: UInt64 in [1, 2, 0] { try cpu.store(word, value, .relaxed) }
        return UInt64(0)
      })
  }
  return scenario
}

private func readers(interpreted: Bool) -> Scenario {
  var words: [Location] = []
  return readers(interpreted: interpreted, over: &words)
}

/// A CPU reads a word until it is not zero; another one may write to it.
private func waiter(isWoken: Bool, mayRepeat: Bool) -> Scenario {
  let scenario = Scenario()
  scenario.mayRepeat = mayRepeat
  let word = scenario.word("word")
  let other = scenario.word("other")
  scenario.interpret(
    "waiter",
    [.load(word, into: 0), .jump(to: 0) { $0[0] == 0 }, .finish(result: 0)])
  scenario.interpret(
    "writer",
    [.compute { $0[0] = 1 }, .store(isWoken ? word : other, from: 0), .finish(result: 0)])
  return scenario
}

struct CPUCodeTests {
  // MARK: The same as closures

  @Test func everyInterleavingIsTheSame() {
    let closures = interleavings(of: readers(interpreted: false), collectingFinalStates: true)
    let values = interleavings(of: readers(interpreted: true), collectingFinalStates: true)
    // Three CPUs with 4, 4 and 3 steps: 11! / (4! 4! 3!).
    #expect(closures.statistics.executions == 11_550)
    #expect(values.statistics.executions == 11_550)
    #expect(values.statistics.transitions == closures.statistics.transitions)
    #expect(values.finalStates == closures.finalStates)
  }

  @Test func equalLocalStatesAreOneNode() {
    var closures: (result: SearchResult, nodes: Int)?
    var values: (result: SearchResult, nodes: Int)?
    for interpreted in [false, true] {
      let machine = Machine(readers(interpreted: interpreted))
      var options = SearchOptions()
      options.collectsFinalStates = true
      let result = ExhaustiveSearch(machine, options).run()
      machine.audit()
      #expect(machine.failure == nil)
      #expect(result.ending == .complete)
      if interpreted {
        values = (result, machine.localStateCount)
      } else {
        closures = (result, machine.localStateCount)
      }
    }
    #expect(values?.result.finalStates == closures?.result.finalStates)
    #expect(closures?.nodes == 198)
    #expect(values?.nodes == 32)
    #expect(closures?.result.statistics.states == 1_717)
    #expect(values?.result.statistics.states == 439)
  }

  @Test(arguments: [false, true])
  func reductionsAgree(isExact: Bool) {
    var options = SearchOptions()
    options.collectsFinalStates = true
    options.isExact = isExact
    let reference = states(of: readers(interpreted: false))
    let machine = Machine(readers(interpreted: true), isExact: isExact)
    let result = StatefulSearch(machine, options).run()
    #expect(result.ending == .complete)
    #expect(result.finalStates == reference.finalStates)
    machine.audit()
    #expect(machine.failure == nil)
    #expect(classes(of: readers(interpreted: true)).finalStates == reference.finalStates)
  }

  @Test(arguments: [false, true])
  func theVerdictIsTheSame(interpreted: Bool) {
    var words: [Location] = []
    let scenario = readers(interpreted: interpreted, over: &words)
    scenario.require(NeverEndsWith(words[1], equal: 3))
    let machine = Machine(scenario)
    let result = StatefulSearch(machine, SearchOptions()).run()
    #expect(result.ending == .violation)
    #expect(result.schedule?.text == "0*3,1*2,2*2,1,2,1,0")
    let right = readers(interpreted: interpreted, over: &words)
    right.require(NeverEndsWith(words[1], equal: 4))
    #expect(StatefulSearch(Machine(right), SearchOptions()).run().ending == .complete)
  }

  @Test func resultsAreNoted() {
    let machine = Machine(readers(interpreted: true))
    _ = ExhaustiveSearch(machine, SearchOptions()).run()
    #expect(Coverage(of: [machine]).operations[0].outcomes.map(\.code) == [0, 1, 2, 99])
  }

  /// A recording machine has a node for every step, with its place.
  @Test func executionsAreRecorded() {
    let recorder = StepRecorder()
    let machine = Machine(readers(interpreted: true), recorder: recorder)
    machine.take(2, 0, 0, 0, 0)
    #expect(
      recorder.steps.map(\.action) == [
        "store word ← 1", "load word", "load word", "load word", "cmpxchg answer 0 → 2",
      ])
    #expect(recorder.steps.map(\.operation) == [0, 0, 0, 0, 0])
  }

  // MARK: What decides whether states are equal

  /// The code forgets whether a page was published, but the machine does not.
  @Test func ownPagesTellStatesApart() {
    func scenario() -> Scenario {
      let scenario = Scenario()
      _ = scenario.rootTable()
      scenario.interpret(
        "owner",
        [
          .allocate(into: 0), .choose(2, into: 1), .jump(to: 4) { $0[1] == 0 }, .publish(0),
          .compute { $0[1] = 0 }, .map(0), .map(0), .finish(result: 1),
        ])
      return scenario
    }
    let machine = Machine(scenario())
    let merged = ExhaustiveSearch(machine, SearchOptions()).run()
    machine.audit()
    #expect(machine.failure == nil)
    let unrolled = ExhaustiveSearch(Machine(scenario(), unrolls: true), SearchOptions()).run()
    #expect(merged.statistics.transitions == unrolled.statistics.transitions)
    // One choice, and two stores to a page that others can reach.
    #expect(merged.statistics.transitions == 4)
    #expect(merged.statistics.states == unrolled.statistics.states)
  }

  @Test func unrollingMakesNoDifferenceToStates() {
    let merging = Machine(readers(interpreted: true))
    let unrolling = Machine(readers(interpreted: true), unrolls: true)
    let merged = ExhaustiveSearch(merging, SearchOptions()).run()
    let unrolled = ExhaustiveSearch(unrolling, SearchOptions()).run()
    #expect(merged.statistics.states == unrolled.statistics.states)
    #expect(merged.statistics.transitions == unrolled.statistics.transitions)
    #expect(merging.localStateCount < unrolling.localStateCount)
  }

  /// Code whose hash omits relevant state is detected.
  @Test func aHashThatLeavesOutSomethingIsFound() {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.interpret(
      "liar", forgetting: 0,
      [
        .choose(2, into: 0), .load(word, into: 1), .store(word, from: 0), .finish(result: 1),
      ])
    let machine = Machine(scenario)
    #expect(ExhaustiveSearch(machine, SearchOptions()).run().ending == .complete)
    #expect(machine.failure == nil)
    machine.audit()
    #expect(
      machine.failure
        == .notDeterministic(cpu: 0, expected: "store word ← 0", actual: "store word ← 1"))
  }

  // MARK: Loops

  @Test func aLoopMustBeAnnounced() {
    let machine = Machine(waiter(isWoken: true, mayRepeat: false))
    #expect(ExhaustiveSearch(machine, SearchOptions()).run().ending == .halted)
    guard case .badLoop(let cpu, let text) = machine.failure else {
      Issue.record("\(String(describing: machine.failure))")
      return
    }
    #expect(cpu == 0)
    #expect(text.contains("mayRepeat"))
  }

  /// A turn that changes nothing leads back to the node it began at, without any annotation.
  @Test func aTurnLeadsBack() {
    let machine = Machine(waiter(isWoken: true, mayRepeat: true))
    let start = machine.stateKey
    let count = machine.localStateCount
    machine.take(0)
    #expect(machine.stateKey == start)
    #expect(machine.localStateCount == count)
    machine.take(0, 0, 1, 0)
    #expect(machine.able == [])
    machine.audit()
    #expect(machine.failure == nil)
  }

  /// The only sign of a loop is that the code returns to a state.
  @Test func livelocksDifferFromWaiting() {
    for isWoken in [true, false] {
      let machine = Machine(waiter(isWoken: isWoken, mayRepeat: true))
      let result = LivenessSearch(machine, SearchOptions()).run()
      #expect(result.ending == (isWoken ? .complete : .violation))
      #expect(result.schedule?.text == (isWoken ? nil : "1,(0)"))
      #expect(machine.failure == nil)
    }
  }
}
