// Directories stay writable: write protection is for leaves.

import GracewalkMachine

/// At the end, every entry that leads to a table allows writes.
///
/// For tables whose upper levels also hold permissions, as on x86.
public struct DirectoriesStayWritable: QuiescenceInvariant {
  public init() {}

  public static let id = "directories-stay-writable"
  public var id: String { Self.id }
  public let statement =
    "At the end, every entry in the tree that leads to a table allows what is below it to be "
    + "written."
  public let rationale =
    "Fault handling repairs leaves. If an entry above has lost its write bit, the guest faults "
    + "forever on a leaf that is correct."
  public let source =
    "Xiao Guangrong, linux-kernel, 2013-08-29, on PATCH 09/12 (pte-list lockless walker), and Gleb "
    + "Natapov before: shadow pages from a cache whose objects come back at once."
  public let applicability = Applicability.wherever(.directoryPermissions)
  public let treatsCPUsAlike = true

  public func judgeEnd(of machine: Machine) -> Violation? {
    for view in machine.reachableTables {
      guard let index = view.entries.firstIndex(where: { $0.isTable && !$0.isWritable }) else {
        continue
      }
      return Violation(
        "\(view.name)[\(index)] leads to a table and has lost its write bit")
    }
    return nil
  }
}
