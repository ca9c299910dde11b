// The C programs in a matrix of verdicts: what is found as each declares, and with other options.

import Foundation
import GracewalkChecking
import GracewalkCompiled
import GracewalkExploration
import GracewalkReporting
import GracewalkSupport

/// Checks each C program of the catalogue with each set of things to look for.
struct ProgramMatrix {
  /// What a column looks for.
  private static let columns: [(name: String, change: @Sendable (inout ProgramOptions) -> Void)] = [
    ("as it is", { _ in }), ("without races", { $0.findsRaces = false }),
    ("with leaks", { $0.findsLeaks = true }),
  ]

  private(set) var rows: [MatrixDocument.Program] = []

  /// - Returns: no rows without a compiler; a line says so.
  init(_ library: ProgramLibrary, _ options: CheckOptions) throws(UsageError) {
    guard !library.models.isEmpty else { return }
    guard let compiler = Compiler.find(forAll: library, orSay: "not in the matrix") else { return }
    for model in library.models {
      if Terminal.isInterrupted { return }
      do {
        rows.append(try Self.row(model, library, options, compiler))
      } catch let error as UsageError {
        throw error
      } catch { throw UsageError("\(model.name): \(ProgramRequest.Failure(error).message)") }
    }
    Terminal.clearProgress()
  }

  private static func row(
    _ model: ProgramModel, _ library: ProgramLibrary, _ options: CheckOptions, _ compiler: Compiler
  ) throws -> MatrixDocument.Program {
    var compiled = try ProgramSource([model.name], [], library).compile(compiler)
    var row = MatrixDocument.Program(
      program: model.name, declared: ProgramModel.expected(model.violates))
    for column in columns {
      compiled.source.options = ProgramOptions()
      column.change(&compiled.source.options)
      let report = try ProgramCheck.check(compiled, options, Terminal.watch(model.name))
      row.verdicts[column.name] = report.result.finding?.name ?? report.verdict
    }
    row.isAsDeclared = row.declared.contains(row.verdicts[columns[0].name] ?? "")
    return row
  }

  var isAsDeclared: Bool { rows.allSatisfy(\.isAsDeclared) }

  func lines(style: Style) -> [String] {
    guard !rows.isEmpty else { return [] }
    let names = Self.columns.map(\.name)
    let width = rows.map(\.program.count).max() ?? 0
    let cells = rows.flatMap { row in names.map { row.verdicts[$0]?.count ?? 0 } }
    let cellWidth = max(cells.max() ?? 0, names.map(\.count).max() ?? 0) + 4
    let heading = "C program".padded(to: width) + "  "
    var lines = ["", style.bold(heading + names.map { $0.padded(to: cellWidth) }.joined())]
    for row in rows {
      let texts = names.map { name -> String in
        let verdict = row.verdicts[name] ?? ""
        let text = (verdict == "holds" ? "✓" : "✗ \(verdict)").padded(to: cellWidth)
        return verdict == "holds" ? style.good(text) : style.bad(text)
      }
      lines.append("\(row.program.padded(to: width))  \(texts.joined())")
      if !row.isAsDeclared {
        lines.append("  " + style.bad("not as declared: \(row.declared.joined(separator: " or "))"))
      }
    }
    return lines + ["", counted(rows.count, "C program")]
  }
}
