// Options that several commands share: which model, with which parameters and invariants.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkSupport

package enum SharedOptions {
  static let parameter = Option(
    name: "set", value: "NAME=VALUE", help: "set a parameter of the model",
    isRepeatable: true)
  static let invariant = Option(
    name: "invariant", value: "ID", help: "require this invariant only",
    isRepeatable: true)

  private static let strategies = Strategy.allCases.map(\.rawValue)
  package static let mode = Option(
    name: "mode", value: strategies.joined(separator: "|"), help: "which search (stateful)")

  package static func strategy(_ arguments: Arguments) throws(UsageError) -> Strategy? {
    try arguments.choice("mode", of: strategies).flatMap { Strategy(rawValue: $0) }
  }

  package static let exact = Option(
    name: "exact", value: nil,
    help: "compare states in full, not by their hashes: slower, no collisions")

  package static func isExact(_ arguments: Arguments, _ strategy: Strategy) throws(UsageError)
    -> Bool
  {
    guard arguments.has("exact") else { return false }
    guard strategy.mergesStates else {
      throw UsageError(
        "--mode \(strategy.rawValue) and --exact contradict each other: it keeps no states")
    }
    return true
  }

  package static let jobs = Option(
    name: "jobs", value: "N", help: "threads of a search, unless optimal (1)")

  package static func jobs(_ arguments: Arguments, _ strategy: Strategy) throws(UsageError) -> Int {
    let jobs = try arguments.count("jobs", upTo: ParallelSearch.jobsMax) ?? 1
    if jobs > 1, !strategy.isDivisible {
      throw UsageError(
        "--mode \(strategy.rawValue) and --jobs contradict each other: only the stateful search, "
          + "exhaustive, source and sleep run on several threads")
    }
    return jobs
  }

  /// The model with a name; for an unknown name, the error suggests the nearest ones.
  static func model(
    _ name: String, of arguments: Arguments
  ) throws(UsageError) -> Model {
    let source = arguments.source
    if let model = source.model(named: name) { return model }
    try refuseCombination(name, source)
    let near = nearest(to: name, among: source.allModels.map(\.name))
    let hint =
      near.isEmpty
      ? "\(RunningProgram.name) list names them all"
      : "did you mean \(near.joined(separator: ", "))?"
    throw UsageError("unknown model '\(name)'; \(hint)")
  }

  /// Throws an error that says what is wrong with the name of a combination.
  private static func refuseCombination(
    _ name: String, _ source: ModelSource
  ) throws(UsageError) {
    guard let model = source.allModels.first(where: { name.hasPrefix("\($0.name)/") }) else {
      return
    }
    do throws(Model.CombinationNameError) {
      _ = try model.combination(named: name)
    } catch {
      switch error {
      case .noVocabulary: throw UsageError("\(model.name) has no operations to choose from")
      case .unknownOperation(let word, let known):
        throw UsageError(
          "\(model.name) has no operation '\(word)'; it has \(known.joined(separator: ", "))")
      case .tooLarge:
        throw UsageError(
          "a combination has at most \(Model.sweptCPUsMax) CPUs with "
            + "\(Model.sweptOperationsMax) operations each")
      }
    }
  }

  static func parameters(_ arguments: Arguments) throws(UsageError) -> [String: Int] {
    var parameters: [String: Int] = [:]
    for text in arguments.all("set") {
      let sides = text.split(separator: "=", omittingEmptySubsequences: false)
      guard sides.count == 2, let value = Int(sides[1]), !sides[0].isEmpty else {
        throw UsageError("--set needs NAME=VALUE with a whole number, not '\(text)'")
      }
      guard parameters.updateValue(value, forKey: String(sides[0])) == nil else {
        throw UsageError("--set gives \(sides[0]) twice")
      }
    }
    return parameters
  }

  static func invariants(_ arguments: Arguments) -> [String]? {
    arguments.has("invariant") ? arguments.all("invariant") : nil
  }

  static let architecture = Option(
    name: "architecture", value: "NAME",
    help: "features of the MMU: \(Architecture.all.map(\.id).joined(separator: ", "))")
  static let feature = Option(
    name: "feature", value: "NAME=VALUE",
    help: "one feature on top of those (none): bbm=0..2, haf=0..1, hd=0..1, range=0..1, ets=0..1",
    isRepeatable: true)

  /// The features given by options; nil for those of the scenario itself.
  static func features(_ arguments: Arguments) throws(UsageError) -> Features? {
    guard arguments.has("architecture") || arguments.has("feature") else { return nil }
    var features = Features()
    if let id = arguments.value("architecture") {
      guard let architecture = Architecture.all.first(where: { $0.id == id }) else {
        let known = Architecture.all.map(\.id)
        throw UsageError(
          "there is no architecture '\(id)'; it is one of \(known.joined(separator: ", "))")
      }
      features = architecture.features
    }
    var given: [String] = []
    for text in arguments.all("feature") {
      let sides = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
      guard sides.count == 2, let value = Int(sides[1]), !sides[0].isEmpty else {
        throw UsageError("--feature needs NAME=VALUE with a whole number, not '\(text)'")
      }
      guard !given.contains(sides[0]) else { throw UsageError("--feature gives \(sides[0]) twice") }
      given.append(sides[0])
      do throws(FeatureError) {
        try features.set(sides[0], to: value)
      } catch {
        throw UsageError(error.description)
      }
    }
    return features
  }

  private static let memoryModels = MemoryModel.allCases.map(\.rawValue)
  package static let memory = Option(
    name: "memory", value: memoryModels.joined(separator: "|"),
    help: "memory model (what the model's scenario says)")

  /// The memory model that is asked for; nil for that of the scenario itself.
  package static func memory(_ arguments: Arguments) throws(UsageError) -> MemoryModel? {
    try arguments.choice("memory", of: memoryModels).flatMap { MemoryModel(rawValue: $0) }
  }

  static let without = Option(
    name: "without", value: "STEP", help: "leave out a step, named as gracewalk ablate names it")

  /// The step to leave out.
  static func without(_ arguments: Arguments) throws(UsageError) -> WeakenedStep? {
    try steps(arguments, "without").first
  }

  /// The steps that an option names.
  static func steps(
    _ arguments: Arguments, _ option: String
  ) throws(UsageError) -> [WeakenedStep] {
    try arguments.all(option).map { text throws(UsageError) in
      guard let step = WeakenedStep(text: text) else {
        let isFormer = WeakenedStep.isFormerName(text)
        let why = isFormer ? ": steps are no longer named by file and line" : ""
        throw UsageError(
          "--\(option) needs a step such as \(WeakenedStep.example), not '\(text)'\(why); "
            + "\(RunningProgram.name) ablate MODEL names them")
      }
      return step
    }
  }

  /// The error a model's options led to, as one line.
  static func usageError(_ error: CheckError, model: String) -> UsageError {
    UsageError(error.text(model: model))
  }
}
