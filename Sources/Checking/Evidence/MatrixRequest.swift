// A row of the matrix: the verdict of each invariant that a model requires, in one setting.

import GracewalkExploration
import GracewalkMachine

/// Why a model's row could not be filled in.
package struct MatrixError: Error {
  package let model: String
  package let error: CheckError
}

/// A row of the matrix, as a unit of work.
package struct MatrixRequest: WorkUnit {
  private let model: String
  /// The features of the modelled MMU; nil for a model without one.
  private let features: Features?
  /// Nil for the scenario's own.
  private let memoryModel: MemoryModel?
  private let search: SearchChoice

  /// The states of a check under a memory model other than the scenario's own, if no bound is asked
  /// for: a table of all models must not take hours.
  static let statesElsewhere = 50_000

  init(_ model: String, _ column: VerdictMatrix.Column, _ search: SearchChoice) {
    self.model = model
    features = column.architecture?.features
    memoryModel = column.memoryModel
    self.search = search
  }

  package func run(
    _ context: WorkContext<SearchProgress>
  ) throws(CheckError) -> [String: VerdictMatrix.Cell] {
    let model = try context.model(named: model)
    return try Self.verdicts(of: model, features, memoryModel, search) {
      model, asked throws(CheckError) in
      var options = asked
      context.supervise(&options)
      return try model.check(options)
    }
  }

  package var isTimed: Bool { search.limits.seconds != nil }

  static func verdicts<Failure: Error>(
    of model: Model, _ column: VerdictMatrix.Column, _ search: SearchChoice,
    _ check: (Model, CheckOptions) throws(Failure) -> CheckReport
  ) throws(Failure) -> [String: VerdictMatrix.Cell] {
    try verdicts(of: model, column.architecture?.features, column.memoryModel, search, check)
  }

  /// The verdict of each invariant that a model requires.
  ///
  /// Invariants that hold together hold one by one, and an invariant that fails among others fails
  /// alone, since the same executions are judged. So one search more than the number of failing
  /// invariants is enough.
  private static func verdicts<Failure: Error>(
    of model: Model, _ features: Features?, _ memoryModel: MemoryModel?, _ search: SearchChoice,
    _ check: (Model, CheckOptions) throws(Failure) -> CheckReport
  ) throws(Failure) -> [String: VerdictMatrix.Cell] {
    var options = CheckOptions(scenario: ScenarioChoice(), search: search)
    options.features = features
    options.memoryModel = memoryModel
    let isElsewhere = memoryModel.map { $0 != model.largestScenario.memoryModel } ?? false
    if isElsewhere, options.limits.states == nil { options.limits.states = statesElsewhere }
    options.minimises = false
    options.judgesErrors = false
    options.parameters = model.largestInstance(under: memoryModel)
    var verdicts: [String: VerdictMatrix.Cell] = [:]
    var left = model.largestScenario.invariants.map(\.id)
    while !left.isEmpty {
      options.invariants = left
      let report = try check(model, options)
      switch report.verdict {
      case .holds, .incomplete(.vacuous):
        // A broken model need not have the declared outcomes of its correct sibling.
        for id in left { verdicts[id] = .holds }
        left = []
      case .violated:
        // Each iteration removes one, so the loop ends.
        guard let id = report.violatedInvariant, left.contains(id) else { return verdicts }
        verdicts[id] = .violated
        left.removeAll { $0 == id }
      case .incomplete:
        // Together they exceed a bound, or one of them stops the search before the others are
        // judged.
        if isElsewhere, case .incomplete(.bound) = report.verdict { return verdicts }
        for id in left {
          options.invariants = [id]
          verdicts[id] = try VerdictMatrix.Cell(left.count == 1 ? report : check(model, options))
        }
        left = []
      }
    }
    return verdicts
  }
}

extension VerdictMatrix.Cell {
  fileprivate init(_ report: CheckReport) {
    switch report.verdict {
    case .holds, .incomplete(.vacuous): self = .holds
    case .violated: self = .violated
    case .incomplete: self = .incomplete
    }
  }
}
