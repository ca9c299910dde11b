// A visitor goes back to states in which a reduced search has not followed all that it must.

import GracewalkSupport

extension Visitor {
  /// A state that was visited, and CPUs that are to be followed there, too.
  struct Reopened: BitwiseCopyable {
    var state: Int
    var cpus: CPUSet
  }

  /// Takes states to go back to; the first will be the first.
  func reopen(_ states: some BidirectionalCollection<Reopened>) {
    reopenedIndex = 0
    for state in states.reversed() { reopened.append(state) }
  }

  /// Gives the latter half of the states that are left.
  func giveReopened(to other: Visitor) -> Bool {
    let states = reopened.all.map(\.self)
    let count = states.count / 2
    for state in states.prefix(count) { other.reopened.append(state) }
    other.reopenedIndex = 0
    reopened.removeAll()
    for state in states.dropFirst(count) { reopened.append(state) }
    return true
  }

  /// Goes to the next of these states: back to the last state on the stack that is on the way
  /// there, then along the way.
  func reopenNext() {
    let next = reopened.removeLast()
    let states = knownReduced?.takeUnretainedValue() ?? reduced
    guard let states else { return }
    var way = [next.state]
    while let state = way.last, state != 0 { way.append(Int(states.arrivals[state].parent)) }
    way.reverse()
    let stack = nodes.all
    let common = zip(stack, way).prefix { Int($0.state) == $1 }.count
    for _ in max(common, 1)..<max(nodes.count, 1) { system.undo() }
    nodes.truncate(to: common)
    for state in way[common...] {
      if !nodes.isEmpty { step(along: states.arrivals[state]) }
      nodes.append(
        Node(
          state: UInt32(truncatingIfNeeded: state), enabled: states.sets.steppable[state],
          left: CPUSet()))
    }
    reopenedIndex = nodes.count - 1
    let top = nodes.pointer(to: reopenedIndex)
    top.pointee.left = next.cpus
    (top.pointee.choice, top.pointee.choiceCount) = (0, 0)
  }

  private func step(along arrival: ReducedStates.Arrival) {
    let node = nodes.pointer(to: nodes.count - 1)
    (node.pointee.cpu, node.pointee.choice) = (Int(arrival.cpu), Int(arrival.choice))
    node.pointee.choiceCount = node.pointee.choice + 1
    let outcome = system.step(node.pointee.cpu, choice: node.pointee.choice)
    demand(outcome == .clean, "[internal] a path could not be gone along again")
  }

  // MARK: Checkpoints

  func saveReopened(to writer: CheckpointWriter) {
    writer.write(min(reopenedIndex, max(nodes.count - 1, 0)))
    writer.write(reopened.count)
    for state in reopened.all {
      writer.write(state.state)
      writer.write(state.cpus)
    }
  }

  /// - Parameter limit: greater than the number of every known state.
  func restoreReopened(
    from reader: CheckpointReader, statesBelow limit: Int
  ) throws(CheckpointError) {
    reopenedIndex = try reader.number(in: 0..<max(nodes.count, 1))
    let states = knownReduced?.takeUnretainedValue() ?? reduced
    for _ in 0..<(try reader.count(ofBytes: 16)) {
      let state = try reader.number(in: 0..<limit)
      let cpus = try reader.cpus()
      guard let states, cpus.subtracting(states.sets.steppable[state]).isEmpty, !cpus.isEmpty
      else { throw .malformed }
      reopened.append(Reopened(state: state, cpus: cpus))
    }
  }
}
