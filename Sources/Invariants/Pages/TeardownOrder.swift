// Teardown order: nothing uses a context after its release.

import GracewalkMachine

/// A context is used only while it lives.
public struct TeardownOrder: EventInvariant {
  public init() {}

  public static let id = "teardown-order"
  public var id: String { Self.id }
  public let statement =
    "Nothing uses a VM, or its parts, after it was released, or through an address that is not its "
    + "own."
  public let rationale =
    "A callback that is still queued when the VM goes runs later, with a pointer to what is no "
    + "longer there."
  public let source =
    "David Matlack, linux list, 2022-09-07, on PATCH 09/14 (free removed stage-2 tables in an RCU "
    + "callback): what is the barrier at the end of kvm_free_stage2_pgd for?"
  public let applicability = Applicability.wherever(.contexts)
  public let treatsCPUsAlike = true

  public let watches: EventKinds = [.usedAfterRelease, .usedNoContext]

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    let cpu = machine.name(ofCPU: event.cpu)
    if event.kind == .usedNoContext {
      return Violation(
        "\(cpu) uses a wild pointer: no context is at 0x\(String(event.value, radix: 16))")
    }
    return Violation("\(cpu) uses \(machine.name(ofCell: event.cell)) after its release")
  }
}
