// The results for a system: its declared checks, and the ablations of its correct models.

import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkSupport

/// Everything that the documents say about a model is derived from this.
public struct Evidence: Sendable {
  public let model: Model
  public let checks: [JudgedCheck]
  /// Ids of the invariants the model requires.
  public let required: [String]
  /// Whether each of its steps is needed, if the model is correct.
  public let ablation: AblationReport?

  /// Checks a model, and ablates it if it holds.
  ///
  /// - Throws: `AblationError` if it cannot be checked, or its verdict is not the declared one.
  public init(_ model: Model) throws(AblationError) {
    self.init(model, try EvidenceRequest.answer(for: model))
  }

  /// What somebody has found out of the model.
  package init(_ model: Model, _ answer: EvidenceRequest.Answer) {
    self.model = model
    required = model.largestScenario.invariants.map(\.id)
    checks = answer.checks
    ablation = answer.ablation
  }

  /// The evidence of several models, checked `jobs` at a time; the result does not depend on
  /// `jobs`.
  public static func of(
    _ models: [Model], jobs: Int,
    willLookAt: @escaping @Sendable (_ model: Model) -> Void = { _ in }
  ) -> [Result<Evidence, AblationError>] {
    of(models, by: ThreadExecutor(models, jobs: jobs), willLookAt: willLookAt)
  }

  /// The same with an executor that checks the models.
  package static func of(
    _ models: [Model], by executor: any Executor,
    willLookAt: @escaping @Sendable (_ model: Model) -> Void = { _ in }
  ) -> [Result<Evidence, AblationError>] {
    let problem = models.listProblem ?? "[internal] it was not checked"
    var evidence = models.map { _ in
      Result<Evidence, AblationError>.failure(.check(.badModel(problem)))
    }
    // Units name their models.
    guard models.listProblem == nil else { return evidence }
    var watch = WorkWatch<EvidenceRequest>()
    watch.begin = { number in
      willLookAt(models[number])
      return { _ in true }
    }
    _ = executor.run(models.map { EvidenceRequest(model: $0.name) }, watch) { done in
      evidence[done.number] = done.result.map { Evidence(models[done.number], $0) }
      return true
    }
    return evidence
  }
}

/// The evidence of a model, as a unit of work.
package struct EvidenceRequest: WorkUnit {
  package var model: String

  package struct Answer: Codable, Sendable {
    var checks: [JudgedCheck]
    var ablation: AblationReport?
  }

  package func run(_ context: WorkContext<SearchProgress>) throws(AblationError) -> Answer {
    let found: Model
    do { found = try context.model(named: model) } catch { throw .check(error) }
    return try Self.answer(for: found)
  }

  package static func answer(for model: Model) throws(AblationError) -> Answer {
    var checks: [JudgedCheck] = []
    for declared in model.declaredChecks {
      let report: CheckReport
      do { report = try model.check(declared.options()) } catch { throw .check(error) }
      let judged = JudgedCheck(declared, report)
      guard judged.isAsDeclared else { throw .broken(report) }
      checks.append(judged)
    }
    return Answer(
      checks: checks, ablation: model.expectation == .holds ? try model.ablate() : nil)
  }
}
