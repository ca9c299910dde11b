// Finds mistakes in a model's declaration and in options, each described in one line.

import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkSupport

extension Model {
  /// The first mistake in the model's declaration, or nil.
  ///
  /// Operations and invariants may exist in only some instances, so all are examined.
  func declarationProblem(_ parameters: [String: Int]) -> String? {
    if name.allSatisfy(\.isWhitespace) { return "a model has no name" }
    if let text = parameterProblem ?? vocabulary?.problem { return text }
    let sizes = [parameters] + instances
    let scenarios = sizes.map { freshScenario(ScenarioChoice(parameters: $0)) }
    // If an instance cannot be built, its operations are unknown; its own check says why.
    if scenarios.contains(where: { $0.problem != nil }) { return nil }
    return expectationProblem(scenarios) ?? outcomeProblem(sizes, scenarios)
  }

  /// Those of all memory models.
  private var allInstances: [[String: Int]] {
    instances + MemoryModel.allCases.flatMap { otherInstances[$0] ?? [] }
  }

  private var parameterProblem: String? {
    var known: Set<String> = []
    for parameter in parameters {
      guard known.insert(parameter.name).inserted else {
        return "two parameters have the name '\(parameter.name)'"
      }
      guard parameter.range.contains(parameter.standard) else {
        return
          "the default value of '\(parameter.name)', \(parameter.standard), is out of its range, "
          + "\(parameter.range.lowerBound) to \(parameter.range.upperBound)"
      }
    }
    if instances.isEmpty || otherInstances.values.contains(where: \.isEmpty) {
      return "instances is empty: there would be nothing to verify"
    }
    for (name, value) in allInstances.flatMap({ $0.sorted { $0.key < $1.key } }) {
      guard let parameter = parameters.first(where: { $0.name == name }) else {
        return "an instance has a value for '\(name)', which is not a parameter"
          + hint(name, parameters.map(\.name))
      }
      guard parameter.range.contains(value) else {
        return
          "an instance has \(name)=\(value), out of its range, \(parameter.range.lowerBound) to "
          + "\(parameter.range.upperBound)"
      }
    }
    return nil
  }

  private func expectationProblem(_ scenarios: [Scenario]) -> String? {
    let required = scenarios.flatMap(\.invariants).map(\.id)
    if case .violates(let ids) = expectation {
      if ids.isEmpty { return "expectation .violates([]) names no invariant" }
      for id in ids where !required.contains(id) {
        return "is declared to violate '\(id)', which it does not require" + hint(id, required)
      }
    }
    let known = InvariantCatalogue.described.map(\.id) + required
    for id in exempt.map(\.invariant) where !known.contains(id) {
      return "is exempt from '\(id)', which is not an invariant" + hint(id, known)
    }
    return nil
  }

  private func outcomeProblem(_ sizes: [[String: Int]], _ scenarios: [Scenario]) -> String? {
    var operations: [String] = []
    for name in scenarios.flatMap(\.programs).flatMap(\.operations).map(\.name)
    where !operations.contains(name) {
      operations.append(name)
    }
    for outcome in mustHappen where !operations.contains(outcome.operation) {
      // An outcome that is impossible with these parameters may name operations that exist only
      // with others.
      let isExpected = zip(sizes, scenarios).contains {
        outcome.isPossible(values($0), $1.features)
      }
      guard isExpected else { continue }
      return
        "mustHappen names the operation '\(outcome.operation)', which no CPU has; there are "
        + operations.map { "'\($0)'" }.joined(separator: ", ")
    }
    return nil
  }

  private func hint(_ name: String, _ known: [String]) -> String {
    var distinct: [String] = []
    for id in known where !distinct.contains(id) { distinct.append(id) }
    let near = nearest(to: name, among: distinct)
    return near.isEmpty ? "" : "; did you mean \(near.joined(separator: ", "))?"
  }
}

extension Vocabulary {
  /// The maximum number of permutations that symmetries may generate.
  static let symmetriesMax = 5_040

  /// The first mistake in the vocabulary, or nil.
  var problem: String? {
    let (scenario, words) = build()
    if words.isEmpty { return "the vocabulary has no operations to combine" }
    if let program = scenario.programs.first {
      return "the vocabulary's scenario has the CPU '\(program.name)': combinations add theirs"
    }
    var names: Set<String> = []
    for word in words {
      if word.name.isEmpty {
        return "the vocabulary's operation '\(word.operation.name)' has no letter or digit in its "
          + "name, so no combination could be named after it"
      }
      guard names.insert(word.name).inserted else {
        return
          "the vocabulary has two operations that combinations would call '\(word.name)'"
      }
    }
    let all = Array(words.indices)
    for symmetry in symmetries where symmetry.sorted() != all {
      return "a symmetry of the vocabulary is not a permutation of its \(words.count) operations: "
        + "\(symmetry)"
    }
    if CombinationSpace.group(of: symmetries, words.count) == nil {
      return "the vocabulary's symmetries make up more than \(Self.symmetriesMax) permutations"
    }
    return nil
  }
}

extension CheckOptions {
  private static let priorityChangesMax = 10_000

  /// The first invalid value, or nil.
  var problem: String? {
    if jobs < 1 { return "\(jobs) jobs: there is at least one" }
    if !(0...Self.priorityChangesMax).contains(priorityChanges) {
      return
        "\(priorityChanges) priority changes: they must be from 0 to \(Self.priorityChangesMax)"
    }
    if !(1...SearchChoice.unitsMax).contains(units) {
      return "\(units) units: they must be from 1 to \(SearchChoice.unitsMax)"
    }
    if let length = search.unitLength, !(1...SearchChoice.unitLengthMax).contains(length) {
      return "units of \(length) steps: they must be from 1 to \(SearchChoice.unitLengthMax)"
    }
    if !(checkpointInterval >= 0) { return "checkpoints every \(checkpointInterval) seconds" }
    return limits.problem
  }
}

extension Limits {
  /// The maximum of a bound on steps.
  static let depthMax = 1_000_000_000
  /// The maximum for a search with reduction: the limit of its vector clocks.
  static let reducedDepthMax = 32_000

  /// These bounds, adjusted for a search with reduction.
  var reduced: Limits {
    var limits = self
    limits.depth = min(depth, Limits.reducedDepthMax)
    return limits
  }

  /// The first invalid value, or nil.
  var problem: String? {
    guard (1...Self.depthMax).contains(depth) else {
      return "a bound of \(depth) steps: it must be from 1 to \(Self.depthMax)"
    }
    if let preemptions, !(0...Self.depthMax).contains(preemptions) {
      return "a bound of \(preemptions) preemptions: it must be from 0 to \(Self.depthMax)"
    }
    if let executions, executions < 1 { return "a bound of \(executions) executions" }
    if let states, states < 1 { return "a bound of \(states) states" }
    if let memoryBytes, memoryBytes < 1 { return "a bound of \(memoryBytes) bytes" }
    if let seconds, !(seconds > 0) { return "a bound of \(seconds) seconds" }
    return nil
  }
}

extension Collection<Model> {
  /// The first problem with the models as a list, or nil.
  public var listProblem: String? {
    var names: Set<String> = []
    for model in self where !names.insert(model.name).inserted {
      return "two models have the name '\(model.name.excerpt())'"
    }
    return nil
  }
}
