// The strongly connected components of a graph of states.

import GracewalkSupport

/// The strongly connected components of the states that the followed edges of a graph reach.
///
/// They are found with Tarjan's algorithm ("Depth-first search and linear graph algorithms", 1972)
/// and numbered from 0, successors first: every edge stays in its component or leads to one with a
/// lower number.
struct StrongComponents {
  /// The component of a state that was not reached.
  static let none: UInt32 = .max

  /// For each state the number of its component.
  private(set) var numbers: [UInt32] = []
  private(set) var count = 0

  private struct Visit: BitwiseCopyable {
    var state: Int
    var next: Int
  }

  /// - Parameter recurring: whether to leave out stale edges, which no execution takes forever.
  init(_ graph: StateGraph, recurring: Bool = false) {
    let numbers = GrowableBuffer<UInt32>(repeating: Self.none, count: graph.count)
    let indices = GrowableBuffer<UInt32>(repeating: Self.none, count: graph.count)
    let low = GrowableBuffer<UInt32>(repeating: 0, count: graph.count)
    let open = GrowableBuffer<Int>()
    let visits = GrowableBuffer<Visit>()
    defer {
      for buffer in [numbers, indices, low] { buffer.deallocate() }
      open.deallocate()
      visits.deallocate()
    }
    var discovered: UInt32 = 0
    func enter(_ state: Int) {
      indices[state] = discovered
      low[state] = discovered
      discovered += 1
      open.append(state)
      visits.append(Visit(state: state, next: graph.edges(of: state).lowerBound))
    }
    // All states are reachable from the first, unless edges are left out.
    var roots = recurring ? graph.count : min(graph.count, 1)
    while true {
      if visits.isEmpty {
        while roots > 0, indices[roots - 1] != Self.none { roots -= 1 }
        if roots == 0 { break }
        enter(roots - 1)
      }
      let (state, next) = (visits.last.state, visits.last.next)
      if next < graph.edges(of: state).upperBound {
        visits.pointer(to: visits.count - 1).pointee.next += 1
        let target = graph[next].target
        if target == StateGraph.unknown || recurring && graph[next].isStale { continue }
        if indices[Int(target)] == Self.none {
          enter(Int(target))
        } else if numbers[Int(target)] == Self.none {
          low[state] = min(low[state], indices[Int(target)])
        }
        continue
      }
      visits.truncate(to: visits.count - 1)
      if !visits.isEmpty {
        let parent = visits.last.state
        low[parent] = min(low[parent], low[state])
      }
      guard low[state] == indices[state] else { continue }
      var member = -1
      while member != state {
        member = open.removeLast()
        numbers[member] = UInt32(count)
      }
      count += 1
    }
    self.numbers = Array(numbers.all)
  }

  subscript(state: Int) -> UInt32 { numbers[state] }

  /// The states in the order of their components, and where each component's states begin, with one
  /// more place for the end.
  var members: (states: [Int], starts: [Int]) {
    var starts = [Int](repeating: 0, count: count + 1)
    for number in numbers where number != Self.none { starts[Int(number) + 1] += 1 }
    for component in 0..<count { starts[component + 1] += starts[component] }
    var states = [Int](repeating: 0, count: starts[count])
    var next = starts
    for (state, number) in numbers.enumerated() where number != Self.none {
      states[next[Int(number)]] = state
      next[Int(number)] += 1
    }
    return (states, starts)
  }

  /// True if an edge stays in a component.
  func stays(_ edge: Int, in component: Int, of graph: StateGraph) -> Bool {
    let target = graph[edge].target
    return target != StateGraph.unknown && !graph[edge].isStale
      && numbers[Int(target)] == UInt32(component)
  }
}
