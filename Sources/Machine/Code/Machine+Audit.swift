// Running code a second time, to detect dependence on anything but its observations.

import GracewalkExploration
import GracewalkFibers
import GracewalkSupport

extension Machine {
  func reportNondeterminism(of cpu: Int, expected: Action, actual: Action) {
    fail(.notDeterministic(cpu: cpu, expected: text(of: expected), actual: text(of: actual)))
  }

  /// Checks that a CPU's code has stopped in the local state of a node, as it did before.
  func check(_ cpu: Int, standsAt index: LocalStates.Index) {
    guard failure == nil else { return }
    let code = cpus[cpu].code
    let (state, node) = (code.state, localStates[index].pointee)
    guard node.action.isSameRequest(as: state.action) else {
      return reportNondeterminism(of: cpu, expected: node.action, actual: state.action)
    }
    if code.mergesStates && (state.hash != node.localHash || state.identity != node.identity) {
      let action = text(of: node.action)
      fail(
        .notDeterministic(
          cpu: cpu, expected: "\(action), knowing what it knew before",
          actual: "\(action), knowing something else"))
    }
  }

  /// Runs the code of all CPUs once more, along every history seen so far, and compares.
  ///
  /// The search runs code only for new edges, so without this, code that depends on anything but
  /// its observations might go unnoticed.
  public func audit() { audit(from: 0) }

  /// Audits only ways that end with edges numbered `first` and above.
  func audit(from first: Int) {
    for cpu in cpus { cpu.record.hasSchedule = false }
    defer { for cpu in cpus { cpu.record.hasSchedule = true } }
    if first == 0 { auditRoots() }
    auditEdges(from: first)
    auditTurns(from: first)
    checkLocalStates()
  }

  /// Starts the code again of CPUs that have no edges yet.
  private func auditRoots() {
    for index in 0..<localStates.nodes.count where failure == nil {
      let node = LocalStates.Index(index)
      guard localStates[node].pointee.way < 0, localStates.isLeaf(node) else { continue }
      let cpu = Int(localStates[node].pointee.cpu)
      cpus[cpu].code.abandon()
      cpus[cpu].code.begin()
      check(cpu, standsAt: node)
    }
  }

  /// Code that does not merge states runs from its start, so running to the end of a way covers all
  /// of it.
  ///
  /// For code that merges states, the first round leaves each node with the state in which the code
  /// reached it last. The second round continues from that state where several ways lead to a node:
  /// if the hash omits relevant state, the code behaves differently there or later.
  private func auditEdges(from first: Int) {
    var shared: Set<LocalStates.Index> = []
    if cpus.contains(where: { $0.code.mergesStates }) {
      for index in 0..<localStates.edges.count
      where localStates.isSecondWay(LocalStates.EdgeIndex(index)) {
        shared.insert(localStates.edges[index].target)
      }
    }
    for round in 0..<(shared.isEmpty ? 1 : 2) {
      for index in first..<localStates.edges.count where failure == nil {
        let edge = localStates.edges[index]
        let cpu = Int(localStates[edge.source].pointee.cpu)
        let code = cpus[cpu].code
        let isRun =
          code.mergesStates || round == 0 && localStates.isEnd(LocalStates.EdgeIndex(index))
        guard isRun else { continue }
        code.abandon()
        code.advance(from: edge.source, observing: edge.observed)
        check(cpu, standsAt: edge.target)
        if code.mergesStates && (round == 0 || !shared.contains(edge.target)) {
          code.didStop(at: edge.target)
        }
      }
    }
  }
}
