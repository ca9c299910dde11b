// What is known of a system once its models are checked and its correct ones are taken apart.

import Dispatch
import Exploration
import Invariants
import Machine
import Support

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

/// One of the checks by which a model shows what it is in the catalogue for.
public struct DeclaredCheck: Sendable {
  public let model: Model
  public let parameters: [String: Int]
  /// The only invariant required, which must fail; nil if all are required and must hold.
  public let violated: String?

  /// What to check with, all else being standard.
  public var options: CheckOptions {
    CheckOptions(parameters: parameters, invariants: violated.map { [$0] })
  }

  /// Whether a report says what was declared.
  public func agrees(with report: CheckReport) -> Bool {
    switch report.verdict {
    case .holds: violated == nil && report.vacuous.isEmpty
    case .violated: violated != nil && violated == report.violatedInvariant
    case .incomplete: false
    }
  }
}

extension Model {
  /// All of them: at each size, all invariants together for a model that holds, and for a broken
  /// one each that it violates, alone.
  public var declaredChecks: [DeclaredCheck] {
    instances.flatMap { instance -> [DeclaredCheck] in
      switch expectation {
      case .holds: [DeclaredCheck(model: self, parameters: instance, violated: nil)]
      case .violates(let ids):
        ids.map { DeclaredCheck(model: self, parameters: instance, violated: $0) }
      }
    }
  }
}

/// All that the documents say of a model rests on.
public struct Evidence: Sendable {
  public struct Checked: Sendable {
    public let check: DeclaredCheck
    public let report: CheckReport
  }

  public let model: Model
  public let checks: [Checked]
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
    var checks: [Checked] = []
    for check in model.declaredChecks {
      let report: CheckReport
      do { report = try model.check(check.options) } catch { throw .check(error) }
      guard check.agrees(with: report) else { throw .broken(report) }
      checks.append(Checked(check: check, report: report))
    }
    self.checks = checks
    ablation = model.expectation == .holds ? try model.ablate() : nil
  }

  /// The evidence of several models, so many at a time; it is the same for any number.
  public static func of(_ models: [Model], jobs: Int) -> [Result<Evidence, AblationError>] {
    let found = Locked<[Int: Result<Evidence, AblationError>]>([:])
    let next = Locked(0)
    DispatchQueue.concurrentPerform(iterations: max(1, min(jobs, models.count))) { _ in
      while let number = next.withLock({ take(from: &$0, below: models.count) }) {
        let result = Result { () throws(AblationError) in try Evidence(models[number]) }
        found.withLock { $0[number] = result }
      }
    }
    return models.indices.compactMap { number in found.withLock { $0[number] } }
  }

  private static func take(from next: inout Int, below count: Int) -> Int? {
    guard next < count else { return nil }
    defer { next += 1 }
    return next
  }
}
