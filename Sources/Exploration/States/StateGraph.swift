// The states of a system and the steps between them, by number, for finding livelocks.

import GracewalkSupport

/// The graph of the states that a search has visited so far.
///
/// States are numbered in order of discovery; state 0 is the first. Invariant: a state's edges are
/// contiguous, in the order of CPUs and choices.
package final class StateGraph {
  struct Edge: BitwiseCopyable {
    /// The state it leads to, or `unknown`.
    var target: UInt32
    var choice: UInt32
    var cpu: UInt8
    /// Whether no execution takes it forever.
    var isStale = false

    var step: Schedule.Step { Schedule.Step(cpu: Int(cpu), choice: Int(choice)) }
  }

  /// Marks the CPU of a stale edge in a checkpoint.
  private static let staleBit: UInt32 = 1 << 31

  /// The target of an edge that has not been followed yet.
  static let unknown: UInt32 = .max

  let cpuCount: Int
  private let enabled = GrowableBuffer<CPUSet>(capacity: 1_024)
  /// The start of each state's edges, which end at the start of the next.
  private let starts = GrowableBuffer<Int>(capacity: 1_024)
  private let edges = GrowableBuffer<Edge>(capacity: 4_096)

  package init(cpuCount: Int) { self.cpuCount = cpuCount }

  deinit {
    enabled.deallocate()
    starts.deallocate()
    edges.deallocate()
  }

  var count: Int { starts.count }

  /// Bytes used.
  var bytes: Int { count * 16 + edges.count * MemoryLayout<Edge>.stride }

  /// Adds a system's current state, with edges of unknown target.
  package func add(
    _ cpus: CPUSet, cutOff: CPUSet = CPUSet(), _ system: TransitionSystem
  ) {
    enabled.append(cpus.union(cutOff))
    starts.append(edges.count)
    var left = cpus
    while let cpu = left.popLowest() {
      for choice in 0..<system.choiceCount(of: cpu) {
        edges.append(
          Edge(
            target: StateGraph.unknown, choice: UInt32(truncatingIfNeeded: choice),
            cpu: UInt8(truncatingIfNeeded: cpu), isStale: system.isStale(cpu, choice: choice)))
      }
    }
    checkInvariants(of: count - 1)
  }

  @inline(__always)
  package func edges(of state: Int) -> Range<Int> {
    starts[state]..<(state + 1 < starts.count ? starts[state + 1] : edges.count)
  }

  @inline(__always)
  subscript(edge: Int) -> Edge { edges[edge] }

  /// The edge of a step.
  func edge(of state: Int, _ cpu: Int, _ choice: Int) -> Int {
    var edge = edges(of: state).lowerBound
    while Int(edges[edge].cpu) != cpu { edge += 1 }
    return edge + choice
  }

  /// True if a state has edges of certain CPUs and no others, in their order.
  func hasEdges(of state: Int, _ cpus: CPUSet) -> Bool {
    var last = (cpu: -1, choice: -1)
    var found = CPUSet()
    for edge in edges(of: state) {
      let (cpu, choice) = (edges[edge].step.cpu, edges[edge].step.choice)
      guard cpu == last.cpu ? choice == last.choice + 1 : cpu > last.cpu && choice == 0 else {
        return false
      }
      found.insert(cpu)
      last = (cpu, choice)
    }
    return found == cpus
  }

  /// Adds a state of another graph, whose edges lead to states with other numbers here.
  func add(_ state: Int, of other: StateGraph, target: (UInt32) -> UInt32) {
    enabled.append(other.enabled[state])
    starts.append(edges.count)
    for index in other.edges(of: state) {
      var edge = other.edges[index]
      if edge.target != StateGraph.unknown { edge.target = target(edge.target) }
      edges.append(edge)
    }
    checkInvariants(of: count - 1)
  }

  /// Forgets everything, and keeps the memory.
  func removeAll() {
    enabled.removeAll()
    starts.removeAll()
    edges.removeAll()
  }

  package func setTarget(of edge: Int, to state: Int) {
    edges.pointer(to: edge).pointee.target = UInt32(truncatingIfNeeded: state)
  }

  @inline(__always)
  func enabled(in state: Int) -> CPUSet { enabled[state] }

  /// CPUs that are disabled there, so a fair execution may stay there without their steps.
  @inline(__always)
  func disabled(in state: Int) -> CPUSet { CPUSet.first(cpuCount).subtracting(enabled[state]) }

  // MARK: Checkpoints

  func save(to writer: CheckpointWriter) {
    writer.write(count)
    for state in 0..<count {
      writer.write(enabled[state])
      let edges = edges(of: state)
      writer.write(edges.count)
      for edge in edges {
        writer.write(self.edges[edge].target)
        writer.write(self.edges[edge].choice)
        writer.write(
          UInt32(self.edges[edge].cpu) | (self.edges[edge].isStale ? StateGraph.staleBit : 0))
      }
    }
  }

  /// Reads a saved graph into an empty one.
  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    let total = try reader.count(ofBytes: 16)
    for _ in 0..<total {
      enabled.append(try reader.cpus())
      starts.append(edges.count)
      for _ in 0..<(try reader.count(ofBytes: 12)) {
        let target = try reader.half()
        let choice = try reader.half()
        let number = try reader.half()
        let cpu = number & ~StateGraph.staleBit
        guard target == StateGraph.unknown || target < total, cpu < cpuCount else {
          throw .malformed
        }
        let isStale = number != cpu
        edges.append(Edge(target: target, choice: choice, cpu: UInt8(cpu), isStale: isStale))
      }
    }
  }
}
