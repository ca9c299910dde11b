// Livelocks found by a slow and obvious method, to test the liveness search.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport

/// All states of a scenario, and whether an execution can loop in them forever.
///
/// It shares no code with `LivenessSearch`: model code runs in every turn of every loop, states are
/// kept in dictionaries, and fair infinite executions are found by a greatest fixed point (Emerson
/// and Lei, "Efficient model checking in fragments of the propositional mu-calculus", 1986), not by
/// components.
struct LivelockOracle {
  private struct Edge {
    var cpu: Int
    var target: Int
    /// Whether no execution takes it forever.
    var isStale: Bool
  }

  private(set) var ending = Ending.complete
  private(set) var finalStates: Set<UInt64> = []
  private var numbers: [UInt64: Int] = [:]
  private var enabled: [CPUSet] = []
  private var edges: [[Edge]] = []
  private let cpuCount: Int

  var stateCount: Int { edges.count }

  init(_ scenario: Scenario, statesMax: Int) {
    let machine = Machine(scenario, unrolls: true)
    cpuCount = machine.cpuCount
    if machine.judgeStart() != .clean {
      ending = machine.failure == nil ? .violation : .halted
      return
    }
    explore(machine, statesMax)
  }

  // MARK: States

  private mutating func explore(_ machine: Machine, _ statesMax: Int) {
    var open: [(state: Int, steps: [Schedule.Step])] = []
    _ = number(machine, &open)
    while let (state, steps) = open.last {
      guard let step = steps.first else {
        open.removeLast()
        if !open.isEmpty { machine.undo() }
        continue
      }
      open[open.count - 1].steps.removeFirst()
      let isStale = machine.isStale(step.cpu, choice: step.choice)
      let outcome = machine.step(step.cpu, choice: step.choice)
      guard outcome == .clean else {
        ending = outcome == .violation ? .violation : .halted
        return
      }
      let deeper = open.count
      let target = number(machine, &open)
      edges[state].append(Edge(cpu: step.cpu, target: target, isStale: isStale))
      guard ending == .complete else { return }
      if edges.count > statesMax {
        ending = .bounded(.states)
        return
      }
      if open.count == deeper { machine.undo() }
    }
  }

  /// The number of the machine's state; a new state is added and expanded.
  private mutating func number(
    _ machine: Machine, _ open: inout [(state: Int, steps: [Schedule.Step])]
  ) -> Int {
    if let known = numbers[machine.stateKey] { return known }
    let number = edges.count
    numbers[machine.stateKey] = number
    let steppable = machine.enabledCPUs()
    // A CPU that an assumption cuts off is never served again, so no loop from here on is fair.
    enabled.append(steppable.union(machine.cutOffCPUs))
    edges.append([])
    let able = (0..<cpuCount).filter { steppable.contains($0) }
    if able.isEmpty {
      finalStates.insert(machine.stateKey)
      if machine.judgeEnd() == .violation { ending = .violation }
    }
    let steps = able.flatMap { cpu in
      (0..<machine.choiceCount(of: cpu)).map { Schedule.Step(cpu: cpu, choice: $0) }
    }
    open.append((number, steps))
    return number
  }

  // MARK: Going round

  /// For each state, the edges that an execution may take forever.
  private func recurring(_ state: Int) -> [Edge] { edges[state].filter { !$0.isStale } }

  /// For each state, its predecessors on executions that loop.
  private var sources: [[Int]] {
    var sources = [[Int]](repeating: [], count: edges.count)
    for state in edges.indices {
      for edge in recurring(state) { sources[edge.target].append(state) }
    }
    return sources
  }

  /// The allowed states from which a target can be reached through allowed states.
  private func leading(
    to goals: [Int], _ sources: [[Int]], in allowed: [Bool]
  ) -> [Bool] {
    var found = [Bool](repeating: false, count: edges.count)
    var open = goals
    for goal in goals { found[goal] = true }
    while let next = open.popLast() {
      for source in sources[next] where allowed[source] && !found[source] {
        found[source] = true
        open.append(source)
      }
    }
    return found
  }

  /// For each state, whether a fair execution can continue from it forever.
  private var fair: [Bool] {
    let sources = sources
    var fair = [Bool](repeating: true, count: edges.count)
    var before: [Bool] = []
    while fair != before {
      before = fair
      for cpu in 0..<cpuCount {
        // The states from which the CPU can be served again without leaving the set.
        let good = edges.indices.filter { state in
          fair[state]
            && recurring(state).contains { edge in
              fair[edge.target] && (edge.cpu == cpu || !enabled[state].contains(cpu))
            }
        }
        fair = leading(to: good, sources, in: fair)
      }
    }
    return fair
  }

  var hasLivelock: Bool { fair.contains(true) }

  /// The states nearest to the start that lie on a fair round, and their distance.
  var earliest: (steps: Int, states: [Int])? {
    let fair = fair
    guard fair.contains(true) else { return nil }
    let sources = sources
    var level = [0]
    var known: Set<Int> = [0]
    var steps = 0
    while !level.isEmpty {
      let heads = level.filter { fair[$0] && isOnFairRound($0, sources) }
      if !heads.isEmpty { return (steps, heads) }
      let next = level.flatMap { edges[$0].map(\.target) }
      level = next.filter { known.insert($0).inserted }
      steps += 1
    }
    return nil
  }

  /// True if a fair execution can loop through a state.
  private func isOnFairRound(_ state: Int, _ sources: [[Int]]) -> Bool {
    let everywhere = [Bool](repeating: true, count: edges.count)
    let back = leading(to: [state], sources, in: everywhere)
    let round = reachable(from: state).filter { back[$0] }
    return !round.isEmpty
      && (0..<cpuCount).allSatisfy { cpu in
        round.contains { member in
          !enabled[member].contains(cpu)
            || recurring(member).contains { $0.cpu == cpu && round.contains($0.target) }
        }
      }
  }

  /// States reachable by at least one step.
  private func reachable(from state: Int) -> Set<Int> {
    var found: Set<Int> = []
    var open = [state]
    while let next = open.popLast() {
      for edge in recurring(next) where found.insert(edge.target).inserted {
        open.append(edge.target)
      }
    }
    return found
  }

  /// True if a fair round of at most `steps` steps leads back to a state; tries all.
  func hasRound(from state: Int, ofAtMost steps: Int) -> Bool {
    hasRound(home: state, at: state, steps, served: CPUSet())
  }

  private func hasRound(home: Int, at state: Int, _ left: Int, served: CPUSet) -> Bool {
    let here = served.union(CPUSet.first(cpuCount).subtracting(enabled[state]))
    guard left > 0 else { return false }
    return recurring(state).contains { edge in
      let now = here.union(CPUSet(edge.cpu))
      if edge.target == home && now == CPUSet.first(cpuCount) { return true }
      return hasRound(home: home, at: edge.target, left - 1, served: now)
    }
  }
}
