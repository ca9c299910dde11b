// The choice of a model's scenario: with the model, it determines the machine.

import GracewalkMachine
import GracewalkTraces

/// Which of a model's scenarios is meant, and what it requires.
///
/// A value: equal choices of one model make equal machines, in whatever process.
public struct ScenarioChoice: Hashable, Codable, Sendable {
  /// Values for the model's parameters, by name; others have their default values.
  public var parameters: [String: Int] = [:]
  /// Ids of the only invariants to require; nil for all of the model's.
  public var invariants: [String]?
  /// Features of the modelled MMU; nil for those of the model's scenario.
  public var features: Features?
  /// The memory that the code runs on; nil for what the model's scenario says.
  public var memoryModel: MemoryModel?
  /// A step of the code to leave out or to weaken.
  public var without: WeakenedStep?
  /// Whether to record the steps by which the code orders CPUs.
  package var takesCensus = false
  /// Whether an error thrown by code is a violation even if other invariants are named.
  ///
  /// If not, it only ends the CPU's program.
  package var judgesErrors = true
  /// What the numbers in the name of the step stand for.
  var weakenedPlaces = OfThisProcess<WeakenedPlaces>()

  private enum CodingKeys: CodingKey {
    case parameters, invariants, features, memoryModel, without, takesCensus, judgesErrors
  }

  public init(
    parameters: [String: Int] = [:], invariants: [String]? = nil, features: Features? = nil,
    without: WeakenedStep? = nil, memoryModel: MemoryModel? = nil
  ) {
    self.parameters = parameters
    self.invariants = invariants
    self.features = features
    self.without = without
    self.memoryModel = memoryModel
  }

  /// The same choice for the unchanged code: no step left out, no census.
  var whole: ScenarioChoice {
    ScenarioChoice(
      parameters: parameters, invariants: invariants, features: features, memoryModel: memoryModel)
  }

  /// The choice that gives a checked scenario.
  public init(_ checked: CheckedScenario) {
    parameters = Dictionary(checked.parameters.map { ($0.name, $0.value) }) { first, _ in first }
    invariants = checked.invariants
    features = checked.features
    without = checked.without
    memoryModel = MemoryModel(name: checked.memoryModel)
  }
}

/// A value that is meaningless in other processes, such as code addresses: found again if missing,
/// and neither compared nor encoded.
struct OfThisProcess<Value: Sendable>: Hashable, Sendable {
  var value: Value?

  static func == (a: Self, b: Self) -> Bool { true }
  func hash(into hasher: inout Hasher) {}
}
