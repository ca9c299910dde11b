// The invariants by id.

import GracewalkMachine

/// All invariants that need no parameters, in the order reports list them.
public enum InvariantCatalogue {
  public static let all: [any Invariant] = [
    ProgressOfCPUs(), NoLeakedTablePage(), NoUseAfterFree(), NoDoubleFree(), NoTableLinkedTwice(),
    ReferencesMatchEntries(), NoEntryLeftLocked(), GracePeriodSafety(), LocksHeldByReleaser(),
    NoFreedPageReachable(), BreakBeforeMake(), NoConflictingTLBEntries(), NoStaleUseAfterDSB(),
    NoReuseWhileCached(), EntriesAreWellFormed(), DonatedPageUnreachable(), TeardownOrder(),
    NoPageOutlivesVM(), DirectoriesStayWritable(), OperationsDoNotThrow(),
  ]

  /// The invariants required of every model in addition to its own.
  public static let always: [any Invariant] = [
    ProgressOfCPUs(), LocksHeldByReleaser(), OperationsDoNotThrow(),
  ]

  /// Ids of those required even if options name other invariants: errors in the code itself must
  /// always be reported.
  public static let keptAlways: Set<String> = [OperationsDoNotThrow.id]

  /// All invariants, for descriptions: parameters do not change an invariant's statement.
  public static var described: [any Invariant] {
    all + [
      OperationsLinearise(to: Unspecified()), PagesAccountedFor(pool: []),
      NoGuestWriteWithoutDirtyRecord(frames: []),
      ReverseMapAgrees(chains: []),
    ]
  }

  /// Ids in the order of the catalogue; unknown ones come last.
  public static func inOrder(_ ids: [String]) -> [String] {
    let known = described.map(\.id)
    return known.filter { ids.contains($0) } + ids.filter { !known.contains($0) }
  }

  /// A placeholder specification, for uses that need only the invariant's texts.
  private struct Unspecified: SequentialSpecification {
    var initial: [UInt64] { [] }
    func apply(
      _ call: SpecificationCall, returning result: UInt64, to state: [UInt64]
    ) -> [UInt64]? { nil }
    func text(of call: SpecificationCall) -> String { "" }
    func text(ofResult result: UInt64) -> String { "" }
  }

  /// The invariants for tables that hardware walks.
  public static let hardware: [any Invariant] = [
    BreakBeforeMake(), NoConflictingTLBEntries(), NoStaleUseAfterDSB(), NoReuseWhileCached(),
    EntriesAreWellFormed(),
  ]

  /// The invariants for tables with reference-counted pages.
  public static let tables: [any Invariant] = [
    NoLeakedTablePage(), NoUseAfterFree(), NoDoubleFree(), NoTableLinkedTwice(),
    ReferencesMatchEntries(), NoEntryLeftLocked(), LocksHeldByReleaser(),
  ]

  /// What every table is checked for, whether or not its pages are counted.
  public static let pages = tables.filter { $0.id != ReferencesMatchEntries.id }
}
