// A donated page is unreachable for its old owner.

import GracewalkMachine

/// Guests reach only data frames that are their own.
public struct DonatedPageUnreachable: EventInvariant {
  public init() {}

  public static let id = "donated-page-unreachable"
  public var id: String { Self.id }
  public let statement =
    "No data frame is donated, or given back to the allocator, while a table that its old owner's "
    + "guests walk maps it, and no guest reads or writes it after that."
  public let rationale =
    "A protected guest's memory would be open to the host, or a freed page to a guest."
  public let source =
    "Quentin Perret, linux-arm-kernel, in the thread of RFC PATCH 09/17 (2022): the hypervisor "
    + "unmaps a protected guest's pages from the host's stage 2."
  public let applicability = Applicability.wherever([.hardware, .frameOwners])

  public let watches: EventKinds = [.foreignFrameUsed, .frameGivenWhileMapped]

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    if event.kind == .frameGivenWhileMapped {
      return Violation(
        "\(machine.name(ofCPU: event.cpu)) gives frame 0x\(String(event.value, radix: 16)) away "
          + "while \(machine.name(ofCell: event.cell)) still maps it")
    }
    return Violation(
      "\(machine.name(ofCPU: event.cpu)) reaches \(machine.frameName(ofCell: event.cell)), which "
        + "belongs to \(machine.name(ofOwner: event.value))")
  }
}
