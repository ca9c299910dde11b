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

  /// What is required of every model, whatever it asks for itself.
  public static let always: [any Invariant] = [
    ProgressOfCPUs(), LocksHeldByReleaser(), OperationsDoNotThrow(),
  ]

  /// Ids of those that are required even where others are named: what is wrong with the code itself
  /// is to be seen in any case.
  public static let keptAlways: Set<String> = [OperationsDoNotThrow.id]

  /// All there are, for descriptions: a parameter does not change what an invariant states.
  public static var described: [any Invariant] {
    all + [
      OperationsLinearise(to: Unspecified()), PagesAccountedFor(pool: []),
      NoGuestWriteWithoutDirtyRecord(frames: []),
      ReverseMapAgrees(chains: []),
    ]
  }

  /// Ids in the order of the catalogue; those of no invariant in it come last.
  public static func inOrder(_ ids: [String]) -> [String] {
    let known = described.map(\.id)
    return known.filter { ids.contains($0) } + ids.filter { !known.contains($0) }
  }

  /// A specification nobody can meet: stands in where only the invariant's texts are wanted.
  private struct Unspecified: SequentialSpecification {
    var initial: [UInt64] { [] }
    func apply(
      _ call: SpecificationCall, returning result: UInt64, to state: [UInt64]
    ) -> [UInt64]? { nil }
    func text(of call: SpecificationCall) -> String { "" }
    func text(ofResult result: UInt64) -> String { "" }
  }

  /// What every table that hardware walks is checked for.
  public static let hardware: [any Invariant] = [
    BreakBeforeMake(), NoConflictingTLBEntries(), NoStaleUseAfterDSB(), NoReuseWhileCached(),
    EntriesAreWellFormed(),
  ]

  /// What every table of reference-counted pages is checked for.
  public static let tables: [any Invariant] = [
    NoLeakedTablePage(), NoUseAfterFree(), NoDoubleFree(), NoTableLinkedTwice(),
    ReferencesMatchEntries(), NoEntryLeftLocked(), LocksHeldByReleaser(),
  ]
}
