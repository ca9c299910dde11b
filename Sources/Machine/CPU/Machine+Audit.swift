// Running code a second time, to find out whether it depends on anything but what it observed.

import GracewalkExploration
import GracewalkFibers
import GracewalkSupport

extension Machine {
  func reportNondeterminism(of cpu: VirtualCPU, expected: Action, actual: Action) {
    fail(
      .notDeterministic(cpu: cpu.index, expected: text(of: expected), actual: text(of: actual)))
  }

  /// Runs all code of all CPUs once more, along every history met so far, and compares.
  ///
  /// The search runs code only where it leads to something new, so code that depends on anything
  /// but its observations might go unnoticed without this.
  public func audit() { audit(from: 0) }

  /// Audits only nodes numbered `first` and above.
  func audit(from first: Int) {
    for cpu in cpus { cpu.record.hasSchedule = false }
    defer { for cpu in cpus { cpu.record.hasSchedule = true } }
    for index in first..<tree.nodes.count where failure == nil {
      let node = ObservationTree.Index(index)
      guard tree.isLeaf(node) else { continue }
      cpus[Int(tree[node].pointee.cpu)].abandon()
      cpus[Int(tree[node].pointee.cpu)].move(to: node)
    }
    auditTurns(from: first)
  }
}
