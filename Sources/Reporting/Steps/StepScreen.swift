// One moment of a trace as the lines of a screen: the steps around it, its changes, the tables.

import GracewalkMachine
import GracewalkTraces

/// Lays a moment out for a terminal of some size.
///
/// Invariant: the lines fit the screen in width and number; text that does not fit is cut off with
/// a mark.
public struct StepScreen {
  private let moments: TraceMoments
  private let width: Int
  private let height: Int
  private let style: Style

  /// Narrower columns would be useless; below this width there is one column for all CPUs.
  private static let narrowestColumn = 20

  public init(_ moments: TraceMoments, width: Int, height: Int, style: Style = .plain) {
    self.moments = moments
    self.width = max(width, 10)
    self.height = max(height, 4)
    self.style = style
  }

  public func lines(at position: Int) -> [String] {
    let head = [title(position)]
    let foot = style.dim(cut("→ ← step   g G ends   ? help   q quit"))
    let room = height - head.count - 1
    let details = details(position)
    let stepsShown = max(min(room / 3, 5), room - details.count - 1)
    var lines = head + window(position, count: min(stepsShown, room))
    let left = height - 1 - lines.count
    if left > 1 {
      lines.append(style.dim(String(repeating: "─", count: width)))
      lines += fit(details, into: left - 1)
    }
    return lines + [foot]
  }

  /// The list of keys, shown instead of a moment.
  public var help: [String] {
    let texts = [
      "Keys", "", "→  n  space   the next step", "←  p         the step before",
      "Home  g      before the first step", "End  G       the last step", "q            quit", "",
      "Left of a step:  ┃ in a read-side section   ╏ interrupts masked   ┊ waits for others",
      "▸ changed by this step", "", "Any key goes back.",
    ]
    return Array(texts.flatMap { $0.wrapped(to: width) }.map(cut).prefix(height))
  }

  private func cut(_ text: String) -> String { text.cut(to: width) }

  private func fit(_ lines: [String], into count: Int) -> [String] {
    guard lines.count > count else { return lines }
    let hidden = lines.count - count + 1
    return lines.prefix(count - 1) + [style.dim(cut("… \(hidden) more lines on a taller screen"))]
  }

  private func title(_ position: Int) -> String {
    let moment = moments.moments[position]
    let steps = moments.recording.visibleSteps
    let place = position == 0 ? "before the first step" : "step \(moment.label) of \(steps)"
    return style.bold(cut("\(moments.trace.model), \(place)"))
  }

  // MARK: Details

  private func details(_ position: Int) -> [String] {
    let moment = moments.moments[position]
    var lines = StepWords.step(moment, moments).wrapped(to: width).map { style.bold(cut($0)) }
    if let source = StepWords.source(moment) { lines.append(style.dim(cut("  \(source)"))) }
    for change in moment.changes {
      for line in "  \(change.text)".wrapped(to: width) {
        lines.append(change.isNotable ? style.warning(cut(line)) : cut(line))
      }
    }
    if position == moments.moments.count - 1, let (id, report) = moments.violation {
      lines += "✗ \(id): \(report.message)".wrapped(to: width).map { style.bad(cut($0)) }
    }
    lines.append("")
    let before = position > 0 ? moments.moments[position - 1].picture : nil
    let picture = PictureText(moment.picture, before: before, cpus: moments.recording.cpus)
    for line in picture.lines {
      for (number, part) in "\(line.isChanged ? "▸" : " ") \(line.text)".wrapped(to: width)
        .enumerated()
      {
        let text = cut(number == 0 ? part : "  \(part)")
        lines.append(line.isChanged ? text : style.dim(text))
      }
    }
    return lines
  }

  // MARK: Steps

  private var hasColumns: Bool {
    (width - 6) / max(moments.lanes.count, 1) >= Self.narrowestColumn
  }

  /// The rows around a moment, and the names of the lanes.
  private func window(_ position: Int, count: Int) -> [String] {
    guard count > 1 else { return [] }
    var rows: [(position: Int?, text: String)] = []
    var current = 0
    for index in moments.moments.indices {
      let moment = moments.moments[index]
      rows += StepWords.notes(before: moment, moments).map { (nil, "      \($0)") }
      if index == position { current = rows.count }
      rows.append((index, row(index)))
    }
    let shown = min(count - 1, rows.count)
    let start = max(0, min(current - shown / 2, rows.count - shown))
    let lines = rows[start..<(start + shown)].map { row in
      guard row.position != nil else { return style.warning(cut(row.text)) }
      let isCurrent = row.position == position
      let text = cut((isCurrent ? "▶" : " ") + row.text)
      return isCurrent ? style.bold(text) : text
    }
    return [style.dim(cut(heading))] + lines
  }

  private var heading: String {
    guard hasColumns else { return "  step  CPU and action" }
    return "  step "
      + moments.lanes.map { " \(moments.recording.cpus[$0])".cell(columnWidth) }
      .joined()
  }

  private var columnWidth: Int { (width - 7) / max(moments.lanes.count, 1) }

  private func row(_ index: Int) -> String {
    let moment = moments.moments[index]
    guard let step = moment.step else { return "   0   the start" }
    let number = (step.isLocal ? "·" : moment.label).leftPadded(to: 4)
    guard hasColumns else {
      return "\(number) \(bar(step.cpu, index))\(moments.recording.cpus[step.cpu]): "
        + moment.actionText
    }
    let cells = moments.lanes.map { cpu in
      (bar(cpu, index) + (cpu == step.cpu ? moment.actionText : "")).cell(columnWidth)
    }
    return "\(number)  \(cells.joined())"
  }

  /// The character for the section or wait of a CPU.
  private func bar(_ cpu: Int, _ index: Int) -> String {
    let picture = moments.moments[index].picture
    let state = picture.cpus[cpu]
    if state.isInSection { return "┃" }
    if state.hasInterruptsMasked { return "╏" }
    return picture.awaited(by: cpu) == nil ? " " : "┊"
  }
}

extension String {
  /// At most `width` characters, with an ellipsis if text was cut.
  func cut(to width: Int) -> String { count > width ? prefix(width - 1) + "…" : self }

  /// Exactly `width` characters, the last a space.
  fileprivate func cell(_ width: Int) -> String { cut(to: width - 1).padded(to: width) }
}
