// Every model there is: one line per system.

import Gracewalk

/// The catalogue that `gracewalk check` goes through.
public enum Catalogue {
  public static let systems: [ModelSystem] = [
    ModelSystem("collapse", "Collapsing a table into a block", Collapse.models),
    ModelSystem("fault", "Faults in parallel", Fault.models),
    ModelSystem("unmap", "Unmapping under a reader-writer lock", Unmap.models),
    ModelSystem("memcache", "A cache of table pages", Memcache.models),
    ModelSystem("references", "Dropping the last reference", References.models),
    ModelSystem("invalidation", "Unmapping a page that hardware has cached", Invalidation.models),
    ModelSystem("remap", "Break-before-make", Remap.models),
    ModelSystem("retry", "Trying again until it is done", Retry.models),
    ModelSystem("fast-faults", "Faults without the MMU lock", FastFaults.models),
    ModelSystem("interrupts", "Interrupts for a grace period", Interrupts.models),
    ModelSystem("walk-references", "Walkers that hold references", WalkReferences.models),
    ModelSystem("teardown", "Callbacks and the end of a VM", Teardown.models),
    ModelSystem("reverse-map", "The reverse map of a shadow MMU", ReverseMap.models),
    ModelSystem("host-map", "The host's identity map under pKVM", HostMap.models),
    ModelSystem("dirty-logging", "Dirty logging, on and off", DirtyLogging.models),
  ]

  public static let models: [Model] = systems.flatMap(\.models)

  /// The model with a name, or nil; combinations of a model's operations have names, too.
  public static func model(named name: String) -> Model? { models.model(named: name) }
}
