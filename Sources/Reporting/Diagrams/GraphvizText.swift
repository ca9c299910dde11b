// The tables at one moment of a trace, as input for Graphviz.

import GracewalkMachine
import GracewalkTraces

/// A picture as a `dot` digraph: a box for each page, an arrow for each entry that leads to one.
///
/// Unreachable pages are dashed, freed ones grey and dotted, and changes are bold, so that nothing
/// depends on colours.
public struct GraphvizText {
  private let picture: MachinePicture
  private let before: MachinePicture?
  private let title: String

  public init(_ picture: MachinePicture, before: MachinePicture? = nil, title: String = "") {
    self.picture = picture
    self.before = before
    self.title = title
  }

  /// The tables after a step of a trace, by the label that traces show; 0 is before the first.
  ///
  /// Nil if there is no such step.
  ///
  /// - Precondition: the trace was recorded with pictures.
  public init?(_ trace: Trace, step label: String) {
    self.init(TraceMoments(trace), step: label)
  }

  /// The same for a trace that is already split into moments.
  public init?(_ trace: TraceMoments, step label: String) {
    guard let position = trace.position(ofLabel: label) else { return nil }
    let moments = trace.moments
    let moment = moments[position]
    let words = moment.step.map { "step \(label): \(trace.recording.cpus[$0.cpu]): " } ?? ""
    self.init(
      moment.picture, before: position > 0 ? moments[position - 1].picture : nil,
      title: "\(trace.trace.model), \(words)\(moment.actionText)")
  }

  public var text: String { lines.joined(separator: "\n") + "\n" }

  public var lines: [String] {
    var lines = [
      "digraph tables {", "  rankdir=LR;", "  label=\(quoted(title));",
      "  node [shape=plain, fontname=\"monospace\"];",
    ]
    for page in picture.pages { lines.append("  \(node(page))") }
    for page in picture.pages {
      for (index, entry) in page.entries.enumerated() {
        guard let target = entry.target else { continue }
        let style = page.isReachable && page.lifetime == .inUse ? "solid" : "dashed"
        lines.append("  p\(page.id):e\(index) -> p\(target) [style=\(style)];")
      }
    }
    for (number, unit) in picture.units.enumerated() {
      lines += unitLines(unit, number)
    }
    return lines + ["}"]
  }

  private func node(_ page: MachinePicture.Page) -> String {
    let state = PageState(page)
    let style =
      switch state {
      case .reachable: "SOLID"
      case .freed, .inSlab: "DOTTED"
      default: "DASHED"
      }
    let note = state.text.isEmpty ? "" : " (\(state.text))"
    let heading = row("<b>\(markup(page.name))</b>\(markup(note))", port: nil)
    let old = before?.page(page.id)?.entries
    let entries = page.entries.enumerated().map { index, entry in
      let text = markup("[\(index)] \(entry.text)")
      let isChanged = before != nil && old?[index] != entry
      return row(isChanged ? "<b>▸ \(text)</b>" : text, port: "e\(index)")
    }
    let colour = state == .freed || state == .inSlab ? " color=\"gray50\"" : ""
    return "p\(page.id) [label=<<table border=\"1\" style=\"\(style)\" cellborder=\"0\""
      + "\(colour)>\(heading)\(entries.joined())</table>>];"
  }

  private func row(_ text: String, port: String?) -> String {
    let attribute = port.map { " port=\"\($0)\"" } ?? ""
    return "<tr><td align=\"left\"\(attribute)>\(text)</td></tr>"
  }

  /// The cached entries of a unit are drawn next to the tables.
  private func unitLines(_ unit: MachinePicture.Unit, _ number: Int) -> [String] {
    let cached = unit.tables + unit.leaves
    guard !cached.isEmpty else { return [] }
    let rows = cached.map { entry in
      let stale = picture.staleness(of: entry).map { " (\($0))" } ?? ""
      return row(markup("\(entry.addresses) → \(entry.text)\(stale)"), port: nil)
    }
    return [
      "  u\(number) [label=<<table border=\"1\" style=\"ROUNDED\" cellborder=\"0\">"
        + row("<b>MMU of CPU \(unit.cpu)</b>", port: nil) + rows.joined() + "</table>>];"
    ]
  }

  private func quoted(_ text: String) -> String {
    let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return "\"\(escaped.split(whereSeparator: \.isNewline).joined(separator: " "))\""
  }

  private func markup(_ text: String) -> String { HTMLText.escaped(text) }
}

/// The state of a page as a whole.
enum PageState: Equatable {
  case reachable
  /// Only the CPU that allocated it can reach it.
  case own
  case unreachable
  case freed
  case inSlab
  /// Not a table, so no root need lead to it.
  case object

  init(_ page: MachinePicture.Page) {
    self =
      switch page.lifetime {
      case .freed: .freed
      case .inSlab: .inSlab
      case .inUse:
        page.isObject
          ? .object : page.isReachable ? .reachable : page.isPublished ? .unreachable : .own
      }
  }

  /// The state in words; empty if it is normal.
  var text: String {
    switch self {
    case .reachable, .object: ""
    case .own: "not linked yet"
    case .unreachable: "unreachable"
    case .freed: "freed"
    case .inSlab: "free, in slab"
    }
  }
}
