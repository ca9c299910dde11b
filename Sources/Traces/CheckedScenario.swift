// The scenario of a trace or a verdict: everything needed to build the same one again.

import GracewalkMachine

/// A scenario of a model, by name.
public struct CheckedScenario: Equatable, Sendable {
  public var model: String
  /// All of the model's parameters, in its order.
  public var parameters: [(name: String, value: Int)]
  /// The features of the modelled MMU.
  public var features: Features
  /// The step that was left out or weakened, if one was.
  public var without: WeakenedStep?
  /// The name of the memory model.
  public var memoryModel: String
  /// Ids of the invariants that were required.
  public var invariants: [String]

  public init(
    model: String, parameters: [(name: String, value: Int)], features: Features,
    without: WeakenedStep? = nil, memoryModel: String = MemoryModel.standard.name,
    invariants: [String]
  ) {
    self.model = model
    self.parameters = parameters
    self.features = features
    self.without = without
    self.memoryModel = memoryModel
    self.invariants = invariants
  }

  /// The description of a scenario that was built.
  public init(_ scenario: Scenario, model: String, parameters: [(name: String, value: Int)]) {
    let without: WeakenedStep? =
      if case .weakens(let step) = scenario.ablation { step } else { nil }
    self.init(
      model: model, parameters: parameters, features: scenario.features, without: without,
      memoryModel: scenario.memoryModel.name, invariants: scenario.invariants.map(\.id))
  }

  public static func == (a: CheckedScenario, b: CheckedScenario) -> Bool {
    a.model == b.model && a.parameters.elementsEqual(b.parameters) { $0 == $1 }
      && a.features == b.features && a.without == b.without && a.memoryModel == b.memoryModel
      && a.invariants == b.invariants
  }
}

extension CheckedScenario: Codable {
  private enum CodingKeys: CodingKey {
    case model, parameters, features, without, memoryModel, invariants
  }

  private struct Parameter: Codable {
    var name: String
    var value: Int
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      model: try container.decode(String.self, forKey: .model),
      parameters: try container.decode([Parameter].self, forKey: .parameters).map {
        ($0.name, $0.value)
      },
      features: try container.decode(Features.self, forKey: .features),
      without: try container.decodeIfPresent(WeakenedStep.self, forKey: .without),
      memoryModel: try container.decode(String.self, forKey: .memoryModel),
      invariants: try container.decode([String].self, forKey: .invariants))
    guard Set(parameters.map(\.name)).count == parameters.count else {
      throw DecodingError.dataCorruptedError(
        forKey: .parameters, in: container, debugDescription: "a parameter is there twice")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(model, forKey: .model)
    try container.encode(
      parameters.map { Parameter(name: $0.name, value: $0.value) }, forKey: .parameters)
    try container.encode(features, forKey: .features)
    try container.encodeIfPresent(without, forKey: .without)
    try container.encode(memoryModel, forKey: .memoryModel)
    try container.encode(invariants, forKey: .invariants)
  }
}

/// A value about one scenario that also exposes the scenario's properties as its own.
public protocol OfCheckedScenario {
  var scenario: CheckedScenario { get set }
}

extension OfCheckedScenario {
  public var model: String {
    get { scenario.model }
    set { scenario.model = newValue }
  }

  public var parameters: [(name: String, value: Int)] {
    get { scenario.parameters }
    set { scenario.parameters = newValue }
  }

  /// The features of the modelled MMU.
  public var features: Features {
    get { scenario.features }
    set { scenario.features = newValue }
  }

  /// The step that was left out or weakened, if one was.
  public var without: WeakenedStep? {
    get { scenario.without }
    set { scenario.without = newValue }
  }

  public var memoryModel: String {
    get { scenario.memoryModel }
    set { scenario.memoryModel = newValue }
  }

  /// Ids of the invariants that were required.
  public var invariants: [String] {
    get { scenario.invariants }
    set { scenario.invariants = newValue }
  }
}
