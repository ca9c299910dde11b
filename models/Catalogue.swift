// Every model there is: one line per system.

import Gracewalk

/// The catalogue that `gracewalk check` goes through.
public enum Catalogue {
  /// The models of each system.
  public static let systems: [[Model]] = [
    Collapse.models, Fault.models, Unmap.models, Memcache.models, References.models,
    Invalidation.models, Remap.models, Retry.models, FastFaults.models, Interrupts.models,
    WalkReferences.models, Teardown.models, ReverseMap.models, HostMap.models, DirtyLogging.models,
  ]

  public static let models: [Model] = systems.flatMap { $0 }

  /// The model with a name, or nil; combinations of a model's operations have names, too.
  public static func model(named name: String) -> Model? { models.model(named: name) }
}
