// An ablation for the terminal: each step by place in the source, with the invariants that fail
// without it.

import GracewalkChecking
import GracewalkMachine
import GracewalkTraces

/// An ablation in words.
public struct AblationText {
  private let report: AblationReport
  private let width: Int
  private let style: Style
  private let namesFeatures: Bool
  private let showsTraces: Bool

  public init(
    _ report: AblationReport, width: Int = 120, style: Style = .plain, namesFeatures: Bool = false,
    showsTraces: Bool = false
  ) {
    self.report = report
    self.width = width
    self.style = style
    self.namesFeatures = namesFeatures
    self.showsTraces = showsTraces
  }

  public var lines: [String] {
    let asked = report.asked
    var lines = [style.bold(report.whole.model)]
    lines += "  \(report.whole.scope)".wrapped(to: width)
    lines.append("  holds with all of its steps; one at a time is left out or weakened")
    lines += question
    var place = ""
    for row in asked {
      if row.place != place {
        place = row.place
        lines += ["", style.bold(place)]
      }
      lines += self.lines(for: row)
    }
    lines.append("")
    lines.append(style.bold(summary(asked)))
    lines += answer(asked)
    if asked.contains(where: { !$0.calls.isEmpty }) {
      lines += wrapped(
        "Calls that lead to the same line are numbered in the order in which the search reaches "
          + "them; STEP#1 names the step in only the first of them.")
    }
    let open = report.open
    if !open.isEmpty {
      let places = open.map { "\($0.place) (\($0.step.operation))" }
      lines += wrapped(
        "\(counted(open.count, "ordering")) \(open.count == 1 ? "was" : "were") not tested, "
          + "because \(report.whole.memoryModel.reasonNotToAsk): "
          + places.joined(separator: ", "))
    }
    return lines
  }

  /// The question that the model answers, if any.
  private var question: [String] {
    guard let origin = report.whole.origin else { return [] }
    return wrapped(
      "  \(origin.author), \(origin.list), \(origin.date), in other words: \(origin.question)"
    )
  }

  /// The steps that the question is about, once more.
  private func answer(_ asked: [AblationReport.Row]) -> [String] {
    let steps = report.whole.origin?.steps ?? []
    let rows = asked.filter { steps.contains($0.step.weakening) }
    guard !rows.isEmpty else { return [] }
    return ["The question is about:"]
      + rows.flatMap { row -> [String] in
        let what = "\(row.place): \(row.step.sentence)"
        switch row.finding {
        case .necessary(let violated, _):
          return wrapped("  \(what): necessary, for \(violated.joined(separator: ", "))")
        case .redundant: return wrapped("  \(what): redundant within this scope")
        case .inseparable: return wrapped("  \(what): inseparable")
        case .undecided, .notAsked: return wrapped("  \(what): undecided")
        }
      }
  }

  private func wrapped(_ text: String) -> [String] { text.wrapped(to: width) }

  private func lines(for row: AblationReport.Row) -> [String] {
    let what = row.step.sentence
    switch row.finding {
    case .necessary(let violated, let trace):
      var lines = ["  \(style.bad("✗ necessary"))  \(what): \(violated.joined(separator: ", "))"]
      if let (_, violation) = trace.violation {
        lines += "      \(violation.message)".wrapped(to: width)
      }
      lines.append(style.dim("      \(replayCommand(trace))"))
      lines += self.lines(forCallsOf: row)
      if showsTraces {
        lines += [""] + TraceText(trace, width: width, style: style, showsSources: true).body + [""]
      }
      return lines
    case .redundant(let missing):
      let list = missing.map { "'\($0.operation)' never ends '\($0.result)'" }
      let rest = list.isEmpty ? "" : " (then \(list.joined(separator: ", ")))"
      return ["  \(style.good("✓ redundant"))  \(what)\(rest)"] + name(row)
        + self.lines(forCallsOf: row)
    case .inseparable(let why):
      return wrapped("  – inseparable  \(what): \(why)") + name(row) + self.lines(forCallsOf: row)
    case .undecided(let why):
      return wrapped("  ? undecided  \(what): \(why)") + name(row) + self.lines(forCallsOf: row)
    case .notAsked: return []
    }
  }

  /// The name of the step for `--without`, where no command shows it.
  private func name(_ row: AblationReport.Row) -> [String] {
    [style.dim("      \(row.step.text)")]
  }

  /// The findings about single calls that lead to the step: in detail if they differ.
  private func lines(forCallsOf row: AblationReport.Row) -> [String] {
    guard !row.calls.isEmpty else { return [] }
    guard row.callsDiffer else {
      return ["      each of its \(row.calls.count) calls alone: \(row.finding.word), too"]
    }
    return row.calls.flatMap { call -> [String] in
      let what = "      call \(call.step.path ?? 0) alone: \(call.finding.word)"
      guard case .necessary(let violated, let trace) = call.finding else { return [what] }
      let command = style.dim("        \(replayCommand(trace))")
      return ["\(what): \(violated.joined(separator: ", "))", command]
    }
  }

  private func replayCommand(_ trace: Trace) -> String {
    TraceText(trace).replayCommand(namesInvariants: true, namesFeatures: namesFeatures)
  }

  private func summary(_ asked: [AblationReport.Row]) -> String {
    let necessary = asked.count { if case .necessary = $0.finding { true } else { false } }
    let redundant = asked.count { if case .redundant = $0.finding { true } else { false } }
    let inseparable = asked.count { if case .inseparable = $0.finding { true } else { false } }
    let undecided = asked.count - necessary - redundant - inseparable
    let rest = inseparable == 0 ? "" : ", \(inseparable) inseparable from the rest"
    let open = undecided == 0 ? "" : ", \(undecided) undecided"
    return "\(asked.count) steps and weakenings: \(necessary) necessary, \(redundant) redundant "
      + "within this scope\(rest)\(open)"
  }
}

extension AblationReport {
  /// False if a check was incomplete.
  public var isComplete: Bool {
    !rows.contains { row in
      ([row] + row.calls).contains { if case .undecided = $0.finding { true } else { false } }
    }
  }
}

extension AblationReport.Row {
  /// True if the finding for some call differs from the finding for all calls together.
  var callsDiffer: Bool { calls.contains { $0.finding.word != finding.word } }
}

extension AblationReport.Finding {
  /// The finding without its reasons.
  var word: String {
    switch self {
    case .necessary: "necessary"
    case .redundant: "redundant"
    case .inseparable: "inseparable"
    case .undecided: "undecided"
    case .notAsked: "not asked"
    }
  }
}
