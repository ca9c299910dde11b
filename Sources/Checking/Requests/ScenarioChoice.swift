// What is chosen of a model's scenario: together with the model, all that a machine is made of.

import GracewalkMachine
import GracewalkTraces

/// Which of a model's scenarios is meant, and what it requires.
///
/// A value: equal choices of one model make equal machines, in whatever process.
public struct ScenarioChoice: Hashable, Codable, Sendable {
  /// Values for the model's parameters, by name; what is missing is standard.
  public var parameters: [String: Int] = [:]
  /// Ids of the only invariants to require; nil for all of the model's.
  public var invariants: [String]?
  /// What the modelled MMU can do; nil for what the model's scenario says.
  public var features: Features?
  /// A step of the code to leave out or to weaken.
  public var without: WeakenedStep?
  /// Whether to note which steps there are by which the code orders CPUs.
  package var takesCensus = false
  /// Whether an error that code throws is a violation where other invariants are named; if not,
  /// it ends the CPU's program, and what else goes wrong is judged.
  package var judgesErrors = true
  /// The call paths that the number of the step stands for.
  var weakenedPaths = OfThisProcess<Set<UInt64>>()

  private enum CodingKeys: CodingKey {
    case parameters, invariants, features, without, takesCensus, judgesErrors
  }

  public init(
    parameters: [String: Int] = [:], invariants: [String]? = nil, features: Features? = nil,
    without: WeakenedStep? = nil
  ) {
    self.parameters = parameters
    self.invariants = invariants
    self.features = features
    self.without = without
  }

  /// The same of the code as it is, no step left out or noted.
  var whole: ScenarioChoice {
    ScenarioChoice(parameters: parameters, invariants: invariants, features: features)
  }

  /// The choice that leads to a scenario that was checked.
  public init(_ checked: CheckedScenario) {
    parameters = Dictionary(checked.parameters.map { ($0.name, $0.value) }) { first, _ in first }
    invariants = checked.invariants
    features = checked.features
    without = checked.without
  }
}

/// What another process could make nothing of, such as addresses of code: it is found anew where it
/// is missing, and no part of what is compared or written down.
struct OfThisProcess<Value: Sendable>: Hashable, Sendable {
  var value: Value?

  static func == (a: Self, b: Self) -> Bool { true }
  func hash(into hasher: inout Hasher) {}
}
