// An execution as a sequence diagram in the language of Mermaid.

import GracewalkMachine
import GracewalkSupport
import GracewalkTraces

/// A trace as a `sequenceDiagram`: which CPU accesses which table, in order.
///
/// A participant for each CPU that takes a step, one for each table page that is accessed, and one
/// for all other memory. Operations are activations; the repeating part of a livelock is a `loop`.
public struct MermaidText {
  private let trace: Trace
  private var recording: Recording { trace.recording }
  private let cpus: [Int]
  private let objects: [String]

  public init(_ trace: Trace) {
    self.trace = trace
    let steps = trace.recording.steps
    cpus = trace.recording.cpus.indices.filter { cpu in steps.contains { $0.cpu == cpu } }
    var objects: [String] = []
    for case let object? in steps.map(\.object) where !objects.contains(object) {
      objects.append(object)
    }
    // Tables in order of first access; memory last.
    self.objects =
      objects.filter { $0 != RecordedStep.memory }
      + objects.filter { $0 == RecordedStep.memory }
  }

  public var text: String { lines.joined(separator: "\n") + "\n" }

  public var lines: [String] {
    var lines = ["sequenceDiagram"]
    for cpu in cpus { lines.append("  participant c\(cpu) as \(escaped(recording.cpus[cpu]))") }
    for (number, object) in objects.enumerated() {
      lines.append("  participant m\(number) as \(escaped(object))")
    }
    var number = 0
    var open: [Int: Int] = [:]
    for (position, step) in recording.steps.enumerated() {
      if position == recording.loop { lines.append("  loop forever") }
      if recording.preemptions.contains(position) { lines.append(preemption(before: position)) }
      if !step.isLocal, !step.isBoundary { number += 1 }
      lines += self.lines(for: step, number, &open)
    }
    if recording.loop != nil { lines.append("  end") }
    lines.append(note(over: cpus, conclusion))
    for cpu in cpus where open[cpu] != nil { lines.append("  deactivate c\(cpu)") }
    return lines
  }

  private func lines(
    for step: RecordedStep, _ number: Int, _ open: inout [Int: Int]
  ) -> [String] {
    let cpu = "c\(step.cpu)"
    var lines: [String] = []
    if open[step.cpu] != step.operation {
      if open[step.cpu] != nil { lines.append("  deactivate \(cpu)") }
      open[step.cpu] = step.operation
      let name = recording.operations[step.cpu][step.operation]
      lines += [note(over: [step.cpu], "▶ \(name)"), "  activate \(cpu)"]
    }
    if !step.isBoundary {
      let target = step.object.flatMap(objects.firstIndex).map { "m\($0)" } ?? cpu
      let label = step.isLocal ? "·" : "\(number)"
      let scopes = step.scopes.map { "\($0): " }.joined()
      let outcome = step.outcome.isEmpty ? "" : ": \(step.outcome)"
      // Local steps are drawn with a dotted line.
      let arrow = step.isLocal ? "-->>" : "->>"
      lines.append(
        "  \(cpu)\(arrow)\(target): \(escaped("\(label) \(scopes)\(step.action)\(outcome)"))")
    }
    if step.endsOperation {
      if let result = step.operationResult { lines.append(note(over: [step.cpu], "◀ \(result)")) }
      lines.append("  deactivate \(cpu)")
      open[step.cpu] = nil
    }
    return lines
  }

  private func preemption(before position: Int) -> String {
    let left = recording.steps[position - 1].cpu
    let goesOn = recording.steps[position].cpu
    return note(
      over: [left, goesOn],
      "preemption: \(recording.cpus[left]) could continue, \(recording.cpus[goesOn]) runs")
  }

  private var conclusion: String {
    switch recording.end {
    case .violated(let id, let violation):
      (["✗ \(id)", violation.message] + violation.details).joined(separator: "\n")
    case .complete: "nothing is wrong in this execution"
    case .unfinished: "nothing is wrong so far; CPUs could continue"
    }
  }

  private func note(over cpus: [Int], _ text: String) -> String {
    // A note over the first and the last participant also covers those between.
    let (first, last) = (cpus.min() ?? 0, cpus.max() ?? 0)
    let names = first == last ? "c\(first)" : "c\(first),c\(last)"
    return "  Note over \(names): \(escaped(text))"
  }

  /// Escapes characters that would end a statement, or begin an entity, a comment, a formula or
  /// markup.
  private func escaped(_ text: String) -> String {
    var escaped = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": escaped.append(contentsOf: "<br/>".unicodeScalars)
      case "#", ";", "<", ">", "&", "\"", "%", "$":
        escaped.append(contentsOf: "#\(scalar.value);".unicodeScalars)
      default: escaped.append(scalar.isInvisible ? "\u{FFFD}" : scalar)
      }
    }
    return String(escaped)
  }
}
