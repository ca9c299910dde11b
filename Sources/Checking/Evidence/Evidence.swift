// What is known of a system once its models are checked and its correct ones are taken apart.

import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkSupport

/// Models that belong together: the correct ones of a protocol, and its siblings.
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

/// All that the documents say of a model rests on.
public struct Evidence: Sendable {
  public let model: Model
  public let checks: [JudgedCheck]
  /// Ids of the invariants the model requires.
  public let required: [String]
  /// What each of its steps is there for, if the model is correct.
  public let ablation: AblationReport?

  /// Checks a model, and takes it apart if it holds.
  ///
  /// - Throws: `AblationError` if it cannot be checked, or does not do what it is declared to.
  public init(_ model: Model) throws(AblationError) {
    self.model = model
    required = model.largestScenario.invariants.map(\.id)
    var checks: [JudgedCheck] = []
    for declared in model.declaredChecks {
      let report: CheckReport
      do { report = try model.check(declared.options()) } catch { throw .check(error) }
      let judged = JudgedCheck(declared, report)
      guard judged.isAsDeclared else { throw .broken(report) }
      checks.append(judged)
    }
    self.checks = checks
    ablation = model.expectation == .holds ? try model.ablate() : nil
  }

  /// The evidence of several models, so many at a time; it is the same for any number.
  public static func of(
    _ models: [Model], jobs: Int,
    willLookAt: @escaping @Sendable (_ model: Model) -> Void = { _ in }
  ) -> [Result<Evidence, AblationError>] {
    concurrentMap(models.count, jobs: jobs) { number in
      willLookAt(models[number])
      return Result { () throws(AblationError) in try Evidence(models[number]) }
    }
  }
}
