// The page of an invariant: its statement, its reason, the models that require it, and a trace of a
// violation.

import GracewalkChecking
import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkTraces

/// An invariant and the evidence about it.
struct InvariantPage {
  private let invariant: any Invariant
  private let required: [Evidence]
  private let violations: [(model: Model, trace: Trace)]
  private let systems: [ModelSystem]

  init(_ invariant: any Invariant, _ evidence: [Evidence], _ systems: [ModelSystem]) {
    self.invariant = invariant
    self.systems = systems
    required = evidence.filter { $0.required.contains(invariant.id) }
    violations = evidence.flatMap { item in
      item.checks.compactMap { checked in
        guard checked.declared.violated == invariant.id, let trace = checked.report.counterexample
        else { return nil }
        return (item.model, trace)
      }
    }
  }

  private func link(_ model: String) -> String {
    guard let system = systems.first(where: { $0.models.contains { $0.name == model } })
    else { return code(model) }
    return "[\(code(model))](../Systems/\(system.name).md)"
  }

  var page: DocumentPage {
    var lines = [
      "# \(invariant.id)", "", markdown(invariant.statement), "",
      "**Why.** \(markdown(invariant.rationale))", "",
      "**Source.** \(markdown(invariant.source))", "",
      "**Judged** \(when). **Applies to** \(markdown(invariant.applicability.text)).", "",
      "## Required of", "",
    ]
    let correct = required.filter { $0.model.expectation == .holds }
    lines += table(
      ["model", "verdict", "explored"],
      correct.map { evidence in
        let largest = evidence.checks.last?.report
        return [
          link(evidence.model.name), "holds", largest.map { EvidenceText.explored($0) } ?? "",
        ]
      })
    lines += ["", "and of \(counted(required.count - correct.count, "broken sibling")).", ""]
    lines += ["## Violated by", ""]
    lines += table(
      ["model", "leaves out", "preemptions", "steps", "what it says"],
      violations.map { model, trace in
        [
          link(model.name) + parameterText(trace.parameters),
          markdown(model.omission ?? ""),
          "\(trace.recording.preemptions.count)", "\(trace.recording.visibleSteps)",
          markdown(EvidenceText.message(trace)),
        ]
      })
    if let simplest = EvidenceText.simplest(violations.map(\.trace)) {
      lines += ["", "## Seen broken", ""] + EvidenceText.shown(simplest)
    }
    return DocumentPage("Invariants/\(invariant.id).md", lines)
  }

  private var when: String {
    switch invariant.kind {
    case .event where invariant is any QuiescenceInvariant:
      "when the event happens, and at the end"
    case .event: "when the event happens"
    case .quiescence: "at the end"
    case .state: "at every moment"
    }
  }

  static func index(_ invariants: [any Invariant], _ pages: [InvariantPage]) -> DocumentPage {
    let rows = pages.map { page in
      [
        "[\(page.invariant.id)](\(page.invariant.id).md)", markdown(page.invariant.statement),
        "\(page.required.count)", "\(page.violations.count)",
      ]
    }
    return DocumentPage(
      "Invariants/README.md",
      ["# Invariants", ""] + table(["id", "what must hold", "models", "counterexamples"], rows))
  }
}

/// Pieces of evidence in words.
enum EvidenceText {
  /// The covered scope, without anything that differs between machines.
  static func explored(_ report: CheckReport) -> String {
    "\(report.scope); \(counted(report.statistics.states, "state")), "
      + counted(report.statistics.executions, "execution")
  }

  /// The counterexample with the fewest preemptions, then the fewest steps.
  static func simplest(_ traces: [Trace]) -> Trace? {
    traces.min { a, b in
      (a.recording.preemptions.count, a.recording.visibleSteps)
        < (b.recording.preemptions.count, b.recording.visibleSteps)
    }
  }

  static func message(_ trace: Trace) -> String {
    trace.violation?.report.message ?? ""
  }

  /// A trace, and the command that shows it again.
  static func shown(_ trace: Trace) -> [String] {
    let text = TraceText(trace, width: 110)
    return ["\(code(trace.model))\(parameterText(trace.parameters)):", ""] + codeBlock(text.body)
      + [""]
      + codeBlock([text.replayCommand(namesInvariants: true)])
  }
}
