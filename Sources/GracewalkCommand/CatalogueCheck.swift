// The whole catalogue: each model at each of its sizes, each broken one in each of its ways.

import Gracewalk
import Models
import Reporting

/// Checks every model against its declared verdict.
struct CatalogueCheck {
  var options: CheckOptions
  var isJSON: Bool

  private struct Row {
    var report: CheckReport
    var expected: String
    var isAsDeclared: Bool
    var seconds: Double
  }

  private struct Document: Encodable {
    var format = "gracewalk catalogue 1"
    var asDeclared: Int
    var checks: [Entry]
  }

  private struct Entry: Encodable {
    var expected: String
    var asDeclared: Bool
    var check: CheckDocument
  }

  /// Returns the exit status.
  func run() throws -> Int32 {
    var rows: [Row] = []
    for model in Catalogue.models {
      for instance in model.instances {
        for invariants in expectedFailures(of: model) {
          let row = try check(model, instance, invariants)
          rows.append(row)
          if !isJSON { show(row) }
        }
      }
    }
    let met = rows.filter(\.isAsDeclared).count
    if isJSON {
      let entries = rows.map {
        Entry(
          expected: $0.expected, asDeclared: $0.isAsDeclared,
          check: CheckDocument($0.report, seconds: $0.seconds))
      }
      print(try json(Document(asDeclared: met, checks: entries)))
    } else {
      let style = Terminal.style
      let summary = "\(met) of \(counted(rows.count, "verdict")) as declared"
      print("")
      print(met == rows.count ? style.good(summary) : style.bad(summary))
    }
    if met == rows.count { return ExitStatus.holds }
    let isWrong = rows.contains { row in
      if row.report.exitStatus == ExitStatus.incomplete { return false }
      return !row.isAsDeclared
    }
    return isWrong ? ExitStatus.violated : ExitStatus.incomplete
  }

  /// One check of all invariants for a model that holds; for a broken one, a check of each
  /// invariant it violates, alone.
  private func expectedFailures(of model: Model) -> [String?] {
    switch model.expectation {
    case .holds: [nil]
    case .violates(let ids): ids
    }
  }

  private func check(
    _ model: Model, _ instance: [String: Int], _ expected: String?
  ) throws -> Row {
    var options = options
    options.parameters = instance
    options.invariants = expected.map { [$0] }
    let (report, seconds) = try CheckCommand.timedCheck(model, options)
    let isAsDeclared: Bool
    switch report.verdict {
    case .holds: isAsDeclared = expected == nil && !report.isVacuous
    case .violated: isAsDeclared = expected == report.violatedInvariant
    case .incomplete: isAsDeclared = false
    }
    return Row(
      report: report, expected: expected.map { "violates \($0)" } ?? "holds",
      isAsDeclared: isAsDeclared, seconds: seconds)
  }

  private func show(_ row: Row) {
    let style = Terminal.style
    let parameters = row.report.parameters.values.map { "\($0.name)=\($0.value)" }
    let name = ([row.report.model] + parameters).joined(separator: " ")
    let mark = row.isAsDeclared ? style.good("✓") : style.bad("✗")
    let expected = row.expected.padded(to: 33)
    let seconds = "\(Int((row.seconds * 1000).rounded())) ms".leftPadded(to: 8)
    var line = "\(mark) \(name.padded(to: 42)) \(expected) \(seconds)  "
    if let trace = row.report.counterexample {
      line +=
        counted(trace.recording.preemptions.count, "preemption") + ", "
        + counted(trace.recording.visibleSteps, "step")
    } else {
      line += counted(row.report.statistics.executions, "execution")
    }
    if !row.isAsDeclared {
      line += "  \(CheckText(row.report).verdict)"
    }
    print(line)
  }
}
