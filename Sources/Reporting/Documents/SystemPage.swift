// The page of a system: the questions, the verdicts that answer them, and whether each step is
// needed.

import GracewalkChecking
import GracewalkInvariants
import GracewalkMachine
import GracewalkSupport
import GracewalkTraces

/// A system and the evidence about it.
struct SystemPage {
  let system: ModelSystem
  let evidence: [Evidence]

  /// The origins of its questions, without duplicates.
  var origins: [Origin] {
    var found: [Origin] = []
    for case let origin? in system.models.map(\.origin) where !found.contains(origin) {
      found.append(origin)
    }
    return found
  }

  /// The models that answer a question.
  func evidence(for origin: Origin) -> [Evidence] {
    evidence.filter { $0.model.origin == origin }
  }

  var page: DocumentPage {
    var lines = ["# \(system.title)", ""]
    for origin in origins {
      lines += [Self.source(origin), "", "> \(markdown(origin.question))", ""]
      var told: [String] = []
      for text in evidence(for: origin).map(\.model.scenarioText) where !told.contains(text) {
        told.append(text)
        lines += [markdown(text), ""]
      }
      lines += Self.answer(evidence(for: origin))
    }
    lines += ["## Verdicts", ""]
    lines += table(
      ["model", "leaves out", "verdict", "explored, or shown by"], evidence.flatMap(Self.verdicts))
    for item in evidence {
      if let ablation = item.ablation { lines += [""] + Self.steps(ablation) }
    }
    return DocumentPage("Systems/\(system.name).md", lines)
  }

  static func source(_ origin: Origin) -> String {
    "\(markdown(origin.author)), \(markdown(origin.list)), \(origin.date), "
      + "*\(markdown(origin.subject))*:"
  }

  /// The tool's answer to a question: which models hold, and which invariants fail without which
  /// step.
  static func answer(_ evidence: [Evidence]) -> [String] {
    var lines: [String] = []
    for item in evidence where item.model.expectation == .holds {
      lines.append(
        "- \(code(item.model.name)) **holds**: \(markdown(item.model.summary)).")
      lines += failures(item) + asked(item)
    }
    for item in evidence where item.model.expectation != .holds {
      let simplest = EvidenceText.simplest(item.checks.compactMap(\.report.counterexample))
      guard let (id, violation) = simplest?.violation else { continue }
      let count = Set(item.checks.compactMap(\.declared.violated)).count
      lines.append(
        "- Leave out \(markdown(item.model.omission ?? "")), and "
          + "\(link(id))\(others(count)) **\(count == 1 ? "fails" : "fail")** "
          + "(\(code(item.model.name))): \(markdown(violation.message)).")
    }
    var open: [String] = []
    for case let text? in evidence.map(\.model.openQuestion) where !open.contains(text) {
      open.append(text)
    }
    let memoryModel = (evidence.first?.checks.first?.report.memoryModel ?? .standard).text
    lines += open.map { "- **Not answered** under \(memoryModel): \(markdown($0))." }
    return lines + [""]
  }

  /// The findings about the steps that a model's question is about.
  private static func asked(_ item: Evidence) -> [String] {
    guard let steps = item.model.origin?.steps, let ablation = item.ablation else { return [] }
    return ablation.rows.filter { steps.contains($0.step.weakening) }.map { row in
      "  - \(code(row.step.text)), \(row.step.weakening.text): "
        + "\(finding(row.finding, isShort: true))\(calls(of: row))."
    }
  }

  /// The findings about single calls of the step, if they differ.
  private static func calls(of row: AblationReport.Row) -> String {
    guard row.callsDiffer else { return "" }
    let calls = row.calls.map { "\($0.step.path ?? 0) \($0.finding.word)" }
    return "; of its \(row.calls.count) calls alone: \(calls.joined(separator: ", "))"
  }

  private static func link(_ invariant: String) -> String {
    "[\(invariant)](../Invariants/\(invariant).md)"
  }

  /// Says how many more invariants fail.
  private static func others(_ count: Int) -> String {
    count > 1 ? " and \(count - 1) more" : ""
  }

  private static func finding(
    _ finding: AblationReport.Finding, isShort: Bool = false
  ) -> String {
    switch finding {
    case .necessary(let violated, let trace):
      let shown = trace.invariants.first ?? violated[0]
      let names =
        isShort
        ? link(shown) + others(violated.count) : violated.map(link).joined(separator: ", ")
      return "**necessary**, for \(names): \(markdown(EvidenceText.message(trace)))"
    case .redundant(let missing):
      let list = missing.map { "\($0.operation) never ends \($0.result)" }
      return "redundant within this scope"
        + (list.isEmpty ? "" : " (then \(markdown(list.joined(separator: ", "))))")
    case .inseparable(let why): return "inseparable from the rest: \(markdown(why))"
    case .undecided(let why): return "undecided: \(markdown(why))"
    case .notAsked(let memoryModel): return memoryModel.notAnswered
    }
  }

  /// What fails under other memory models, although the model holds under its own.
  private static func failures(_ item: Evidence) -> [String] {
    item.model.otherMemoryModels.compactMap { memoryModel in
      let checks = item.checks.filter { $0.declared.memoryModel == memoryModel }
      let simplest = EvidenceText.simplest(checks.compactMap(\.report.counterexample))
      guard let (id, violation) = simplest?.violation else { return nil }
      return "  - Under \(memoryModel.text) \(link(id)) **fails**: \(markdown(violation.message))."
    }
  }

  private static func verdicts(_ item: Evidence) -> [[String]] {
    item.checks.map { checked in
      let parameters = parameterText(checked.report.parameters.values)
      let shown = checked.report.counterexample.map { trace in
        "\(counted(trace.recording.preemptions.count, "preemption")), "
          + counted(trace.recording.visibleSteps, "step") + Self.under(checked.declared)
      }
      return [
        code(item.model.name) + parameters, markdown(item.model.omission ?? ""),
        checked.declared.violated.map { "violates \(link($0))" } ?? "holds",
        shown ?? markdown(EvidenceText.explored(checked.report)),
      ]
    }
  }

  /// The memory model of a check, if it is not the scenario's own.
  private static func under(_ declared: DeclaredCheck) -> String {
    declared.memoryModel.map { ", under \($0.text)" } ?? ""
  }

  /// The table of a model's steps.
  private static func steps(_ report: AblationReport) -> [String] {
    let parameters = parameterText(report.whole.parameters.values)
    let asked = report.asked
    let rows = asked.map { row in
      [
        code(row.step.text), row.step.weakening.text, finding(row.finding) + calls(of: row),
      ]
    }
    return ["## What the steps of \(code(report.whole.model))\(parameters) are for", ""]
      + table(["step", "taken", "it is"], rows) + [
        "",
        untestedOrderings(report)
          + "Run `\(RunningProgram.name) ablate \(report.whole.model)` to reproduce this table, "
          + "with a schedule for each necessary step.",
      ]
  }

  /// A sentence, and the space behind it; nothing if all orderings were tested.
  private static func untestedOrderings(_ report: AblationReport) -> String {
    let count = report.open.count
    if count == 0 { return "" }
    let were = count == 1 ? "was" : "were"
    return "\(counted(count, "memory ordering")) \(were) not tested, because "
      + "\(report.whole.memoryModel.reasonNotToAsk). "
  }

  static func index(_ systems: [SystemPage]) -> DocumentPage {
    let rows = systems.map { page in
      let correct = page.evidence.count { $0.model.expectation == .holds }
      return [
        "[\(page.system.name)](\(page.system.name).md)", markdown(page.system.title), "\(correct)",
        "\(page.evidence.count - correct)",
      ]
    }
    return DocumentPage(
      "Systems/README.md",
      ["# Systems", ""] + table(["page", "what it is", "correct models", "broken siblings"], rows))
  }
}
