// What a reduced search keeps of states, beside their edges: for programs that repeat.

import GracewalkSupport

/// For each state the CPUs that are followed there, and how it was first reached.
///
/// When nothing is left to follow, CPUs may be missing (`PersistentSets.repair`), in states that
/// are on no stack. So each state has a way on which a visitor can go back to it. That way names
/// CPUs, so identical CPUs are not exchanged in a reduced search (`SearchPlan`).
final class ReducedStates {
  /// How a state was first reached: from one with a lower number.
  struct Arrival: BitwiseCopyable {
    var parent: UInt32
    var choice: UInt32
    var cpu: UInt32
  }

  let sets: PersistentSets
  /// Per state the CPUs to follow.
  let chosen = GrowableBuffer<CPUSet>(capacity: 1_024)
  let arrivals = GrowableBuffer<Arrival>(capacity: 1_024)

  init(cpuCount: Int, without omitted: PersistentSets.Omission) {
    sets = PersistentSets(cpuCount: cpuCount, without: omitted)
  }

  deinit {
    chosen.deallocate()
    arrivals.deallocate()
  }

  var count: Int { arrivals.count }

  /// Bytes used.
  var bytes: Int { sets.bytes + count * (8 + MemoryLayout<Arrival>.stride) }

  /// Adds a system's state, and returns the CPUs to begin with there.
  ///
  /// - Parameter node: whose step led there; nil for the initial state.
  func add(
    _ enabled: CPUSet, _ system: TransitionSystem, from node: Visitor.Node?, isTruncated: Bool
  ) -> CPUSet {
    let cpus = sets.add(enabled, system)
    chosen.append(isTruncated ? CPUSet() : cpus)
    arrivals.append(
      Arrival(
        parent: node?.state ?? 0, choice: UInt32(truncatingIfNeeded: node?.choice ?? 0),
        cpu: UInt32(truncatingIfNeeded: node?.cpu ?? 0)))
    return cpus
  }

  /// Adds a state that a member has found.
  ///
  /// - Parameters:
  ///   - steps: the numbers of the steps that the member has entered.
  ///   - number: the number here of a state of the member.
  func add(
    _ state: Int, of member: ReducedStates, steps: [Int32], number: (UInt32) -> UInt32
  ) {
    sets.add(state, of: member.sets, steps)
    chosen.append(member.chosen[state])
    var arrival = member.arrivals[state]
    arrival.parent = number(arrival.parent)
    arrivals.append(arrival)
  }

  /// Adds CPUs where they are missing, and returns the states concerned with these CPUs, in
  /// ascending order.
  func repair(_ graph: StateGraph, threads: Int) -> [Visitor.Reopened] {
    let before = chosen.all.map(\.self)
    return sets.repair(graph, chosen, threads: threads).map { state in
      Visitor.Reopened(state: state, cpus: chosen[state].subtracting(before[state]))
    }
  }

  /// Forgets everything but the steps, and keeps the memory.
  func removeAll() {
    sets.roundHasEnded()
    chosen.removeAll()
    arrivals.removeAll()
  }

  // MARK: Checkpoints

  func save(to writer: CheckpointWriter) {
    for state in 0..<count {
      writer.write(chosen[state])
      let arrival = arrivals[state]
      for number in [arrival.parent, arrival.cpu, arrival.choice] { writer.write(number) }
    }
    sets.save(to: writer)
  }

  /// Reads what `save` wrote, about the states of a graph.
  func restore(
    from reader: CheckpointReader, _ graph: StateGraph, objectCount: Int
  ) throws(CheckpointError) {
    for state in 0..<graph.count {
      chosen.append(try reader.cpus())
      let parent = try reader.half()
      let (cpu, choice) = (try reader.half(), try reader.half())
      arrivals.append(Arrival(parent: parent, choice: choice, cpu: cpu))
      if state == 0 { continue }
      // A state is found from an earlier one, along an edge that leads to it. If two members had
      // that one, the edge may be left to the other.
      guard parent < state else { throw .malformed }
      let leads = graph.edges(of: Int(parent)).contains {
        graph[$0].step == Schedule.Step(cpu: Int(cpu), choice: Int(choice))
          && (graph[$0].target == state || graph[$0].target == StateGraph.unknown)
      }
      guard leads else { throw .malformed }
    }
    try sets.restore(from: reader, states: graph.count, objectCount: objectCount)
  }
}
