// Entries are well-formed: at its level, each is a table, a mapping of data, or not present.

import GracewalkMachine

/// No entry that hardware may read is reserved, misaligned, or something else at its level.
public struct EntriesAreWellFormed: EventInvariant {
  public init() {}

  public static let id = "entries-are-well-formed"
  public var id: String { Self.id }
  public let statement =
    "Every valid entry of a table that hardware walks is, at its level, a pointer to a table or a "
    + "mapping of data frames that the format allows there."
  public let rationale =
    "Hardware decodes an entry by its level: a pointer to a table at the last level is a page, and "
    + "lets a guest write the table; a page above the last level is a pointer to a table, and "
    + "hardware reads data as entries; a reserved or misaligned entry faults, or translates to any "
    + "address."
  public let source =
    "Arm ARM (DDI 0487), D8.3 \"Translation table descriptor formats\"; Intel SDM volume 3A, 4.7, "
    + "and volume 3C, 29.3.3.1 \"EPT misconfigurations\"."
  public let applicability = Applicability.wherever(.hardware)

  public let watches: EventKinds = .malformedEntry

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    Violation(machine.malformationText(ofCell: event.cell, at: Int(event.value)))
  }
}
