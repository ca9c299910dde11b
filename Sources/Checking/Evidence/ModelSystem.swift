// A system of models: a protocol's correct models and their siblings, under one name.

/// Models that belong together: the correct ones of a protocol, and its siblings.
///
/// It is declared in the file of the system, and a catalogue lists it.
public struct ModelSystem: Sendable {
  /// Lower case with hyphens; also the name of its page.
  public let name: String
  public let title: String
  public let models: [Model]

  public init(_ name: String, _ title: String, _ models: [Model]) {
    self.name = name
    self.title = title
    self.models = models
  }
}
