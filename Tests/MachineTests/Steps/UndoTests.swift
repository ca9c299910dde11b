// Steps are undone exactly: random walks over random programs, there and back.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport
import TestSupport
import Testing

struct UndoTests {
  /// Ten walks of each program, with a digression at random points.
  @Test(arguments: 0..<10)
  func everyDepthIsReturnedToExactly(chunk: Int) {
    for seed in UInt64(chunk * 40)..<UInt64(chunk * 40 + 40) {
      let machine = Machine(randomScenario(seed: seed))
      var random = SplitMix64(seed: seed)
      var states = [State(of: machine)]
      for _ in 0..<300 {
        if states.count > 1, random.below(3) == 0 {
          machine.undo()
          states.removeLast()
          #expect(State(of: machine) == states.last, "seed \(seed)")
        } else if let step = randomStep(of: machine, &random) {
          _ = machine.step(step.cpu, choice: step.choice)
          states.append(State(of: machine))
        }
      }
      while states.count > 1 {
        machine.undo()
        states.removeLast()
        #expect(State(of: machine) == states.last, "seed \(seed)")
      }
      #expect(machine.depth == 0)
    }
  }

  /// The hash kept up to date through steps and undos is that of a machine that never went back.
  @Test func theIncrementalHashIsThatOfAFreshMachine() {
    for seed in 0..<200 as Range<UInt64> {
      let machine = Machine(randomScenario(seed: seed))
      var random = SplitMix64(seed: ~seed)
      var steps: [Schedule.Step] = []
      for _ in 0..<200 {
        if !steps.isEmpty, random.below(5) < 2 {
          machine.undo()
          steps.removeLast()
        } else if let step = randomStep(of: machine, &random) {
          _ = machine.step(step.cpu, choice: step.choice)
          steps.append(step)
        }
      }
      let fresh = Machine(randomScenario(seed: seed))
      for step in steps { _ = fresh.step(step.cpu, choice: step.choice) }
      #expect(State(of: fresh) == State(of: machine), "seed \(seed)")
    }
  }
}

/// Everything observable about a machine.
private struct State: Equatable {
  var key: UInt64
  var able: [Int]
  var pending: [String]
  var local: [UInt64]
  var pages: [PageView]

  init(of machine: Machine) {
    key = machine.stateKey
    able = machine.able
    pending = machine.cpuNames.indices.map { machine.pendingText(of: $0) }
    local = machine.cpuNames.indices.map { machine.localHash(of: $0) }
    pages = machine.pages
  }
}
