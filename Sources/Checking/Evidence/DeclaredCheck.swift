// The checks that a model's declared verdict implies; the catalogue and tests run them.

import GracewalkMachine
import GracewalkTraces

/// A check and its required result.
public struct DeclaredCheck: Equatable, Codable, Sendable {
  /// Values for the model's parameters, one of its instances.
  public let parameters: [String: Int]
  /// The only invariant required, which must fail; nil if the model is to hold.
  public let violated: String?
  /// The memory model; nil for the scenario's own.
  public let memoryModel: MemoryModel?

  public init(
    parameters: [String: Int] = [:], violated: String? = nil, under memoryModel: MemoryModel? = nil
  ) {
    self.parameters = parameters
    self.violated = violated
    self.memoryModel = memoryModel
  }

  /// The verdict in words.
  public var verdict: String { violated.map { "violates \($0)" } ?? "holds" }

  /// The given options with the parameters and invariants of this check.
  public func options(_ given: CheckOptions = CheckOptions()) -> CheckOptions {
    var options = given
    options.parameters = parameters
    options.invariants = violated.map { [$0] }
    if let memoryModel { options.memoryModel = memoryModel }
    return options
  }

  /// True if a check with these options came to the declared verdict, and not by chance.
  public func isMet(by report: CheckReport) -> Bool {
    switch report.verdict {
    case .holds: violated == nil
    case .violated: violated == report.violatedInvariant
    case .incomplete: false
    }
  }
}

/// A declared check and its report.
public struct JudgedCheck: Codable, Sendable {
  public let declared: DeclaredCheck
  public let report: CheckReport
  /// Its duration; the only value that differs between two runs.
  public let seconds: Double?

  public init(_ declared: DeclaredCheck, _ report: CheckReport, seconds: Double? = nil) {
    self.declared = declared
    self.report = report
    self.seconds = seconds
  }

  public var isAsDeclared: Bool { declared.isMet(by: report) }

  /// The model with its parameters.
  public var name: String {
    report.model + parameterText(report.parameters.values)
      + (declared.memoryModel.map { " (\($0.rawValue))" } ?? "")
  }
}

extension Model {
  /// One check of all invariants for a model that holds; for a broken one, a check of each
  /// invariant it violates, alone; each with every instance, under every memory model with a
  /// declared verdict, where instances may be smaller.
  public var declaredChecks: [DeclaredCheck] {
    let own: [MemoryModel?] = [nil]
    return declaredChecks(under: own + otherMemoryModels)
  }

  /// The same under one memory model: its own verdict, or that under the scenario's own model.
  ///
  /// What is not declared for a memory model is the same there.
  public func declaredChecks(under memoryModel: MemoryModel) -> [DeclaredCheck] {
    declaredChecks(under: [memoryModel])
  }

  private func declaredChecks(under models: [MemoryModel?]) -> [DeclaredCheck] {
    let checks = models.flatMap { model in
      instances(under: model).flatMap { instance in
        switch model.flatMap({ verdicts[$0] }) ?? expectation {
        case .holds: [DeclaredCheck(parameters: instance, under: model)]
        case .violates(let ids):
          ids.map { DeclaredCheck(parameters: instance, violated: $0, under: model) }
        }
      }
    }
    // A model that declares nothing to check is not skipped: its check says what is wrong.
    return checks.isEmpty ? [DeclaredCheck()] : checks
  }
}
