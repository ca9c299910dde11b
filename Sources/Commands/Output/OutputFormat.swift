// The output formats, and what each can show.

import GracewalkChecking
import GracewalkReporting
import GracewalkTraces

/// An output format, as `--format` names it.
package enum OutputFormat: String, CaseIterable {
  case text
  case json
  case junit
  case sarif
  case mermaid
  case graphviz

  /// The formats for output that is not an execution.
  package static let words: [OutputFormat] = [.text, .json]

  /// True for a picture of one execution.
  var isDrawing: Bool { self == .mermaid || self == .graphviz }

  /// The option of a command that offers these formats.
  package static func option(_ formats: [OutputFormat] = allCases) -> Option {
    Option(
      name: "format", value: formats.map(\.rawValue).joined(separator: "|"),
      help: "output format (text)")
  }

  static let step = Option(
    name: "at", value: "STEP", help: "which step --format graphviz draws (the last)")

  /// The format that the arguments choose.
  package static func chosen(
    _ arguments: Arguments, of formats: [OutputFormat] = allCases
  ) throws(UsageError) -> OutputFormat {
    let name = try arguments.choice("format", of: formats.map(\.rawValue))
    let format = name.flatMap { OutputFormat(rawValue: $0) } ?? .text
    guard format == .graphviz || !arguments.has("at") else {
      throw UsageError("--at is about --format graphviz; add it")
    }
    return format
  }

  /// Throws an error if the format cannot show the given kind of output.
  func require(_ formats: [OutputFormat], for what: String) throws(UsageError) {
    guard formats.contains(self) else {
      let names = formats.map(\.rawValue).joined(separator: ", ")
      throw UsageError("--format \(rawValue) is not for \(what): the forms there are \(names)")
    }
  }

  /// SARIF logs with this version, and paths into the sources of the models.
  static func sarifReport(_ source: ModelSource) -> SARIFReport {
    SARIFReport(version: CommandLineTool.version) { source.path(ofFile: $0) }
  }

  // MARK: What is shown

  /// A check of one model; nil for text, which the command shows itself.
  func text(
    of report: CheckReport, seconds: Double, replayCommand: String?, step: String?,
    from source: ModelSource
  ) throws -> String? {
    switch self {
    case .text: return nil
    case .json: return try GracewalkReporting.json(CheckDocument(report, seconds: seconds)) + "\n"
    case .junit:
      return JUnitText(report, seconds: seconds, replayCommand: replayCommand).text
    case .sarif: return try GracewalkReporting.json(Self.sarifReport(source).log(report)) + "\n"
    case .mermaid, .graphviz:
      guard let trace = report.counterexample else {
        let verdict = report.coversAll ? "holds" : "is not checked to the end"
        throw UsageError(
          "--format \(rawValue) draws a counterexample, and there is none: "
            + "\(report.model) \(verdict)")
      }
      return try drawing(of: trace, step)
    }
  }

  /// A replay; nil for text.
  func text(
    of trace: Trace, step: String?, from source: ModelSource
  ) throws -> String? {
    switch self {
    case .text: return nil
    case .json: return try GracewalkReporting.json(ReplayDocument(trace)) + "\n"
    case .junit: return JUnitText(trace).text
    case .sarif: return try GracewalkReporting.json(Self.sarifReport(source).log(trace)) + "\n"
    case .mermaid, .graphviz: return try drawing(of: trace, step)
    }
  }

  private func drawing(of trace: Trace, _ step: String?) throws(UsageError) -> String {
    guard self == .graphviz else { return MermaidText(trace).text }
    let moments = TraceMoments(trace)
    let last = moments.moments.last?.label ?? "0"
    let label = step ?? last
    guard let drawing = GraphvizText(moments, step: label) else {
      throw UsageError("--at needs a step of the trace, from 0 to \(last), not '\(label)'")
    }
    return drawing.text
  }
}
