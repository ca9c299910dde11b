// Which model breaks which invariant on which architecture: one verdict each, alone.

import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine

/// Verdicts of models by invariant and architecture.
public struct VerdictMatrix: Sendable {
  /// The verdict where one invariant is the only one required.
  public enum Cell: String, Equatable, Sendable {
    case holds
    case violated
    /// The model does not require the invariant.
    case notRequired = "not required"
    case incomplete
  }

  /// The verdicts of a model on an architecture.
  public struct Row: Equatable, Sendable {
    /// Nil for a model without an MMU, whose verdicts are the same on any.
    public var architecture: Architecture?
    /// In the order of the matrix's invariants.
    public var cells: [Cell]
  }

  /// The rows of a model.
  public struct Entry: Sendable {
    public var model: String
    /// The invariants that it is declared to violate; none for a model that holds.
    public var declared: [String]
    /// One for each architecture, or a single one.
    public var rows: [Row]
    /// How the rows differ from what is declared; nil if they do not.
    public var disagreement: String?
  }

  /// Ids of the invariants that some model requires: those of the catalogue first, in its order.
  public let invariants: [String]
  public let entries: [Entry]

  public var isAsDeclared: Bool { entries.allSatisfy { $0.disagreement == nil } }

  /// Checks the models, each at the last of its sizes.
  ///
  /// - `check`: carries out a check; parameters, invariants and features are as they must be in the
  ///   options that it is given, and all else is standard.
  public init<Failure: Error>(
    of models: [Model], on architectures: [Architecture] = Architecture.all,
    check: (Model, CheckOptions) throws(Failure) -> CheckReport
  ) throws(Failure) {
    let scenarios = models.map { $0.largestScenario }
    var ids = InvariantCatalogue.described.map(\.id)
    for id in scenarios.flatMap(\.invariants).map(\.id) where !ids.contains(id) { ids.append(id) }
    let required = Set(scenarios.flatMap(\.invariants).map(\.id))
    invariants = ids.filter { required.contains($0) }
    var entries: [Entry] = []
    for (model, scenario) in zip(models, scenarios) {
      let columns: [Architecture?] = scenario.hasHardware ? architectures : [nil]
      var rows: [Row] = []
      for column in columns {
        let verdicts = try Self.verdicts(of: model, scenario, column, check)
        rows.append(
          Row(architecture: column, cells: invariants.map { verdicts[$0] ?? .notRequired }))
      }
      entries.append(Self.entry(model, scenario.features, invariants, rows))
    }
    self.entries = entries
  }

  /// The verdict of each invariant that a model requires.
  ///
  /// What holds together holds one by one, and what fails among others fails alone: it is the same
  /// executions that are judged. So one search more than there are invariants that fail is enough.
  private static func verdicts<Failure: Error>(
    of model: Model, _ scenario: Scenario, _ architecture: Architecture?,
    _ check: (Model, CheckOptions) throws(Failure) -> CheckReport
  ) throws(Failure) -> [String: Cell] {
    var options = CheckOptions()
    options.features = architecture?.features
    options.minimises = false
    options.judgesErrors = false
    options.parameters = model.largestInstance
    var verdicts: [String: Cell] = [:]
    var left = scenario.invariants.map(\.id)
    while !left.isEmpty {
      options.invariants = left
      let report = try check(model, options)
      switch report.verdict {
      case .holds, .incomplete(.vacuous):
        // A broken model need not show what its correct sibling must.
        for id in left { verdicts[id] = .holds }
        left = []
      case .violated:
        // Each turn takes one away, so there is an end to it.
        guard let id = report.violatedInvariant, left.contains(id) else { return verdicts }
        verdicts[id] = .violated
        left.removeAll { $0 == id }
      case .incomplete:
        // Together they are too much, or one of them stops the search before the others' turn.
        for id in left {
          options.invariants = [id]
          verdicts[id] = try Cell(left.count == 1 ? report : check(model, options))
        }
        left = []
      }
    }
    return verdicts
  }

  private static func entry(
    _ model: Model, _ own: Features, _ invariants: [String], _ rows: [Row]
  ) -> Entry {
    var entry = Entry(model: model.name, declared: [], rows: rows, disagreement: nil)
    // Where a model asks for features itself, less than those is none of its business.
    let judged = rows.filter { $0.architecture?.features.includes(own) ?? true }
    let ids = { (cell: Cell) in
      invariants.indices.filter { column in judged.contains { $0.cells[column] == cell } }
        .map { invariants[$0] }
    }
    let violated = ids(.violated)
    let incomplete = ids(.incomplete)
    if case .violates(let declared) = model.expectation { entry.declared = declared }
    let missing = entry.declared.filter { !violated.contains($0) }
    if !incomplete.isEmpty {
      entry.disagreement = "incomplete: \(incomplete.joined(separator: ", "))"
    } else if entry.declared.isEmpty, !violated.isEmpty {
      entry.disagreement = "declared to hold, but violates \(violated.joined(separator: ", "))"
    } else if !missing.isEmpty {
      entry.disagreement = "declared to violate \(missing.joined(separator: ", ")), which holds"
    }
    return entry
  }
}

extension VerdictMatrix.Cell {
  init(_ report: CheckReport) {
    switch report.verdict {
    case .holds, .incomplete(.vacuous): self = .holds
    case .violated: self = .violated
    case .incomplete: self = .incomplete
    }
  }
}
