// Running code a second time, to find out whether it depends on anything but what it observed.

import GracewalkExploration
import GracewalkFibers
import GracewalkSupport

extension Machine {
  func reportNondeterminism(of cpu: Int, expected: Action, actual: Action) {
    fail(.notDeterministic(cpu: cpu, expected: text(of: expected), actual: text(of: actual)))
  }

  /// Makes sure that a CPU's code has stopped where it did before: in the local state that a node
  /// stands for.
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

  /// Runs all code of all CPUs once more, along every history met so far, and compares.
  ///
  /// The search runs code only where it leads to something new, so code that depends on anything
  /// but its observations might go unnoticed without this.
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

  /// Begins the code once more of CPUs that have not gone on since.
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

  /// Code that does not merge states runs from its start, so a way is run with its end.
  ///
  /// Code that does is told in the first round to stand at the node in the state in which it came
  /// there last. In the second it goes on from that where several ways lead to the node: if its
  /// hash leaves out something that matters, it does something else there, or further on.
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
        code.goOn(from: edge.source, observing: edge.observed)
        check(cpu, standsAt: edge.target)
        if code.mergesStates && (round == 0 || !shared.contains(edge.target)) {
          code.stands(at: edge.target)
        }
      }
    }
  }
}
