// The invariants of random programs.

import GracewalkInvariants
import GracewalkMachine

extension Fuzzer {
  /// Deadlocks are common in random programs, so they are not judged with the rest: they would mask
  /// everything else.
  static let commonInvariants: [any Invariant] = [
    NoUseAfterFree(), NoDoubleFree(), NoTableLinkedTwice(), GracePeriodSafety(),
    NoLeakedTablePage(), TeardownOrder(), LocksHeldByReleaser(),
  ]

  /// All invariants that a program is checked for.
  static func invariants(of program: RandomProgram) -> [any Invariant] {
    guard program.hasGuests else { return commonInvariants }
    return commonInvariants + InvariantCatalogue.hardware + [DonatedPageUnreachable()]
  }
}

/// Pages that CPUs allocated do not outlive their context.
///
/// The root, which is never freed, would make every release a violation.
struct NoOtherPageOutlivesVM: EventInvariant {
  private let all = NoPageOutlivesVM()

  var id: String { all.id }
  var statement: String { all.statement }
  var rationale: String { all.rationale }
  var source: String { all.source }
  var applicability: Applicability { all.applicability }
  var treatsCPUsAlike: Bool { true }
  var watches: EventKinds { all.watches }

  func judge(_ event: Event, in machine: Machine) -> Violation? {
    machine.roots.contains { $0.id == event.page } ? nil : all.judge(event, in: machine)
  }
}
