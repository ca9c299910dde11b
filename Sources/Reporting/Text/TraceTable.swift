// A trace for the terminal: one column per CPU, operations nested, tables where they change.

import GracewalkMachine
import GracewalkTraces

/// Lays a recording out as text.
public struct TraceTable {
  private let recording: Recording
  private let style: Style
  private let width: Int
  /// CPUs that take a step, in order, each a column.
  private let columns: [Int]
  private let columnWidth: Int
  private let numberWidth = 4
  /// The column for sources; nil if they are listed below the table, or not shown.
  private let sourceColumn: Int?
  private let showsSources: Bool
  private static let narrowestColumn = 24
  private static let widestColumn = 52

  /// - Parameter width: characters per line to aim at; columns are at least 24 wide. Sources are a
  ///   last column if it fits, otherwise a list below the table.
  public init(
    _ recording: Recording, width: Int = 120, style: Style = .plain, showsSources: Bool = false
  ) {
    self.showsSources = showsSources
    self.width = width
    self.recording = recording
    self.style = style
    columns = recording.cpus.indices.filter { cpu in recording.steps.contains { $0.cpu == cpu } }
    let count = max(columns.count, 1)
    let share = (width - numberWidth - 2) / count - 2
    let longest = recording.steps.map { 4 + $0.action.count + $0.outcome.count + 2 }.max() ?? 0
    let fitting = min(share, max(longest, Self.narrowestColumn), Self.widestColumn)
    columnWidth = max(fitting, Self.narrowestColumn)
    let sources = recording.steps.map { Self.source($0).count }.max() ?? 0
    let end = numberWidth + 2 + count * (columnWidth + 2)
    let fits = end + sources <= width
    sourceColumn = showsSources && sources > 0 && fits ? end : nil
  }

  /// The source of a step: the file without its module, and the line.
  private static func source(_ step: RecordedStep) -> String {
    guard step.site.line > 0 else { return "" }
    let file = step.site.file.split(separator: "/").last.map(String.init) ?? step.site.file
    return "\(file):\(step.site.line)"
  }

  /// The lines of the table, without header and conclusion.
  public var lines: [String] {
    var lines: [String] = []
    if recording.initialTables.contains(where: { !$0.isEmpty }) {
      lines.append(style.dim("initially"))
      lines += recording.initialTables.map { style.dim("      \($0)") }
      lines.append("")
    }
    lines.append(heading)
    lines.append(style.dim(rule))
    var context = Context(tables: recording.initialTables)
    var loopNumber = 0
    for (position, step) in recording.steps.enumerated() {
      if position == recording.loop {
        lines.append(style.warning("  ↺   from here on the steps up to the end repeat forever"))
        loopNumber = context.number + 1
      }
      if recording.preemptions.contains(position) {
        lines.append(preemption(before: position))
      }
      lines += self.lines(for: step, &context)
    }
    if recording.loop != nil {
      lines.append(style.warning("  ↺   and again from step \(loopNumber), in the same state"))
    }
    return lines + sourceList
  }

  private struct Context {
    var number = 0
    var tables: [String]
    /// The current operation and scopes of each CPU.
    var places: [Int: [String]] = [:]
    var operations: [Int: Int] = [:]
  }

  /// The sources of all numbered steps by file, if there is no column for them.
  private var sourceList: [String] {
    guard showsSources, sourceColumn == nil else { return [] }
    var files: [(name: String, places: [(first: Int, last: Int, line: Int)])] = []
    var number = 0
    for step in recording.steps where !step.isBoundary && !step.isLocal {
      number += 1
      let parts = Self.source(step).split(separator: ":").map(String.init)
      guard parts.count == 2, let line = Int(parts[1]) else { continue }
      if !files.contains(where: { $0.name == parts[0] }) { files.append((parts[0], [])) }
      guard let file = files.firstIndex(where: { $0.name == parts[0] }) else { continue }
      if let place = files[file].places.last, place.line == line, place.last == number - 1 {
        files[file].places[files[file].places.count - 1].last = number
      } else {
        files[file].places.append((number, number, line))
      }
    }
    guard !files.isEmpty else { return [] }
    let lines = files.flatMap { file in
      let places = file.places.map { place in
        let steps = place.first == place.last ? "" : "–\(place.last)"
        return "\(place.first)\(steps) at :\(place.line)"
      }
      return "  \(file.name): steps \(places.joined(separator: ", "))".wrapped(to: width)
    }
    return ["", style.dim("in the source")] + lines.map { style.dim($0) }
  }

  private var heading: String {
    let names = columns.map { style.bold(recording.cpus[$0]) + padding(recording.cpus[$0].count) }
    let source = sourceColumn == nil ? "" : "  " + style.dim("source")
    return trimmed("step".padded(to: numberWidth) + "  " + names.joined(separator: "  ") + source)
  }

  private var rule: String {
    let lines = columns.map { _ in String(repeating: "─", count: columnWidth) }
    return String(repeating: "─", count: numberWidth) + "  " + lines.joined(separator: "  ")
  }

  private func padding(_ used: Int) -> String {
    String(repeating: " ", count: max(0, columnWidth - used))
  }

  private func trimmed(_ line: String) -> String {
    String(line.reversed().drop { $0 == " " }.reversed())
  }

  private func preemption(before position: Int) -> String {
    let left = recording.steps[position - 1].cpu
    let goesOn = recording.steps[position].cpu
    return style.warning(
      "····  preemption: \(recording.cpus[left]) could continue, \(recording.cpus[goesOn]) runs")
  }

  private func row(
    _ number: String, _ cpu: Int, _ text: String, source: String = "",
    emphasis: (String) -> String = { $0 }
  ) -> [String] {
    guard let column = columns.firstIndex(of: cpu) else { return [] }
    let indent = String(repeating: " ", count: column * (columnWidth + 2))
    return text.wrapped(to: columnWidth).enumerated().map { index, line in
      let label = index == 0 ? number : ""
      let start = label.leftPadded(to: numberWidth) + "  " + indent
      guard index == 0, let sourceColumn, !source.isEmpty else { return start + emphasis(line) }
      let gap = max(1, sourceColumn - start.count - line.count)
      return start + emphasis(line) + String(repeating: " ", count: gap) + style.dim(source)
    }
  }

  private func lines(for step: RecordedStep, _ context: inout Context) -> [String] {
    var lines: [String] = []
    if context.operations[step.cpu] != step.operation {
      context.operations[step.cpu] = step.operation
      context.places[step.cpu] = []
      let name = recording.operations[step.cpu][step.operation]
      lines += row("", step.cpu, "▶ \(name)", emphasis: style.bold)
    }
    let entered = context.places[step.cpu] ?? []
    let shared = zip(entered, step.scopes).prefix { $0 == $1 }.count
    for (depth, scope) in step.scopes.enumerated().dropFirst(shared) {
      let indent = String(repeating: "  ", count: depth + 1)
      lines += row("", step.cpu, "\(indent)\(scope):")
    }
    context.places[step.cpu] = step.scopes
    if !step.isBoundary {
      let number = step.isLocal ? "·" : "\(context.number + 1)"
      if !step.isLocal { context.number += 1 }
      let indent = String(repeating: "  ", count: step.scopes.count + 1)
      let outcome = step.outcome.isEmpty ? "" : ": \(step.outcome)"
      lines += row(number, step.cpu, "\(indent)\(step.action)\(outcome)", source: Self.source(step))
    }
    if step.endsOperation {
      let result = step.operationResult.map { " \($0)" } ?? ""
      lines += row("", step.cpu, "◀\(result)", emphasis: style.bold)
    }
    if let tables = step.tables {
      lines += tables.map { line in
        let mark = context.tables.contains(line) ? " " : "▸"
        let text = "      \(mark) \(line)"
        return mark == " " ? style.dim(text) : text
      }
      context.tables = tables
    }
    return lines
  }
}
