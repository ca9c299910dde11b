// A model: a scenario with parameters, required invariants and an expected verdict.

import GracewalkInvariants
import GracewalkMachine
import GracewalkSupport

/// Where a question comes from.
public struct Origin: Equatable, Codable, Sendable {
  public var author: String
  public var list: String
  /// In the form 2022-04-21.
  public var date: String
  public var subject: String
  /// The question, in our own words.
  public var question: String
  /// The steps that the question is about, if any.
  public var steps: [Weakening]

  public init(
    author: String, list: String, date: String, subject: String, question: String,
    about steps: [Weakening] = []
  ) {
    self.author = author
    self.list = list
    self.date = date
    self.subject = subject
    self.question = question
    self.steps = steps
  }
}

/// A number that shapes a model.
public struct Parameter: Equatable, Sendable {
  public var name: String
  public var summary: String
  public var range: ClosedRange<Int>
  public var standard: Int

  public init(_ name: String, _ summary: String, _ range: ClosedRange<Int>, standard: Int) {
    self.name = name.printable
    self.summary = summary.printable
    self.range = range
    self.standard = standard
  }
}

/// Values for a model's parameters.
public struct ParameterValues: Equatable, Sendable {
  public private(set) var values: [(name: String, value: Int)]

  public init(_ values: [(name: String, value: Int)]) { self.values = values }

  /// The value of one of the model's parameters; any other name makes the check fail with an error.
  public subscript(name: String, file: String = #fileID, line: Int = #line) -> Int {
    guard let found = values.first(where: { $0.name == name }) else {
      let known = values.map(\.name)
      MisuseSink.note(
        "the model declares no parameter '\(name)'; "
          + (known.isEmpty ? "it has none" : "it has \(known.joined(separator: ", "))"), file, line)
      return 1
    }
    return found.value
  }

  public static func == (a: ParameterValues, b: ParameterValues) -> Bool {
    a.values.elementsEqual(b.values) { $0 == $1 }
  }
}

/// The verdict that a model is expected to have.
public enum Expectation: Equatable, Sendable {
  case holds
  /// Each of these invariants fails when it is the only one required.
  case violates([String])
}

/// A result that an operation must have in some execution; otherwise a verdict of "holds" means
/// little.
public struct ExpectedOutcome: Equatable, Sendable {
  /// The name of the operation, on any CPU.
  public let operation: String
  /// The result as traces show it.
  public let result: String
  /// Whether it can happen at all with these parameters and features.
  let isPossible: @Sendable (ParameterValues, Features) -> Bool

  public init(
    _ operation: String, _ result: String,
    where isPossible: @escaping @Sendable (ParameterValues, Features) -> Bool = { _, _ in true }
  ) {
    self.operation = operation.printable
    self.result = result.printable
    self.isPossible = isPossible
  }

  /// Results by operation, in the order given: `["write 0x0": ["done", "retry"]]`.
  public static func each(_ results: KeyValuePairs<String, [String]>) -> [ExpectedOutcome] {
    results.flatMap { operation, results in results.map { ExpectedOutcome(operation, $0) } }
  }

  /// That some execution comes to its end, where the code has assumptions.
  static let wholeExecution = ExpectedOutcome("the code", "to the end of an execution")

  /// True if they are the same outcome; `isPossible` is not compared.
  public static func == (a: ExpectedOutcome, b: ExpectedOutcome) -> Bool {
    a.operation == b.operation && a.result == b.result
  }
}

extension ExpectedOutcome {
  /// Several results that an operation must have.
  public static func each(
    _ operation: String, _ results: String...,
    where isPossible: @escaping @Sendable (ParameterValues, Features) -> Bool = { _, _ in true }
  ) -> [ExpectedOutcome] {
    results.map { ExpectedOutcome(operation, $0, where: isPossible) }
  }
}

/// Encoded without `isPossible`, which belongs to the model.
extension ExpectedOutcome: Codable {
  private enum CodingKeys: CodingKey { case operation, result }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      try container.decode(String.self, forKey: .operation),
      try container.decode(String.self, forKey: .result))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(operation, forKey: .operation)
    try container.encode(result, forKey: .result)
  }
}

/// An invariant that a model does not require though it applies to its scenario.
public struct Exemption: Equatable, Sendable {
  /// The invariant's id.
  public let invariant: String
  /// Why it need not hold.
  public let reason: String

  public init(_ invariant: String, _ reason: String) {
    self.invariant = invariant.printable
    self.reason = reason.printable
  }
}

/// Something to check.
public struct Model: Sendable {
  /// Unique, lower case with hyphens; the name of a broken sibling says what is missing.
  public let name: String
  public let summary: String
  /// A description of the scenario: which CPUs run what.
  public let scenarioText: String
  /// The step left out, for a broken sibling.
  public let omission: String?
  public let origin: Origin?
  public let parameters: [Parameter]
  /// The verdict under the scenario's own memory model.
  public let expectation: Expectation
  /// The verdicts under other memory models that are declared, too.
  public let verdicts: [MemoryModel: Expectation]
  /// Outcomes that prove that the modelled races happen; checked if nothing is violated.
  public let mustHappen: [ExpectedOutcome]
  /// Invariants that are not required though they apply.
  public let exempt: [Exemption]
  /// Parameter values that the catalogue is checked with; others have their default values.
  public let instances: [[String: Int]]
  /// The same under memory models where those of `instances` are out of reach.
  public let otherInstances: [MemoryModel: [[String: Int]]]
  /// The part of the question that sequential consistency cannot answer, or nil.
  public let openQuestion: String?
  private let declaredVocabulary: Vocabulary?
  /// Makes a fresh scenario, equal each time for equal parameters.
  public let build: @Sendable (ParameterValues) -> Scenario

  public init(
    name: String, summary: String, scenario: String, omission: String? = nil,
    origin: Origin? = nil, parameters: [Parameter] = [], expectation: Expectation,
    mustHappen: [ExpectedOutcome] = [], exempt: [Exemption] = [],
    instances: [[String: Int]] = [[:]],
    instancesUnder otherInstances: [MemoryModel: [[String: Int]]] = [:],
    openQuestion: String? = nil, vocabulary: Vocabulary? = nil,
    under verdicts: [MemoryModel: Expectation] = [:],
    build: @escaping @Sendable (ParameterValues) -> Scenario
  ) {
    self.verdicts = verdicts
    self.name = name.printable
    self.summary = summary.printable
    scenarioText = scenario.printable
    self.omission = omission?.printable
    self.origin = origin
    self.parameters = parameters
    self.expectation = expectation
    self.mustHappen = mustHappen
    self.exempt = exempt
    self.instances = instances
    self.otherInstances = otherInstances
    self.openQuestion = openQuestion?.printable
    declaredVocabulary = vocabulary?.omitting(omission)
    self.build = { values in MisuseSink.whileOmitting(omission) { build(values) } }
  }

  /// The operations that a sweep can combine, or nil: those declared, or those that the scenario
  /// offers.
  ///
  /// A model is built for this only when it is asked for, so that a list of models builds none.
  public var vocabulary: Vocabulary? {
    declaredVocabulary ?? Vocabulary(offeredBy: { build(values()) })
  }

  /// The memory models with a declared verdict, besides the scenario's own.
  public var otherMemoryModels: [MemoryModel] {
    MemoryModel.allCases.filter { verdicts[$0] != nil }
  }

  /// The parameter values that the catalogue is checked with under a memory model.
  ///
  /// - Parameter memoryModel: nil for the scenario's own.
  public func instances(under memoryModel: MemoryModel?) -> [[String: Int]] {
    memoryModel.flatMap { otherInstances[$0] } ?? instances
  }

  /// All parameters, with the given values in place of the standard ones.
  public func values(_ given: [String: Int] = [:]) -> ParameterValues {
    ParameterValues(parameters.map { ($0.name, given[$0.name] ?? $0.standard) })
  }
}
