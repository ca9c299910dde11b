// Which model violates which invariant on which architecture, with each invariant required alone.

import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine

/// Verdicts of models by invariant and architecture.
public struct VerdictMatrix: Sendable {
  /// The verdict where one invariant is the only one required.
  public enum Cell: String, Codable, Equatable, Sendable {
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
  /// - `check`: runs a check; the options it receives set parameters, invariants and features, and
  ///   have default values otherwise.
  public init<Failure: Error>(
    of models: [Model], on architectures: [Architecture] = Architecture.all,
    check: (Model, CheckOptions) throws(Failure) -> CheckReport
  ) throws(Failure) {
    self = try VerdictMatrix.assembled(of: models, on: architectures) { rows throws(Failure) in
      var verdicts: [[String: Cell]] = []
      for row in rows {
        verdicts.append(
          try MatrixRequest.verdicts(of: row.model, row.architecture, SearchChoice(), check))
      }
      return verdicts
    }
  }

  /// The same with an executor that computes the rows.
  ///
  /// - Parameters:
  ///   - search: how to search.
  ///   - begin: called for each model before its checks; returns their observer.
  /// - Throws: the first error, with its model.
  package init(
    of models: [Model], on architectures: [Architecture] = Architecture.all,
    search: SearchChoice = SearchChoice(), by executor: any Executor,
    begin: @escaping @Sendable (Model) -> (SearchProgress) -> Bool
  ) throws(MatrixError) {
    self = try VerdictMatrix.assembled(of: models, on: architectures) { rows throws(MatrixError) in
      var verdicts: [[String: Cell]] = []
      var failure: MatrixError?
      var watch = WorkWatch<MatrixRequest>()
      watch.begin = { begin(rows[$0].model) }
      _ = executor.run(rows.map { MatrixRequest($0.model.name, $0.architecture, search) }, watch) {
        done in
        switch done.result {
        case .success(let row): verdicts.append(row)
        case .failure(let error):
          failure = MatrixError(model: rows[done.number].model.name, error: error)
        }
        return failure == nil
      }
      if let failure { throw failure }
      return verdicts
    }
  }

  /// The rows of the matrix, filled with their verdicts; rows without verdicts are incomplete.
  private static func assembled<Failure: Error>(
    of models: [Model], on architectures: [Architecture],
    verdicts: ([(model: Model, architecture: Architecture?)]) throws(Failure) -> [[String: Cell]]
  ) throws(Failure) -> VerdictMatrix {
    let scenarios = models.map { $0.largestScenario }
    let required = scenarios.map { $0.invariants.map(\.id) }
    var ids = InvariantCatalogue.described.map(\.id)
    for id in required.joined() where !ids.contains(id) { ids.append(id) }
    let known = Set(required.joined())
    let invariants = ids.filter { known.contains($0) }
    let columns = scenarios.map { $0.hasHardware ? architectures.map { $0 } : [nil] }
    let found = try verdicts(
      zip(models, columns).flatMap { model, columns in columns.map { (model, $0) } })
    var rest = found[...]
    let entries = models.indices.map { number in
      let rows = columns[number].map { column in
        let row = rest.popFirst() ?? [:]
        return Row(
          architecture: column,
          cells: invariants.map { id in
            required[number].contains(id) ? row[id] ?? .incomplete : .notRequired
          })
      }
      return entry(models[number], scenarios[number].features, invariants, rows)
    }
    return VerdictMatrix(invariants: invariants, entries: entries)
  }

  private init(invariants: [String], entries: [Entry]) {
    self.invariants = invariants
    self.entries = entries
  }

  private static func entry(
    _ model: Model, _ own: Features, _ invariants: [String], _ rows: [Row]
  ) -> Entry {
    var entry = Entry(model: model.name, declared: [], rows: rows, disagreement: nil)
    // A model that asks for features makes no promise about architectures without them.
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
