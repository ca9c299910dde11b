// A trace for the terminal: one column per CPU, operations nested, tables where they change.

import Machine
import Traces

/// Lays a recording out as text.
public struct TraceTable {
  private let recording: Recording
  private let style: Style
  /// CPUs that take a step, in order, each a column.
  private let columns: [Int]
  private let columnWidth: Int
  private let numberWidth = 4
  private static let narrowestColumn = 24
  private static let widestColumn = 52

  /// - Parameter width: characters per line to aim at; columns never get narrower than 24.
  public init(_ recording: Recording, width: Int = 120, style: Style = .plain) {
    self.recording = recording
    self.style = style
    columns = recording.cpus.indices.filter { cpu in recording.steps.contains { $0.cpu == cpu } }
    let count = max(columns.count, 1)
    let share = (width - numberWidth - 2) / count - 2
    let longest = recording.steps.map { 4 + $0.action.count + $0.outcome.count + 2 }.max() ?? 0
    let fitting = min(share, max(longest, Self.narrowestColumn), Self.widestColumn)
    columnWidth = max(fitting, Self.narrowestColumn)
  }

  /// The whole table, line by line, without what came before and after it.
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
        lines.append(style.warning("  ↺   from here on the steps up to the end repeat for ever"))
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
    return lines
  }

  private struct Context {
    var number = 0
    var tables: [String]
    /// Operation and scopes each CPU is in.
    var places: [Int: [String]] = [:]
    var operations: [Int: Int] = [:]
  }

  private var heading: String {
    let names = columns.map { style.bold(recording.cpus[$0]) + padding(recording.cpus[$0].count) }
    return trimmed("step".padded(to: numberWidth) + "  " + names.joined(separator: "  "))
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
      "····  preemption: \(recording.cpus[left]) could go on, \(recording.cpus[goesOn]) runs")
  }

  private func row(
    _ number: String, _ cpu: Int, _ text: String, emphasis: (String) -> String = { $0 }
  ) -> [String] {
    guard let column = columns.firstIndex(of: cpu) else { return [] }
    let indent = String(repeating: " ", count: column * (columnWidth + 2))
    return text.wrapped(to: columnWidth).enumerated().map { index, line in
      let label = index == 0 ? number : ""
      return label.leftPadded(to: numberWidth) + "  " + indent + emphasis(line)
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
      lines += row(number, step.cpu, "\(indent)\(step.action)\(outcome)")
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
