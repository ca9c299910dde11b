// The code of a CPU that makes the stores of another one visible.

import GracewalkSupport

/// Asks again and again for the oldest pending store to become visible.
///
/// How often it has done so is all that it knows. Where code may come back to a state it knows
/// nothing, so that states can come back.
final class DrainerCode: CPUCode {
  private let identities: Identities?
  private let counts: Bool
  private var count: UInt64 = 0
  private var kept: [LocalStates.Index: UInt64] = [:]

  init(_ cpu: MachineCPU) {
    identities = cpu.identities
    counts = !cpu.machine.mayRepeat
  }

  var mergesStates: Bool { !counts }

  var state: LocalState {
    var local = HashedSequence()
    local.extend(with: count, identities)
    return LocalState(
      Action(.access(.drain)), hash: local.hash, identity: local.identity, operation: 0)
  }

  var place: CodePlace { CodePlace(operation: 0) }

  func begin() { count = 0 }

  func advance(from node: LocalStates.Index, observing result: UInt64) {
    guard let known = kept[node] else { fatalError("[internal] never told of node \(node)") }
    count = counts ? known + 1 : 0
  }

  func didStop(at node: LocalStates.Index) { kept[node] = count }

  func abandon() {}
}
