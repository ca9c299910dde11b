// Locks are released by their holder, taken only once, and released before the end.

import GracewalkMachine

/// A CPU releases only locks it holds, takes none twice, and holds none when it is done.
///
/// A lock may be held from one operation of a CPU to the next, but not beyond the last, nor beyond
/// the end of the callback that took it. Recursion is a mistake in every mode: a reader that takes
/// the lock again waits for a writer that queued in between, which waits for the reader. The lock
/// here has no queue, so the second taking is judged, not the deadlock.
public struct LocksHeldByReleaser: EventInvariant, QuiescenceInvariant {
  public init() {}

  public static let id = "locks-held-by-releaser"
  public var id: String { Self.id }
  public let statement =
    "A CPU releases only locks that it holds, in the mode in which it holds them; takes no lock "
    + "that it already holds; and holds none when it has ended."
  public let rationale =
    "Releasing a lock that another CPU holds ends that CPU's critical section; a lock that is "
    + "taken twice or never released blocks every CPU that waits for it."
  public let source =
    "Documentation/locking/locktypes.rst (Linux): owner semantics, and no recursion; "
    + "Documentation/locking/lockdep-design.rst: recursive reads and queued writers."
  public let kind = InvariantKind.event
  public let applicability = Applicability.wherever(.locks)
  public let treatsCPUsAlike = true
  public let judgesDeadlocks = true

  public let watches: EventKinds = [.releasedUnheldLock, .lockedAgain, .endedHolding]

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    let cpu = machine.name(ofCPU: event.cpu)
    let lock = machine.name(ofCell: event.cell)
    switch event.kind {
    case .lockedAgain:
      let held = LockMode(rawValue: event.value >> 8) ?? .spin
      let wanted = LockMode(rawValue: event.value & 0xFF) ?? .spin
      let harm =
        held == .read && wanted == .read
        ? "a writer that queues in between waits for the first, and the second for the writer"
        : "it waits for itself"
      return Violation(
        "\(cpu) takes \(lock)\(Self.text(wanted)) while it holds it\(Self.text(held)) already, "
          + "which is recursion: \(harm)")
    case .endedHolding: return Violation("a callback of \(cpu) ends and still holds \(lock)")
    default: return Violation("\(cpu) releases \(lock) without holding it")
    }
  }

  public func judgeEnd(of machine: Machine) -> Violation? {
    let left = machine.heldLocks.filter { machine.hasEnded($0.cpu) }
    guard let first = left.first else { return nil }
    return Violation(
      Self.text(first, machine), details: left.dropFirst().map { Self.text($0, machine) })
  }

  private static func text(_ held: HeldLock, _ machine: Machine) -> String {
    "\(machine.name(ofCPU: held.cpu)) has ended and still holds \(held.lock)\(text(held.mode))"
      + held.since
  }

  private static func text(_ mode: LockMode) -> String {
    switch mode {
    case .spin: ""
    case .read: " for reading"
    case .write: " for writing"
    }
  }
}
