// Fair rounds in a strongly connected component: the shortest, or any if that is too expensive.

import GracewalkSupport

/// The fair paths from a state of a component back to it: every CPU takes a step or is disabled
/// once.
struct Rounds {
  private let graph: StateGraph
  /// The states of the component, in the order of their numbers.
  private var members: [Int] = []
  private var positions: [Int: Int] = [:]
  /// CPUs enabled in some of the states.
  private var cpus: [Int] = []

  init(_ graph: StateGraph, _ components: [UInt32], _ component: UInt32) {
    self.graph = graph
    var stuck = CPUSet.first(graph.cpuCount)
    for state in 0..<graph.count where components[state] == component {
      positions[state] = members.count
      members.append(state)
      stuck = stuck.intersection(graph.disabled(in: state))
    }
    cpus = (0..<graph.cpuCount).filter { !stuck.contains($0) }
  }

  /// The number of pairs of a state and a set of CPUs that a search for the shortest examines.
  var pairs: Int {
    let (count, overflows) = members.count.multipliedReportingOverflow(by: 1 << min(cpus.count, 40))
    return overflows ? Int.max : count
  }

  /// The CPUs of a set, as bits numbered in the order of `cpus`.
  private func bits(_ set: CPUSet) -> Int {
    var bits = 0
    for (bit, cpu) in cpus.enumerated() where set.contains(cpu) { bits |= 1 << bit }
    return bits
  }

  private struct Arrival {
    var pair: Int
    var from: Int
    var edge: Int
  }

  /// The shortest round; ties go to the first in the order of CPUs and choices.
  ///
  /// Breadth-first over pairs of a state and the CPUs that have stepped or been disabled so far.
  func shortest(from head: Int) -> [Schedule.Step] {
    let all = (1 << cpus.count) - 1
    let disabled = members.map { bits(graph.disabled(in: $0)) }
    let home = positions[head] ?? 0
    let width = cpus.count
    var isKnown = [Bool](repeating: false, count: members.count << width)
    var arrivals = [Arrival(pair: home << width | disabled[home], from: -1, edge: -1)]
    isKnown[arrivals[0].pair] = true
    var next = 0
    while next < arrivals.count {
      let (place, seen) = (arrivals[next].pair >> width, arrivals[next].pair & all)
      for edge in graph.edges(of: members[place]) {
        guard let target = position(after: edge) else { continue }
        let now = seen | bits(CPUSet(Int(graph[edge].cpu))) | disabled[target]
        if target == home && now == all {
          return steps(arrivals, to: next) + [graph[edge].step]
        }
        let pair = target << width | now
        if isKnown[pair] { continue }
        isKnown[pair] = true
        arrivals.append(Arrival(pair: pair, from: next, edge: edge))
      }
      next += 1
    }
    fatalError("[internal] a fair component has no fair round")
  }

  /// Some round: repeatedly takes the shortest path that serves another CPU, then the shortest path
  /// back.
  func quick(from head: Int) -> [Schedule.Step] {
    let all = CPUSet(bits: cpus.reduce(0) { $0 | CPUSet($1).bits })
    var served = graph.disabled(in: head).intersection(all)
    var steps: [Schedule.Step] = []
    var state = head
    while served != all || state != head || steps.isEmpty {
      let missing = all.subtracting(served)
      let part = way(from: state) { edge, target in
        if missing.isEmpty { return target == head }
        return missing.contains(Int(graph[edge].cpu))
          || !graph.disabled(in: target).isDisjoint(with: missing)
      }
      for edge in part {
        steps.append(graph[edge].step)
        state = Int(graph[edge].target)
        served.insert(Int(graph[edge].cpu))
        served = served.union(graph.disabled(in: state)).intersection(all)
      }
    }
    return steps
  }

  /// The shortest path, of at least one edge, that ends with a matching edge.
  private func way(from state: Int, _ isMatch: (Int, Int) -> Bool) -> [Int] {
    var arrivals = [Arrival(pair: state, from: -1, edge: -1)]
    var known: Set<Int> = [state]
    var next = 0
    while next < arrivals.count {
      for edge in graph.edges(of: arrivals[next].pair) where position(after: edge) != nil {
        let target = Int(graph[edge].target)
        if isMatch(edge, target) { return edges(arrivals, to: next) + [edge] }
        if known.insert(target).inserted {
          arrivals.append(Arrival(pair: target, from: next, edge: edge))
        }
      }
      next += 1
    }
    fatalError("[internal] a component is not strongly connected")
  }

  private func position(after edge: Int) -> Int? {
    let target = graph[edge].target
    return target == StateGraph.unknown || graph[edge].isStale ? nil : positions[Int(target)]
  }

  private func edges(_ arrivals: [Arrival], to last: Int) -> [Int] {
    var edges: [Int] = []
    var index = last
    while arrivals[index].from >= 0 {
      edges.append(arrivals[index].edge)
      index = arrivals[index].from
    }
    return edges.reversed()
  }

  private func steps(_ arrivals: [Arrival], to last: Int) -> [Schedule.Step] {
    edges(arrivals, to: last).map { graph[$0].step }
  }
}
