// Growing the graph of local states: code runs from a node to its next action.

import GracewalkFibers
import GracewalkSupport

extension Machine {
  /// After this many consecutive local actions, the code is assumed to loop forever.
  private static let localActionsMax = 10_000

  /// Takes the local actions from a node, up to the first that is not local.
  func takeLocalActions(of cpu: Int, from start: LocalStates.Index) -> LocalStates.Index {
    var node = start
    var count = 0
    while localStates[node].pointee.action.isLocal && failure == nil {
      let action = localStates[node].pointee.action
      recorder?.willTake(action, choosing: 0, by: cpu, in: self)
      let result = perform(action, by: cpu)
      recorder?.didTake(action, by: cpu, observing: result, in: self)
      let next = localStates.successor(of: node, observing: result)
      node = next >= 0 ? next : grow(cpu, from: node, observing: result)
      count += 1
      if count > Machine.localActionsMax { fail(.spin(cpu: cpu, location: "memory of its own")) }
    }
    return node
  }

  /// Runs the code for a new edge: from a node, with a result; returns the node at which it stops.
  func grow(
    _ cpu: Int, from node: LocalStates.Index, observing result: UInt64
  ) -> LocalStates.Index {
    let code = cpus[cpu].code
    code.advance(from: node, observing: result)
    guard let known = knownNode(of: cpu, code, from: node) else {
      return addNode(of: cpu, from: node, observing: result)
    }
    localStates.connect(node, to: known, observing: result)
    noteWay(to: known, from: node, cpu)
    return known
  }

  /// Adds a node for the state in which a CPU's code has stopped.
  func addNode(
    of cpu: Int, from parent: LocalStates.Index, observing result: UInt64,
    isLocal known: Bool? = nil
  ) -> LocalStates.Index {
    let code = cpus[cpu].code
    let state = code.state
    var action = state.action
    if failure == nil { action.isLocal = known ?? isLocal(action, cpu) }
    coverage.note(Facets(action, format))
    let node = localStates.add(
      LocalStates.Node(
        action: action, keyShare: StableHash.share(of: state.hash, at: ~UInt64(cpu)),
        localHash: state.hash, identity: state.identity, operation: Int32(state.operation),
        cpu: UInt8(cpu), isBlocking: mayHaveToWait(action)),
      from: parent, observing: result)
    noteGrowth(node, from: parent, cpu)
    merged?.note(
      node, behind: parent, ownPages(of: cpu), of: code.mergesStates ? cpu : nil, state)
    code.didStop(at: node)
    if !code.beginsAgain { noteIdleSteps(node, cpu) }
    recorder?.didReach(code.place, by: cpu)
    return node
  }

  /// The existing node for the state in which code has just stopped; nil if it needs a new one.
  private func knownNode(
    of cpu: Int, _ code: any CPUCode, from node: LocalStates.Index
  ) -> LocalStates.Index? {
    guard let merged, failure == nil else { return nil }
    if code.mergesStates { return equalNode(of: cpu, code.state, from: node, in: merged) }
    return code.beginsAgain ? headOfLoop(of: cpu, code.state, from: node, in: merged) : nil
  }

  /// The node of an equal local state in which the same actions are local.
  private func equalNode(
    of cpu: Int, _ state: LocalState, from node: LocalStates.Index, in merged: MergedStates
  ) -> LocalStates.Index? {
    if merged.unrolls { return nil }
    guard let known = merged.node(of: cpu, state, ownPages(of: cpu)) else { return nil }
    check(cpu, standsAt: known)
    if failure != nil { return nil }
    guard mayRepeat || merged.canConnect(node, to: known, in: localStates) else {
      fail(
        .badLoop(
          cpu: cpu,
          "comes back to a local state that it was in before; set mayRepeat of the scenario, which "
            + "the search must know beforehand"))
      return nil
    }
    return known
  }

  /// Runs the code of a CPU along a history of an identical one.
  ///
  /// Actions local to one are local to the other, even if the present state says otherwise.
  func growImage(
    of node: LocalStates.Index, by cpu: Int, from parent: LocalStates.Index,
    observing result: UInt64
  ) -> LocalStates.Index {
    cpus[cpu].record.hasSchedule = false
    cpus[cpu].code.advance(from: parent, observing: result)
    cpus[cpu].record.hasSchedule = true
    let isLocal = localStates[node].pointee.action.isLocal
    return addNode(of: cpu, from: parent, observing: result, isLocal: isLocal)
  }

  /// The number of local states that code has reached.
  package var localStateCount: Int { localStates.nodes.count }
}
