// The list of steps: a lane for each CPU, time downwards, with bars for sections and waits.

import GracewalkMachine
import GracewalkTraces

/// Rows of the list of steps, each with a cell for each lane.
///
/// The same markup gives columns on a wide screen, and narrow tracks next to a list on a small one.
struct LaneList {
  /// Something that lasts in a lane, drawn as a bar, with its class and its description.
  private enum Bar: String, CaseIterable {
    case section = "r"
    case mask = "k"
    case wait = "g"
  }

  private let moments: TraceMoments
  /// The bars at each moment, by CPU.
  private let bars: [[Int: [Bar]]]
  private let usedBars: [Bar]
  /// For each CPU, its operations as ranges of moments.
  private let operations: [Int: [ClosedRange<Int>]]

  init(_ moments: TraceMoments) {
    self.moments = moments
    bars = moments.moments.map { Self.bars(in: $0.picture, moments.lanes) }
    usedBars = Bar.allCases.filter { bar in
      moments.moments.indices.contains { index in
        moments.lanes.contains { Self.bars(in: moments.moments[index].picture, $0).contains(bar) }
      }
    }
    operations = Self.operations(moments)
  }

  var legend: [(className: String, text: String)] {
    usedBars.map { bar in
      switch bar {
      case .section: (bar.rawValue, "in a read-side section")
      case .mask: (bar.rawValue, "interrupts masked")
      case .wait: (bar.rawValue, "waits for a grace period, interrupts or callbacks")
      }
    }
  }

  var html: String {
    var lines = [
      "<div id=\"lanes\" class=\"lanes\" style=\"--n:\(moments.lanes.count);"
        + "--b:\(usedBars.count);--cols:\(columns)\">",
      heading,
    ]
    for index in moments.moments.indices.dropFirst() {
      let moment = moments.moments[index]
      if moment.beginsLoop {
        lines.append(
          note("loop", "↺ from here on, the steps down to the end repeat forever", index))
      }
      if let (left, goesOn) = moment.preemption {
        let names = moments.recording.cpus
        lines.append(
          note("pre", "⤷ preemption: \(names[left]) could continue, \(names[goesOn]) runs", index))
      }
      lines.append(row(index))
    }
    if moments.recording.loop != nil {
      lines.append(note("loop", "↺ and again from there, in the same state", nil))
    }
    if let (id, _) = moments.violation {
      lines.append(note("end", "✗ \(id)", nil))
    }
    return (lines + ["</div>"]).joined(separator: "\n")
  }

  /// Lanes with many steps are wider.
  private var columns: String {
    let steps = moments.moments.compactMap(\.step)
    return moments.lanes.map { cpu in
      let own = steps.filter { $0.cpu == cpu }
      let longest = own.map { $0.action.count + $0.outcome.count }.max() ?? 0
      let isBusy = own.count * 5 >= steps.count && longest > 24
      return "minmax(0,\(isBusy ? 10 : 7)fr)"
    }.joined(separator: " ")
  }

  private var heading: String {
    let names = moments.lanes.enumerated().map { column, cpu in
      "<b style=\"grid-column:\(column + 2)\">\(HTMLText.escaped(moments.recording.cpus[cpu]))"
        + "<small>\(HTMLText.escaped(role(of: cpu)))</small></b>"
    }
    return "<div class=\"row head\"><span class=\"no\">step</span>\(names.joined())</div>"
  }

  private func role(of cpu: Int) -> String {
    let state = moments.moments[0].picture.cpus[cpu]
    let owner = state.owner.map { moments.recording.cpus[$0] } ?? ""
    switch state.role {
    case .program:
      return moments.trace.program == nil
        ? "CPU" : "runs \(moments.recording.operations[cpu].first ?? "")"
    case .callbacks: return "callbacks of \(owner)"
    case .walker: return "hardware walks of \(owner)"
    case .storeBuffer: return "stores of \(owner) become visible"
    }
  }

  /// A line that belongs to no CPU.
  private func note(_ kind: String, _ text: String, _ index: Int?) -> String {
    let last = moments.moments.count - 1
    let cells = moments.lanes.indices.map { column in
      cell(column, at: index.map { $0 - 1 } ?? last, continuesTo: index ?? last + 1, "")
    }
    return "<div class=\"row note \(kind)\">\(cells.joined())"
      + "<span class=\"t\"><span>\(HTMLText.escaped(text))</span></span></div>"
  }

  private func row(_ index: Int) -> String {
    let moment = moments.moments[index]
    guard let step = moment.step, let column = moments.lanes.firstIndex(of: step.cpu) else {
      return ""
    }
    let cells = moments.lanes.indices.map { lane in
      cell(lane, at: index, continuesTo: nil, lane == column ? " a" : "")
    }
    let isLast = index == moments.moments.count - 1
    let isWrong = isLast && moments.violation != nil
    let number = step.isLocal ? "·" : moment.label
    let mark = isWrong ? " wrong" : moment.isKey ? " key" : ""
    return "<a class=\"row step\(mark)\" href=\"#step=\(moment.label)\" data-i=\"\(index)\""
      + " style=\"--c:\(column + 2)\"><span class=\"no\">\(number)</span>\(cells.joined())"
      + text(moment, step, index) + "</a>"
  }

  private func text(_ moment: Moment, _ step: RecordedStep, _ index: Int) -> String {
    var text =
      "<span class=\"t\"><span class=\"who\">"
      + "\(HTMLText.escaped(moments.recording.cpus[step.cpu]))</span>"
    if let name = moment.begins { text += "<b class=\"op\">▶ \(HTMLText.escaped(name))</b>" }
    let outer = previousScopes(of: step, before: index)
    let shared = zip(outer, step.scopes).prefix { $0 == $1 }.count
    for (depth, scope) in step.scopes.enumerated().dropFirst(shared) {
      text += "<em style=\"--d:\(depth)\">\(HTMLText.escaped(scope))</em>"
    }
    let indent = step.scopes.isEmpty ? "" : " style=\"--d:\(step.scopes.count)\""
    text += "<span class=\"d\"\(indent)><code>\(breakable(step.action))</code>"
    if !step.outcome.isEmpty { text += " <i>\(HTMLText.escaped(step.outcome))</i>" }
    text += "</span>"
    if let line = moments.trace.program?.line(step.site.line, of: step.site.file) {
      text += "<span class=\"code\"\(indent)>\(HTMLText.escaped(line))</span>"
    }
    for end in moment.ends where end.cpu == step.cpu {
      text += "<b class=\"op\">◀ \(HTMLText.escaped(end.result))</b>"
    }
    return text + "</span>"
  }

  /// Narrow lanes break names where they have dots.
  private func breakable(_ text: String) -> String {
    HTMLText.escaped(text).replacing(".", with: ".<wbr>").replacing("[", with: "<wbr>[")
  }

  /// The parts of the operation that the CPU was in with its step before.
  private func previousScopes(of step: RecordedStep, before index: Int) -> [String] {
    for earlier in moments.moments[..<index].reversed() {
      guard let other = earlier.step, other.cpu == step.cpu else { continue }
      return other.operation == step.operation ? other.scopes : []
    }
    return []
  }

  // MARK: Cells

  /// The part of a row that another CPU's lane shows: the operation under way, and bars.
  ///
  /// - Parameter continuesTo: for a line between moments, the moment after it.
  private func cell(
    _ column: Int, at index: Int, continuesTo next: Int?, _ classes: String
  ) -> String {
    let cpu = moments.lanes[column]
    let isBetween = next != nil
    var names = "l\(classes)"
    let range = operations[cpu]?.first { range in
      isBetween
        ? range.contains(index) && range.contains(next ?? index) : range.contains(index)
    }
    if let range {
      names += " o"
      if !isBetween, range.lowerBound == index { names += " ob" }
      if !isBetween, range.upperBound == index { names += " oe" }
    }
    let now = bars[index][cpu] ?? []
    let earlier = index > 0 ? bars[index - 1][cpu] ?? [] : []
    let shown = usedBars.enumerated().compactMap { slot, bar -> String? in
      guard now.contains(bar) || (!isBetween && earlier.contains(bar)) else { return nil }
      let begins = !isBetween && !earlier.contains(bar) ? " b" : ""
      let ends = !isBetween && !now.contains(bar) ? " f" : ""
      return "<u class=\"\(bar.rawValue)\(begins)\(ends)\" style=\"--s:\(slot)\"></u>"
    }
    let remark = isBetween || classes == " a" ? "" : remark(cpu, at: index, now, earlier)
    return
      "<i class=\"\(names)\" style=\"grid-column:\(column + 2)\">\(shown.joined())\(remark)</i>"
  }

  /// The text for sections and waits that begin or end in a lane while another CPU steps.
  private func remark(_ cpu: Int, at index: Int, _ now: [Bar], _ earlier: [Bar]) -> String {
    var texts: [String] = []
    if now.contains(.wait), !earlier.contains(.wait) {
      let awaited = moments.moments[index].picture.awaited(by: cpu) ?? []
      let names = awaited.map { moments.recording.cpus[$0] }
      texts.append(names.isEmpty ? "grace period begins" : "waits for \(list(names))")
    }
    texts += moments.moments[index].ends.filter { $0.cpu == cpu }.map { "◀ \($0.result)" }
    return texts.map { "<small>\(HTMLText.escaped($0))</small>" }.joined()
  }

  private static func bars(in picture: MachinePicture, _ lanes: [Int]) -> [Int: [Bar]] {
    Dictionary(uniqueKeysWithValues: lanes.map { ($0, bars(in: picture, $0)) })
  }

  private static func bars(in picture: MachinePicture, _ cpu: Int) -> [Bar] {
    let state = picture.cpus[cpu]
    var bars: [Bar] = []
    if state.isInSection { bars.append(.section) }
    if state.hasInterruptsMasked { bars.append(.mask) }
    if picture.awaited(by: cpu) != nil { bars.append(.wait) }
    return bars
  }

  private static func operations(_ moments: TraceMoments) -> [Int: [ClosedRange<Int>]] {
    var ranges: [Int: [ClosedRange<Int>]] = [:]
    var open: [Int: Int] = [:]
    for (index, moment) in moments.moments.enumerated() {
      if let step = moment.step, moment.begins != nil { open[step.cpu] = index }
      for end in moment.ends {
        if let start = open.removeValue(forKey: end.cpu) {
          ranges[end.cpu, default: []].append(start...index)
        }
      }
    }
    // Operations that never end are still under way at the end.
    for (cpu, start) in open.sorted(by: { $0.key < $1.key }) {
      ranges[cpu, default: []].append(start...moments.moments.count)
    }
    return ranges
  }
}
