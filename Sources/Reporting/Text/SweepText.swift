// A sweep's report in words.

import GracewalkChecking
import GracewalkExploration
import GracewalkSupport
import GracewalkTraces

/// The report of a sweep for the terminal.
public struct SweepText {
  private let report: SweepReport
  private let style: Style
  private let width: Int

  public init(_ report: SweepReport, width: Int = 120, style: Style = .plain) {
    self.report = report
    self.width = width
    self.style = style
  }

  /// The scope and the result: ends before the first empty line of the output.
  public var header: [String] {
    var lines = [style.bold(report.model), "  start: \(report.start)"]
    lines.append("  operations: \(report.operations.joined(separator: "; "))")
    if let omission = report.omission { lines.append("  leaves out: \(omission)") }
    if let origin = report.origin {
      lines.append(
        "  question (\(origin.author), \(origin.list), \(origin.date)): \(origin.question)")
    }
    lines.append("  invariants: \(report.invariants.joined(separator: ", "))")
    lines += [verdict, "  \(space)", "  \(counts)"]
    if let bound = report.collisionBound {
      lines.append("  chance that two different states were merged: below \(bound.text)")
    }
    lines += report.incomplete.map { check in
      "  " + style.warning("incomplete: \(check.model): \(check.advice ?? "")")
    }
    if let advice { lines.append("  \(style.warning(advice))") }
    return lines.flatMap { $0.contains("\u{1B}") ? [$0] : $0.wrapped(to: width) }
  }

  /// The counterexample of the smallest failing combination, or one line for each.
  public var body: [String] {
    guard let first = report.failures.first else { return [] }
    guard report.findsAll else {
      return CheckText(first.report, width: width, style: style, showsSources: true).body
    }
    return report.failures.flatMap { failure in
      let trace = failure.report.counterexample
      let steps = trace.map {
        counted($0.recording.preemptions.count, "preemption") + ", "
          + counted($0.recording.visibleSteps, "step")
      }
      return [
        "\(style.bad("✗")) \(failure.report.violatedInvariant ?? ""): \(steps ?? "")",
        "  \(RunningProgram.invocation) check \(failure.report.model.quotedForShell)",
      ]
    }
  }

  public var verdict: String {
    switch report.verdict {
    case .holds: style.good("holds") + " — every interleaving of every combination of \(scope)"
    case .violated:
      style.bad("violated") + " — \(report.failures[0].report.violatedInvariant ?? "") fails in "
        + "\(smallest); \(scope)"
    case .incomplete: style.warning("incomplete") + " — no combination fails so far; \(scope)"
    }
  }

  private var scope: String {
    let cpus = report.cpus == 1 ? "1 CPU" : "up to \(counted(report.cpus, "CPU"))"
    let each = report.operationsPerCPU == 1 ? "1" : "up to \(report.operationsPerCPU)"
    return "\(cpus), \(each) of \(counted(report.operations.count, "operation")) each, "
      + report.setting
  }

  /// Describes the failing combination with the fewest operations: the smallest of all, if no
  /// earlier one was cut short.
  private var smallest: String {
    let combination = report.failures[0].combination
    let operations = combination.operationCount
    let cpus = combination.sequences.count
    let others = report.incomplete.isEmpty ? "" : " of those explored completely"
    return "\(counted(operations, "operation")) on \(counted(cpus, "CPU")), the smallest "
      + "combination\(others) that fails"
  }

  /// The number of combinations, and the symmetries up to which they are counted.
  private var space: String {
    var text =
      "\(counted(report.assignments, "way")) to give CPUs operations, "
      + "\(grouped(report.withoutSymmetries)) up to the order of CPUs"
    if report.combinations < report.withoutSymmetries {
      text += ", \(grouped(report.combinations)) up to symmetries of operations"
    }
    return text
  }

  private var counts: String {
    let statistics = report.statistics
    var parts = ["explored completely: \(counted(report.explored, "combination"))"]
    if report.explored > 0 {
      parts[0] +=
        ", \(counted(statistics.executions, "execution")), \(counted(statistics.states, "state")), "
        + "\(counted(statistics.transitions, "transition"))"
    }
    if let largest = report.largest {
      parts.append("most states: \(grouped(largest.states)) of \(largest.name)")
    }
    if !report.failures.isEmpty { parts.append("\(grouped(report.failures.count)) failed") }
    if report.containFailing > 0 {
      parts.append("\(grouped(report.containFailing)) left out, as they contain one that fails")
    }
    if !report.incomplete.isEmpty {
      parts.append("\(grouped(report.incomplete.count)) incomplete")
    }
    if report.left > 0 { parts.append("\(grouped(report.left)) not looked at") }
    return parts.joined(separator: "; ")
  }

  private var advice: String? {
    switch report.stopped {
    case nil where report.verdict == .incomplete && report.incomplete.isEmpty:
      "[internal] the sweep ended without saying why"
    case nil: nil
    case .interrupted: "interrupted; run it again to the end"
    case .some(let bound): "stopped at the bound on \(bound.rawValue); raise --\(bound.rawValue)"
    }
  }
}
