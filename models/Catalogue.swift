// Every model there is: one line per system.

import Gracewalk

/// The catalogue that `gracewalk check` goes through.
public enum Catalogue {
  public static let models: [Model] =
    Collapse.models + Fault.models + Unmap.models + Memcache.models + References.models
    + DirtyLogging.models

  /// The model with a name, or nil.
  public static func model(named name: String) -> Model? { models.first { $0.name == name } }
}
