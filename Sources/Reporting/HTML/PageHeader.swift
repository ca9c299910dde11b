// The start and end of the page: the verdict and its reason, and the origin of the trace.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkTraces

struct PageHeader {
  private let moments: TraceMoments
  private let model: Model?

  init(_ moments: TraceMoments, _ model: Model?) {
    self.moments = moments
    self.model = model
  }

  private var trace: Trace { moments.trace }

  var html: String {
    var lines = ["<header>"]
    lines.append("<p class=\"eyebrow\">Gracewalk · one execution, step by step</p>")
    lines.append("<h1>\(HTMLText.escaped(trace.model))\(parameters)</h1>")
    if let model {
      lines.append("<p class=\"scenario\">\(HTMLText.escaped(model.scenarioText))</p>")
    }
    // The model's own omission, and the step that an ablation left out.
    let omissions = [model?.omission, trace.without?.sentence].compactMap { $0 }
    if !omissions.isEmpty {
      let text = HTMLText.escaped(omissions.joined(separator: "; "))
      lines.append("<p class=\"omission\"><b>Left out on purpose:</b> \(text).</p>")
    }
    return (lines + ["</header>"]).joined(separator: "\n")
  }

  private var parameters: String {
    trace.parameters.map { " <small>\(HTMLText.escaped("\($0.name)=\($0.value)"))</small>" }
      .joined()
  }

  /// The violation, the rule, and the reason for the rule.
  var verdict: String {
    guard let (id, report) = moments.violation else {
      let rest =
        trace.recording.end == .complete ? "" : " The schedule ends where CPUs could continue."
      return "<div class=\"verdict fine\"><p class=\"what\">Nothing is wrong here.\(rest)</p></div>"
    }
    let invariant = trace.recording.requirement(id)
    let details = report.details.map { "<li>\(HTMLText.escaped($0))</li>" }.joined()
    var lines = [
      "<div class=\"verdict\">",
      "<p class=\"id\"><b>✗ Violated</b> <code>\(HTMLText.escaped(id))</code></p>",
      "<p class=\"what\">\(HTMLText.escaped(sentence(report.message)))</p>",
    ]
    if !details.isEmpty { lines.append("<ul>\(details)</ul>") }
    if let invariant {
      lines.append(
        "<dl><dt>Must hold</dt><dd>\(HTMLText.escaped(invariant.statement))</dd>"
          + "<dt>Because</dt><dd>\(HTMLText.escaped(invariant.rationale))</dd></dl>")
    }
    return (lines + ["</div>"]).joined(separator: "\n")
  }

  /// The first letter is kept, since the text may begin with a name.
  private func sentence(_ text: String) -> String { text.hasSuffix(".") ? text : "\(text)." }

  /// The origin of the trace, and how to replay it.
  var facts: String {
    var facts: [(String, String)] = [
      ("Run it again", "<code>\(HTMLText.escaped(replayCommand))</code>"),
      ("Found by", HTMLText.escaped(trace.foundBy + simplest)),
      ("Required", HTMLText.escaped(trace.invariants.joined(separator: ", "))),
      ("Memory model", HTMLText.escaped(memory)),
    ]
    if let id = moments.violation?.id,
      let invariant = trace.recording.requirement(id)
    {
      facts.append(("Invariant from", HTMLText.escaped(invariant.source)))
    }
    if let origin = model?.origin {
      facts.append(
        (
          "Question",
          HTMLText.escaped(
            "\(origin.question) (\(origin.author), \(origin.list), \(origin.date), "
              + "“\(origin.subject)”)")
        ))
    }
    let items = facts.map { "<dt>\($0.0)</dt><dd>\($0.1)</dd>" }.joined(separator: "\n")
    return "<footer><dl>\n\(items)\n</dl></footer>"
  }

  private var memory: String {
    let name = MemoryModel(name: trace.memoryModel)?.text ?? trace.memoryModel
    let hasHardware = !moments.moments[0].picture.units.isEmpty
    return hasHardware ? "\(name); hardware features: \(trace.features.text)" : name
  }

  private var simplest: String {
    let recording = trace.recording
    return
      "; \(counted(recording.preemptions.count, "preemption")), "
      + counted(recording.visibleSteps, "step")
      + (trace.isMinimal ? "; no simpler execution shows it" : "")
  }

  /// Names the invariants and features only where they differ from those of the model.
  private var replayCommand: String {
    let values = Dictionary(trace.parameters.map { ($0.name, $0.value) }) { first, _ in first }
    let usual = try? model?.scenario(parameters: values)
    return TraceText(trace).replayCommand(
      namesInvariants: usual?.invariants.map(\.id) != trace.invariants,
      namesFeatures: usual?.features != trace.features)
  }
}
