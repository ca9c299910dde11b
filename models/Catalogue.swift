// Every model there is: one line per system, in the order in which they are best read.

import Gracewalk

/// The catalogue that `gracewalk check` goes through.
public enum Catalogue {
  public static let systems: [ModelSystem] = [
    Collapse.system,
    Fault.system,
    Unmap.system,
    Memcache.system,
    References.system,
    Invalidation.system,
    Remap.system,
    Retry.system,
    FastFaults.system,
    Interrupts.system,
    WalkReferences.system,
    Teardown.system,
    ReverseMap.system,
    Publication.system,
    HostMap.system,
    DirtyLogging.system,
    Mremap.system,
    GUPFast.system,
    HugeIoremap.system,
    LazyTLB.system,
    SplitLinearMap.system,
    DirtyBits.system,
    MMUNotifier.system,
    PreOrderWalk.system,
    VMIDs.system,
    SplitBlock.system,
    NonCoherentWalk.system,
  ]

  public static let models: [Model] = systems.flatMap(\.models)

  /// The model with a name, or nil; combinations of a model's operations have names, too.
  public static func model(named name: String) -> Model? { models.model(named: name) }

  private static let sources = SourceFolder()

  /// The path, below the root of the repository, of a file that code calls
  /// `GracewalkModels/File.swift`; nil if it is none of the models'.
  public static func path(ofFile id: String) -> String? { sources.path(ofFile: id) }
}
