// Finding executions that loop forever in a graph of states, and the simplest of them.

import GracewalkSupport

/// Looks for livelocks in a graph of states.
///
/// A livelock is an execution that loops forever and is *fair*: every CPU that stays enabled takes
/// steps. (This is weak fairness: if a CPU never gets a lock that is free from time to time, that
/// is also a livelock.) The results of finished operations are part of a state, so no operation
/// ends within a cycle. No step of it is stale (`TransitionSystem.isStale`). A livelock stays in
/// one strongly connected component. A component contains one if and only if every CPU takes a step
/// in it or is disabled in one of its states: these steps and states can be joined into a round.
package struct Livelocks {
  /// A livelock as a schedule, and whether none is simpler.
  ///
  /// A livelock is simpler if it begins earlier, or as early with a shorter round.
  package struct Found {
    package var schedule: Schedule
    package var isShortest: Bool
  }

  private let graph: StateGraph
  private let components: StrongComponents
  private var fair: [Bool] = []
  /// The maximum number of pairs of a state and a set of CPUs in the search for the shortest round.
  private let pairsMax: Int

  package init(_ graph: StateGraph, pairsMax: Int = 1 << 24) {
    self.graph = graph
    self.pairsMax = pairsMax
    components = StrongComponents(graph, recurring: true)
    fair = fairComponents()
  }

  /// For each component whether a fair execution can stay in it forever.
  private func fairComponents() -> [Bool] {
    let count = components.count
    let everybody = CPUSet.first(graph.cpuCount)
    var served = [CPUSet](repeating: CPUSet(), count: count)
    var hasEdge = [Bool](repeating: false, count: count)
    for state in 0..<graph.count where components[state] != StrongComponents.none {
      let component = Int(components[state])
      served[component] = served[component].union(graph.disabled(in: state))
      for edge in graph.edges(of: state) where components.stays(edge, in: component, of: graph) {
        served[component].insert(Int(graph[edge].cpu))
        hasEdge[component] = true
      }
    }
    return (0..<count).map { hasEdge[$0] && served[$0] == everybody }
  }

  // MARK: The simplest

  /// The livelock that begins earliest and, among those, has the shortest round; nil if there is
  /// none.
  ///
  /// Ties go to the first in the order of CPUs and choices.
  package func simplest() -> Found? {
    guard fair.contains(true) else { return nil }
    let (stems, heads) = earliest()
    var best: (head: Int, round: [Schedule.Step])?
    var isShortest = true
    var left = pairsMax
    var known: [UInt32: Rounds] = [:]
    for head in heads {
      let component = components[head]
      let rounds = known[component] ?? Rounds(graph, components.numbers, component)
      known[component] = rounds
      let isExact = rounds.pairs <= left
      if !isExact {
        isShortest = false
        if best != nil { continue }
      }
      left -= isExact ? rounds.pairs : 0
      let round = isExact ? rounds.shortest(from: head) : rounds.quick(from: head)
      if best.map({ round.count < $0.round.count }) ?? true { best = (head, round) }
    }
    guard let best else { return nil }
    let stem = steps(to: best.head, stems)
    return Found(
      schedule: Schedule(stem + best.round, loop: stem.count), isShortest: isShortest)
  }

  /// Breadth-first: the edge by which each state was reached, and the nearest states in which a
  /// livelock can begin.
  private func earliest() -> (stems: [Int: (edge: Int, from: Int)], heads: [Int]) {
    var stems: [Int: (edge: Int, from: Int)] = [:]
    var level = [0]
    while !level.isEmpty {
      let heads = level.filter { fair[Int(components[$0])] }
      if !heads.isEmpty { return (stems, heads) }
      var next: [Int] = []
      for state in level {
        for edge in graph.edges(of: state) where graph[edge].target != StateGraph.unknown {
          let target = Int(graph[edge].target)
          guard target != 0, stems[target] == nil else { continue }
          stems[target] = (edge, state)
          next.append(target)
        }
      }
      level = next
    }
    return (stems, [])
  }

  private func steps(
    to state: Int, _ stems: [Int: (edge: Int, from: Int)]
  ) -> [Schedule.Step] {
    var steps: [Schedule.Step] = []
    var state = state
    while let stem = stems[state] {
      steps.append(graph[stem.edge].step)
      state = stem.from
    }
    return steps.reversed()
  }
}
