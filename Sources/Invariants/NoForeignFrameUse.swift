// A donated page is unreachable for who gave it away.

import Machine

/// Guests reach only data frames that are their own.
public struct NoForeignFrameUse: EventInvariant {
  public init() {}

  public let id = "donated-page-unreachable"
  public let statement =
    "No guest reads or writes a data frame after it was donated or given back to the allocator."
  public let rationale =
    "A protected guest's memory would be open to the host, or a freed page to a guest."
  public let source =
    "Quentin Perret, linux-arm-kernel, in the thread of RFC PATCH 09/17 (2022): the hypervisor "
    + "unmaps a protected guest's pages from the host's stage 2."
  public let applicability = Applicability.wherever([.hardware, .frameOwners])

  public let watches: EventKinds = .foreignFrameUsed

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    Violation(
      "\(machine.name(ofCPU: event.cpu)) reaches \(machine.frameName(ofCell: event.cell)), which "
        + "belongs to \(machine.name(ofOwner: event.value))")
  }
}
