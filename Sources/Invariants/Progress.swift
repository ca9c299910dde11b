// Progress: everybody who can be done is done in the end.

import Machine

/// No CPU is stuck: when nobody can go on, all operations have ended.
///
/// A CPU that waits in a loop instead of with `VirtualCPU.wait` is reported as a spin before this
/// is judged, and the search ends incomplete.
public struct Progress: QuiescenceInvariant {
  public init() {}

  public let id = "progress"
  public let statement = "Every operation ends: no CPU waits for something that nobody will do."
  public let rationale =
    "A deadlock in the fault path hangs the guest; one that waits for a grace period hangs the "
    + "host."
  public let source = "Documentation/locking/lockdep-design.rst (Linux)."
  public let treatsCPUsAlike = true

  public var judgesDeadlocks: Bool { true }

  public func judgeEnd(of machine: Machine) -> Violation? {
    let stuck = machine.stuckCPUs
    guard !stuck.isEmpty else { return nil }
    let who = stuck.map { machine.name(ofCPU: $0) }.joined(separator: " and ")
    return Violation(
      "deadlock: \(who) can never go on",
      details: stuck.map {
        "\(machine.name(ofCPU: $0)) waits at: \(machine.pendingText(of: $0))"
      })
  }
}
