// The scenarios of a model: validating a choice, and building a fresh scenario.

import GracewalkInvariants
import GracewalkMachine
import GracewalkSupport
import GracewalkTraces

extension Model {
  /// A fresh scenario with the given parameters, invariants and features.
  ///
  /// The invariants in `InvariantCatalogue.always` are required of every model in which they can
  /// fail.
  public func scenario(
    parameters: [String: Int] = [:], invariants: [String]? = nil, features: Features? = nil,
    without: WeakenedStep? = nil
  ) throws(CheckError) -> Scenario {
    try scenario(
      ScenarioChoice(
        parameters: parameters, invariants: invariants, features: features, without: without))
  }

  /// The same as one value.
  public func scenario(_ choice: ScenarioChoice) throws(CheckError) -> Scenario {
    for (name, value) in choice.parameters.sorted(by: { $0.key < $1.key }) {
      guard let parameter = self.parameters.first(where: { $0.name == name }) else {
        throw .unknownParameter(name: name, known: self.parameters.map(\.name))
      }
      guard parameter.range.contains(value) else {
        throw .parameterOutOfRange(name: name, value: value, range: parameter.range)
      }
    }
    if let problem = declarationProblem(choice.parameters) { throw .badModel(problem) }
    if let invariants = choice.invariants {
      let all = ScenarioChoice(parameters: choice.parameters)
      let known = freshScenario(all).invariants.map(\.id)
      for id in invariants where !known.contains(id) {
        throw .unknownInvariant(id: id, known: known)
      }
    }
    let scenario = freshScenario(try resolved(CheckOptions(scenario: choice)).scenario)
    if let problem = scenario.firstProblem { throw .badModel(problem) }
    return scenario
  }

  /// A fresh scenario of the largest size that the catalogue is checked with.
  package var largestScenario: Scenario {
    freshScenario(ScenarioChoice(parameters: largestInstance))
  }

  /// The last of the parameter values that the catalogue is checked with.
  package var largestInstance: [String: Int] { largestInstance(under: nil) }

  /// The same under a memory model; nil for the scenario's own.
  package func largestInstance(under memoryModel: MemoryModel?) -> [String: Int] {
    instances(under: memoryModel).last ?? [:]
  }

  /// Its values that differ from those of the scenario's own memory model.
  func smallerInstance(under memoryModel: MemoryModel?) -> [String: Int] {
    let instance = values(largestInstance(under: memoryModel)).values
    let pairs = zip(instance, values(largestInstance).values).filter { $0.value != $1.value }
    return Dictionary(uniqueKeysWithValues: pairs.map { ($0.0.name, $0.0.value) })
  }

  /// Identifies a scenario of this model so that it can be built again.
  package func checked(_ scenario: Scenario, _ parameters: ParameterValues) -> CheckedScenario {
    CheckedScenario(scenario, model: name, parameters: parameters.values)
  }

  /// The scenario for a choice that has already been validated.
  func freshScenario(_ choice: ScenarioChoice) -> Scenario {
    let scenario = Scenario.noting { build(values(choice.parameters)) }
    if let features = choice.features { scenario.features = features }
    if let memoryModel = choice.memoryModel { scenario.memoryModel = memoryModel }
    if let step = choice.without {
      scenario.ablation = .weakens(step)
      if step.weakening == .relaxed { scenario.readsPlainly = true }
      if let places = choice.weakenedPlaces.value { scenario.weakenedPlaces = places }
    } else if choice.takesCensus {
      scenario.ablation = .census
    }
    for invariant in InvariantCatalogue.always where scenario.mayViolate(invariant) {
      if !scenario.invariants.contains(where: { $0.id == invariant.id }) {
        scenario.require(invariant)
      }
    }
    if let invariants = choice.invariants {
      scenario.keepInvariants {
        invariants.contains($0)
          || choice.judgesErrors && InvariantCatalogue.keptAlways.contains($0)
      }
      scenario.letsErrorsPass = !choice.judgesErrors
    }
    name(scenario, choice)
    return scenario
  }

  /// Lets reports on code that traps say how to run it again.
  private func name(_ scenario: Scenario, _ choice: ScenarioChoice) {
    let values = values(choice.parameters).values
    let settings = values.map { " --set \($0.name)=\($0.value)" }.joined()
    let features = choice.features.map { " \($0.options)" } ?? ""
    let memory = choice.memoryModel.map { " --memory \($0.rawValue)" } ?? ""
    let without = choice.without.map { " --without \($0.text.quotedForShell)" } ?? ""
    let list = values.map { "\"\($0.name)\": \($0.value)" }.joined(separator: ", ")
    let command =
      "\(RunningProgram.invocation) replay \(name.quotedForShell)\(settings)\(features)\(memory)"
      + without
    scenario.setOrigin(
      model: name, command: ("\(command) --schedule '", "'"),
      call: ("try model.replay(\"", list.isEmpty ? "\")" : "\", parameters: [\(list)])"))
  }
}
