// A correct model and its siblings, declared as one list.

import GracewalkInvariants
import GracewalkMachine

/// One of several models that share everything but a choice, usually whether a step is left out.
public struct Variant<Choice: Sendable>: Sendable {
  let name: String
  let summary: String
  let choice: Choice
  let omission: String?
  let violates: [String]
  let standard: [String: Int]
  let instances: [[String: Int]]?
  let otherInstances: [MemoryModel: [[String: Int]]]?
  let verdicts: [MemoryModel: Expectation]

  private init(
    _ name: String, _ summary: String, _ choice: Choice, omission: String?, violates: [String],
    standard: [String: Int], instances: [[String: Int]]?,
    instancesUnder otherInstances: [MemoryModel: [[String: Int]]]?,
    under verdicts: [MemoryModel: Expectation]
  ) {
    self.verdicts = verdicts
    self.otherInstances = otherInstances
    self.name = name
    self.summary = summary
    self.choice = choice
    self.omission = omission
    self.violates = violates
    self.standard = standard
    self.instances = instances
  }

  /// A correct one.
  ///
  /// `standard` has its default parameter values, and `instances` those that the catalogue checks
  /// it with, if they differ from the other variants'; `instancesUnder` has those for other memory
  /// models. `under` has verdicts under memory models other than the scenario's own.
  public static func holds(
    _ name: String, _ summary: String, _ choice: Choice, standard: [String: Int] = [:],
    instances: [[String: Int]]? = nil,
    instancesUnder otherInstances: [MemoryModel: [[String: Int]]]? = nil,
    under verdicts: [MemoryModel: Expectation] = [:]
  ) -> Variant {
    Variant(
      name, summary, choice, omission: nil, violates: [], standard: standard, instances: instances,
      instancesUnder: otherInstances, under: verdicts)
  }

  /// A sibling that leaves something out, and the invariants that it therefore violates.
  public static func broken(
    _ name: String, _ summary: String, _ choice: Choice, omits omission: String,
    violates: [String], standard: [String: Int] = [:], instances: [[String: Int]]? = nil,
    instancesUnder otherInstances: [MemoryModel: [[String: Int]]]? = nil,
    under verdicts: [MemoryModel: Expectation] = [:]
  ) -> Variant {
    Variant(
      name, summary, choice, omission: omission, violates: violates, standard: standard,
      instances: instances, instancesUnder: otherInstances, under: verdicts)
  }
}

extension Variant where Choice: ExpressibleByNilLiteral {
  /// A correct one: nothing is left out.
  public static func holds(
    _ name: String, _ summary: String,
    instancesUnder otherInstances: [MemoryModel: [[String: Int]]]? = nil
  ) -> Variant {
    holds(name, summary, nil, instancesUnder: otherInstances)
  }

  /// A sibling whose code finds out by `omits(_:)`, with these words, what it leaves out.
  public static func broken(
    _ name: String, _ summary: String, omits omission: String, violates: [String],
    standard: [String: Int] = [:], instances: [[String: Int]]? = nil,
    instancesUnder otherInstances: [MemoryModel: [[String: Int]]]? = nil
  ) -> Variant {
    broken(
      name, summary, nil, omits: omission, violates: violates, standard: standard,
      instances: instances, instancesUnder: otherInstances)
  }
}

/// The choice of variants that differ in nothing but the step they leave out, which their code
/// asks for with `omits(_:)`.
public struct NoChoice: ExpressibleByNilLiteral, Sendable {
  public init(nilLiteral: ()) {}
}

extension Model {
  /// The models of a list of variants; everything else is shared.
  public static func family<Choice>(
    _ variants: [Variant<Choice>], scenario: String, origin: Origin? = nil,
    parameters: [Parameter] = [], mustHappen: [ExpectedOutcome] = [],
    exempt: (Choice) -> [Exemption] = { _ in [] }, instances: [[String: Int]] = [[:]],
    openQuestion: String? = nil, vocabulary: ((Choice) -> Vocabulary)? = nil,
    build: @escaping @Sendable (ParameterValues, Choice) -> Scenario
  ) -> [Model] {
    family(
      variants, scenario: { _ in scenario }, origin: origin, parameters: parameters,
      mustHappen: { _ in mustHappen }, exempt: exempt, instances: instances,
      openQuestion: openQuestion, vocabulary: vocabulary, build: build)
  }

  /// The same for variants that differ in nothing but the step they leave out.
  public static func family(
    _ variants: [Variant<NoChoice>], scenario: String, origin: Origin? = nil,
    parameters: [Parameter] = [], mustHappen: [ExpectedOutcome] = [],
    exempt: [Exemption] = [], instances: [[String: Int]] = [[:]], openQuestion: String? = nil,
    vocabulary: Vocabulary? = nil, build: @escaping @Sendable (ParameterValues) -> Scenario
  ) -> [Model] {
    family(
      variants, scenario: { _ in scenario }, origin: origin, parameters: parameters,
      mustHappen: { _ in mustHappen }, exempt: { _ in exempt }, instances: instances,
      openQuestion: openQuestion, vocabulary: vocabulary.map { known in { _ in known } }
    ) { values, _ in build(values) }
  }

  /// The same for variants whose choice also decides on the scenario.
  public static func family<Choice>(
    _ variants: [Variant<Choice>], scenario: (Choice) -> String, origin: Origin? = nil,
    parameters: [Parameter] = [], mustHappen: (Choice) -> [ExpectedOutcome],
    exempt: (Choice) -> [Exemption] = { _ in [] }, instances: [[String: Int]] = [[:]],
    openQuestion: String? = nil, vocabulary: ((Choice) -> Vocabulary)? = nil,
    build: @escaping @Sendable (ParameterValues, Choice) -> Scenario
  ) -> [Model] {
    variants.map { variant in
      Model(
        name: variant.name, summary: variant.summary, scenario: scenario(variant.choice),
        omission: variant.omission, origin: origin,
        parameters: parameters.map { $0.with(standard: variant.standard[$0.name]) },
        expectation: variant.omission == nil ? .holds : .violates(variant.violates),
        mustHappen: mustHappen(variant.choice), exempt: exempt(variant.choice),
        instances: variant.instances ?? instances,
        instancesUnder: variant.otherInstances ?? [:], openQuestion: openQuestion,
        vocabulary: vocabulary?(variant.choice), under: variant.verdicts
      ) { values in build(values, variant.choice) }
    }
  }
}

extension Parameter {
  fileprivate func with(standard: Int?) -> Parameter {
    var copy = self
    copy.standard = standard ?? copy.standard
    return copy
  }
}
