// Which model violates which invariant on which architecture and under which memory model, with
// each invariant required alone.

import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine

/// Verdicts of models by invariant, architecture and memory model.
public struct VerdictMatrix: Sendable {
  /// The verdict where one invariant is the only one required.
  public enum Cell: String, Codable, Equatable, Sendable {
    case holds
    case violated
    /// The model does not require the invariant.
    case notRequired = "not required"
    case incomplete
  }

  /// What a row is about.
  struct Column {
    var architecture: Architecture?
    var memoryModel: MemoryModel?
  }

  /// The verdicts of a model on an architecture, or under a memory model.
  public struct Row: Equatable, Sendable {
    /// Nil for a model without an MMU, and in rows for memory models other than the scenario's own,
    /// which have the scenario's features.
    public var architecture: Architecture?
    /// Nil in rows for an architecture, which are under the scenario's own.
    public var memoryModel: MemoryModel?
    /// The parameters that differ from those of the largest size, which is out of reach here.
    public var smaller: [String: Int] = [:]
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

  /// Rows of which some verdict is out of reach.
  public var incompleteRows: Int {
    entries.flatMap(\.rows).count { $0.cells.contains(.incomplete) }
  }

  public var isAsDeclared: Bool { entries.allSatisfy { $0.disagreement == nil } }

  /// Checks the models, each at the last of its sizes for the memory model.
  ///
  /// - `memoryModels`: the rows to have; those for architectures are under the scenario's own.
  /// - `check`: runs a check; the options it receives set parameters, invariants, features and the
  ///   memory model, and have default values otherwise.
  public init<Failure: Error>(
    of models: [Model], on architectures: [Architecture] = Architecture.all,
    under memoryModels: [MemoryModel] = MemoryModel.allCases,
    check: (Model, CheckOptions) throws(Failure) -> CheckReport
  ) throws(Failure) {
    self = try VerdictMatrix.assembled(of: models, on: architectures, under: memoryModels) {
      rows throws(Failure) in
      var verdicts: [[String: Cell]] = []
      for row in rows {
        verdicts.append(
          try MatrixRequest.verdicts(of: row.model, row.column, SearchChoice(), check))
      }
      return verdicts
    }
  }

  /// The same with an executor that computes the rows.
  ///
  /// - Parameters:
  ///   - memoryModels: the rows to have; those for architectures are under the scenario's own.
  ///   - search: how to search.
  ///   - begin: called for each model before its checks; returns their observer.
  /// - Throws: the first error, with its model.
  package init(
    of models: [Model], on architectures: [Architecture] = Architecture.all,
    under memoryModels: [MemoryModel] = MemoryModel.allCases, search: SearchChoice = SearchChoice(),
    by executor: any Executor,
    begin: @escaping @Sendable (Model) -> (SearchProgress) -> Bool
  ) throws(MatrixError) {
    self = try VerdictMatrix.assembled(of: models, on: architectures, under: memoryModels) {
      rows throws(MatrixError) in
      var verdicts: [[String: Cell]] = []
      var failure: MatrixError?
      var watch = WorkWatch<MatrixRequest>()
      watch.begin = { begin(rows[$0].model) }
      _ = executor.run(rows.map { MatrixRequest($0.model.name, $0.column, search) }, watch) {
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
    of models: [Model], on architectures: [Architecture], under memoryModels: [MemoryModel],
    verdicts: ([(model: Model, column: Column)]) throws(Failure) -> [[String: Cell]]
  ) throws(Failure) -> VerdictMatrix {
    let scenarios = models.map { $0.largestScenario }
    let required = scenarios.map { $0.invariants.map(\.id) }
    var ids = InvariantCatalogue.described.map(\.id)
    for id in required.joined() where !ids.contains(id) { ids.append(id) }
    let known = Set(required.joined())
    let invariants = ids.filter { known.contains($0) }
    let columns = scenarios.map { Self.columns(of: $0, architectures, memoryModels) }
    let found = try verdicts(
      zip(models, columns).flatMap { model, columns in columns.map { (model, $0) } })
    var rest = found[...]
    let entries = models.indices.map { number in
      let rows = columns[number].map { column in
        let row = rest.popFirst() ?? [:]
        return Row(
          architecture: column.architecture, memoryModel: column.memoryModel,
          smaller: models[number].smallerInstance(under: column.memoryModel),
          cells: invariants.map { id in
            required[number].contains(id) ? row[id] ?? .incomplete : .notRequired
          })
      }
      return entry(models[number], scenarios[number], invariants, rows)
    }
    return VerdictMatrix(invariants: invariants, entries: entries)
  }

  /// Architectures for a model with an MMU under its own memory model, and the other memory models.
  private static func columns(
    of scenario: Scenario, _ architectures: [Architecture], _ memoryModels: [MemoryModel]
  ) -> [Column] {
    memoryModels.flatMap { memoryModel in
      memoryModel == scenario.memoryModel && scenario.hasHardware
        ? architectures.map { Column(architecture: $0) } : [Column(memoryModel: memoryModel)]
    }
  }

  private init(invariants: [String], entries: [Entry]) {
    self.invariants = invariants
    self.entries = entries
  }

  private static func entry(
    _ model: Model, _ scenario: Scenario, _ invariants: [String], _ rows: [Row]
  ) -> Entry {
    var entry = Entry(model: model.name, declared: [], rows: rows, disagreement: nil)
    // A model that asks for features makes no promise about architectures without them.
    let own = rows.filter { row in
      (row.memoryModel ?? scenario.memoryModel) == scenario.memoryModel
        && row.architecture?.features.includes(scenario.features) ?? true
    }
    if case .violates(let declared) = model.expectation { entry.declared = declared }
    if !own.isEmpty { entry.disagreement = disagreement(own, entry.declared, invariants) }
    for row in rows where entry.disagreement == nil {
      guard let other = row.memoryModel, other != scenario.memoryModel else { continue }
      // A verdict that nobody has declared may be out of reach.
      if model.verdicts[other] == nil, row.cells.contains(.incomplete) { continue }
      guard let declared = declared(for: model, scenario, under: other) else { continue }
      entry.disagreement = disagreement([row], declared, invariants).map {
        "under \(other.text) \($0)"
      }
    }
    return entry
  }

  /// The invariants that a model is declared to violate under a memory model other than its own.
  ///
  /// Nil if nothing is declared for it.
  private static func declared(
    for model: Model, _ scenario: Scenario, under other: MemoryModel
  ) -> [String]? {
    if let verdict = model.verdicts[other] {
      if case .violates(let ids) = verdict { return ids }
      return []
    }
    guard case .violates(let ids) = model.expectation else { return [] }
    // A stronger memory model may prevent what happens under the model's own.
    return other.isStronger(than: scenario.memoryModel) ? nil : ids
  }

  /// How rows differ from what is declared; nil if they do not.
  private static func disagreement(
    _ judged: [Row], _ declared: [String], _ invariants: [String]
  ) -> String? {
    let ids = { (cell: Cell) in
      invariants.indices.filter { column in judged.contains { $0.cells[column] == cell } }
        .map { invariants[$0] }
    }
    let violated = ids(.violated)
    let incomplete = ids(.incomplete)
    let missing = declared.filter { !violated.contains($0) }
    if !incomplete.isEmpty { return "incomplete: \(incomplete.joined(separator: ", "))" }
    if declared.isEmpty, !violated.isEmpty {
      return "declared to hold, but violates \(violated.joined(separator: ", "))"
    }
    return missing.isEmpty
      ? nil : "declared to violate \(missing.joined(separator: ", ")), which holds"
  }
}
