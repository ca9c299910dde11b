// The matrix of verdicts for the terminal, and as JSON.

import GracewalkChecking
import GracewalkMachine
import GracewalkTraces

/// Verdicts as a table: a column per invariant, a row per model, architecture and memory model.
public struct MatrixText {
  private let matrix: VerdictMatrix
  private let style: Style

  public init(_ matrix: VerdictMatrix, style: Style = .plain) {
    self.matrix = matrix
    self.style = style
  }

  public var lines: [String] {
    var lines = legend + [""]
    let models = matrix.entries.map(\.model)
    let nameWidth = max(models.map(\.count).max() ?? 0, "model".count)
    let labels = matrix.entries.flatMap { $0.shownRows.map(\.label) } + ["on"]
    let labelWidth = labels.map(\.count).max() ?? 0
    let numbers = matrix.invariants.indices.map { "\($0 + 1)".leftPadded(to: cellWidth) }
    let heading = "\("model".padded(to: nameWidth))  \("on".padded(to: labelWidth))"
    lines.append(style.bold(heading) + numbers.joined())
    for entry in matrix.entries {
      for (number, row) in entry.shownRows.enumerated() {
        let name = (number == 0 ? entry.model : "").padded(to: nameWidth)
        let cells = row.cells.map(text(of:)).joined()
        lines.append("\(name)  \(style.dim(row.label.padded(to: labelWidth)))\(cells)")
      }
      if let disagreement = entry.disagreement {
        lines.append("  " + style.bad("not as declared: \(disagreement)"))
      }
    }
    return lines + ["", summary]
  }

  private var legend: [String] {
    let numbers = matrix.invariants.enumerated().map { number, id in
      "\("\(number + 1)".leftPadded(to: cellWidth))  \(id)"
    }
    return numbers + [
      "",
      "\(style.good("✓")) holds  \(style.bad("✗")) violated  \(style.dim("·")) not required  "
        + "\(style.warning("?")) incomplete; each invariant alone, largest size unless "
        + "the row names another",
    ]
  }

  /// Room for the number of any invariant, and a space before it.
  private var cellWidth: Int { "\(matrix.invariants.count)".count + 1 }

  private func text(of cell: VerdictMatrix.Cell) -> String {
    let gap = String(repeating: " ", count: cellWidth - 1)
    return switch cell {
    case .holds: gap + style.good("✓")
    case .violated: gap + style.bad("✗")
    case .notRequired: gap + style.dim("·")
    case .incomplete: gap + style.warning("?")
    }
  }

  private var incomplete: String {
    let rows = matrix.incompleteRows
    return rows == 0 ? "" : "; \(counted(rows, "row")) incomplete"
  }

  private var summary: String {
    let met = matrix.entries.count { $0.disagreement == nil }
    let text = "\(met) of \(counted(matrix.entries.count, "model")) as declared" + incomplete
    return matrix.isAsDeclared ? style.good(text) : style.bad(text)
  }
}

extension VerdictMatrix.Row {
  fileprivate var label: String {
    (architecture?.id ?? memoryModel?.rawValue ?? "any")
      + parameterText(smaller.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) })
  }
}

extension VerdictMatrix.Entry {
  /// The rows with their labels; a single row if all are the same, and one for all architectures if
  /// these are.
  fileprivate var shownRows: [(label: String, cells: [VerdictMatrix.Cell])] {
    if rows.count > 1, rows.allSatisfy({ $0.cells == rows[0].cells && $0.smaller.isEmpty }) {
      return [("all", rows[0].cells)]
    }
    let ofArchitectures = rows.filter { $0.architecture != nil }
    guard let first = ofArchitectures.first, ofArchitectures.count > 1,
      ofArchitectures.allSatisfy({ $0.cells == first.cells })
    else { return rows.map { ($0.label, $0.cells) } }
    let others = rows.filter { $0.architecture == nil }
    return [("armv8.0 to 9.3", first.cells)] + others.map { ($0.label, $0.cells) }
  }
}

/// The matrix as JSON: no rows are omitted or combined.
public struct MatrixDocument: Encodable, Sendable {
  struct Entry: Encodable, Sendable {
    var model: String
    /// `any` in rows of a memory model: the scenario's own features.
    var architecture: String
    /// Omitted in rows of an architecture, which are under the scenario's own.
    var memory: String?
    /// Those that are smaller than elsewhere; omitted at the largest size.
    var parameters: [String: Int]?
    /// By invariant; those not required are omitted.
    var verdicts: [String: String]
  }

  struct Judgement: Encodable, Sendable {
    var model: String
    var declared: [String]
    var disagreement: String?
  }

  /// A C program, by what is looked for.
  package struct Program: Encodable, Sendable {
    package var program: String
    package var declared: [String]
    package var verdicts: [String: String] = [:]
    package var isAsDeclared = false

    package init(program: String, declared: [String]) {
      self.program = program
      self.declared = declared
    }
  }

  var format = "gracewalk matrix 1"
  package var asDeclared: Bool
  var invariants: [String]
  var models: [Judgement]
  var rows: [Entry]
  /// Those of the whole catalogue.
  package var programs: [Program]?

  public init(_ matrix: VerdictMatrix) {
    asDeclared = matrix.isAsDeclared
    invariants = matrix.invariants
    models = matrix.entries.map {
      Judgement(
        model: $0.model, declared: $0.declared.isEmpty ? ["holds"] : $0.declared,
        disagreement: $0.disagreement)
    }
    rows = matrix.entries.flatMap { entry in
      entry.rows.map { row in
        let required = zip(matrix.invariants, row.cells).filter { $1 != .notRequired }
        return Entry(
          model: entry.model, architecture: row.architecture?.id ?? "any",
          memory: row.memoryModel?.rawValue, parameters: row.smaller.isEmpty ? nil : row.smaller,
          verdicts: Dictionary(uniqueKeysWithValues: required.map { ($0, $1.rawValue) }))
      }
    }
  }
}
