// A check's report in words.

import GracewalkChecking
import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkTraces

/// The report of one check for the terminal.
public struct CheckText {
  private let report: CheckReport
  private let style: Style
  private let width: Int
  private let showsSources: Bool

  /// - Parameter showsSources: whether the trace shows the source line of each step.
  public init(
    _ report: CheckReport, width: Int = 120, style: Style = .plain, showsSources: Bool = false
  ) {
    self.showsSources = showsSources
    self.report = report
    self.width = width
    self.style = style
  }

  /// The check and its result: ends before the first empty line of the output.
  public var header: [String] {
    var lines = [title, "  scenario: \(report.scenario)"]
    if let omission = report.omission { lines.append("  leaves out: \(omission)") }
    if let origin = report.origin {
      lines.append(
        "  question (\(origin.author), \(origin.list), \(origin.date)): \(origin.question)")
    }
    lines.append("  invariants: \(report.invariants.joined(separator: ", "))")
    lines += [verdict, "  \(counts)"]
    if let number = report.sampledExecutions {
      lines.append(
        "  found by sampling: random execution \(grouped(number))")
    }
    if let notJudged { lines.append("  \(style.warning(notJudged))") }
    if let question = report.openQuestion, report.memoryModel.whyOrderingsAreNotAsked != nil {
      lines.append("  \(report.memoryModel.notAnswered): \(question)")
    }
    if let mergers { lines.append("  \(mergers)") }
    lines += CoverageText(report: report).lines
    let others = report.declaredViolations.filter { $0 != report.violatedInvariant }
    if report.verdict == .violated, !others.isEmpty {
      lines.append(
        "  this model also violates \(others.joined(separator: ", ")): see each with --invariant ID"
      )
    }
    if let note = report.note { lines.append("  \(style.warning(note))") }
    if let advice = report.advice { lines.append("  \(style.warning(advice))") }
    lines += report.speedHints.map { "  to make it shorter: \($0)" }
    return lines.flatMap { $0.contains("\u{1B}") ? [$0] : $0.wrapped(to: width) }
  }

  /// The limits of the verdict; nil if every invariant that applies was judged.
  private var notJudged: String? {
    if report.isRestricted {
      let named = report.invariants.filter { !InvariantCatalogue.keptAlways.contains($0) }
      let ids = named.isEmpty ? report.invariants : named
      let text = "only \(ids.joined(separator: ", ")) \(ids.count == 1 ? "was" : "were") required"
      return report.verdict == .violated ? nil : text
    }
    guard !report.notJudged.isEmpty else { return nil }
    var groups: [(appliesTo: String, ids: [String])] = []
    for item in report.notJudged {
      if let index = groups.firstIndex(where: { $0.appliesTo == item.appliesTo }) {
        groups[index].ids.append(item.invariant)
      } else {
        groups.append((item.appliesTo, [item.invariant]))
      }
    }
    let texts = groups.map { "\($0.ids.joined(separator: ", ")) (for \($0.appliesTo))" }
    return "not judged: \(texts.joined(separator: "; "))"
  }

  /// The counterexample, if there is one; a replay shows the same lines.
  public var body: [String] {
    report.counterexample.map {
      TraceText($0, width: width, style: style, showsSources: showsSources).body
    } ?? []
  }

  private var title: String {
    style.bold(report.model) + parameterText(report.parameters.values)
  }

  /// The verdict and its exact scope.
  public var verdict: String {
    switch report.verdict {
    case .holds: style.good("holds") + " — every interleaving of \(report.scope)"
    case .violated:
      style.bad("violated") + " — \(report.violatedInvariant ?? "") fails; \(report.scope)"
    case .incomplete(let reason):
      style.warning("incomplete") + " — \(text(of: reason))\(explored)"
    }
  }

  private var explored: String {
    report.explored.map { "; \(ProgressText.part($0)) explored" } ?? ""
  }

  private func text(of reason: Incompleteness) -> String {
    switch reason {
    case .vacuous:
      "nothing is violated in any interleaving of \(report.scope), but "
        + (report.vacuousText ?? "")
    case .unfinished: "the search did not say how it ended"
    case .bound(.interrupted): "interrupted"
    case .bound(let bound): "the bound on \(bound.rawValue) was reached"
    case .spin: "a CPU waits in a loop"
    case .cap: "the memory model keeps more stores apart than there is room for"
    }
  }

  /// How certain it is that no two different states were merged; nil if states were not merged.
  private var mergers: String? {
    if let bound = report.collisionBound {
      return "chance that two different states were merged: below \(bound.text)"
    }
    guard report.isExact, report.statistics.states > 0 else { return nil }
    let collisions = report.statistics.collisions
    return "states compared in full: "
      + (collisions == 0
        ? "no two had the same hash"
        : "\(grouped(collisions)) had the hash of another and were told apart")
  }

  private var symmetry: String {
    let covered = report.statistics.statesCovered
    return covered > 0 ? " that represent \(grouped(covered))" : ""
  }

  /// The counts of the search.
  public var counts: String {
    let statistics = report.statistics
    var parts = [counted(statistics.executions, "execution")]
    if statistics.blocked > 0 { parts.append("\(grouped(statistics.blocked)) sleep-set blocked") }
    if statistics.truncated > 0 { parts.append("\(grouped(statistics.truncated)) cut short") }
    if statistics.states > 0 { parts.append(counted(statistics.states, "state") + symmetry) }
    parts.append(counted(statistics.transitions, "transition"))
    parts.append("longest \(counted(statistics.depthMax, "step"))")
    let threads = report.jobs > 1 ? ", \(report.jobs) threads" : ""
    return parts.joined(separator: ", ") + " (\(report.search)\(threads))"
  }
}
