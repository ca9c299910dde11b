// Locks are released by who holds them.

import Machine

/// A CPU releases only locks it holds.
public struct LocksHeldByReleaser: EventInvariant {
  public init() {}

  public let id = "locks-held-by-releaser"
  public let statement = "A CPU releases a lock only if it holds it, in the mode it holds it."
  public let rationale =
    "Releasing somebody else's lock ends their critical section without their knowing."
  public let source = "Documentation/locking/locktypes.rst (Linux): owner semantics."
  public let applicability = Applicability.wherever(.locks)
  public let treatsCPUsAlike = true

  public let watches: EventKinds = .releasedUnheldLock

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    Violation(
      "\(machine.name(ofCPU: event.cpu)) releases \(machine.name(ofCell: event.cell)) without "
        + "holding it")
  }
}
