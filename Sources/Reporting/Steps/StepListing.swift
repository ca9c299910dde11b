// All steps of a trace as plain text, each followed by its changes, for pipes and files.

import GracewalkMachine
import GracewalkTraces

/// The output of `replay --step` without a terminal.
public struct StepListing {
  private let moments: TraceMoments
  private let width: Int
  private let style: Style

  public init(_ moments: TraceMoments, width: Int = 120, style: Style = .plain) {
    self.moments = moments
    self.width = width
    self.style = style
  }

  public var lines: [String] {
    var lines = [style.bold("initially")]
    lines += picture(0)
    for index in moments.moments.indices.dropFirst() { lines += step(index) }
    lines += ["", style.bold("in the end")]
    lines += picture(moments.moments.count - 1)
    return lines + [""] + TraceText(moments.trace, width: width, style: style).conclusion
  }

  private func picture(_ index: Int) -> [String] {
    PictureText(
      moments.moments[index].picture, before: nil, cpus: moments.recording.cpus
    ).lines.flatMap { "    \($0.text)".wrapped(to: width) }
  }

  private func step(_ index: Int) -> [String] {
    let moment = moments.moments[index]
    var lines = [""]
    lines += StepWords.notes(before: moment, moments).map { style.warning($0) }
    for line in "\(moment.label)  \(StepWords.step(moment, moments))".wrapped(to: width) {
      lines.append(style.bold(line))
    }
    if let source = StepWords.source(moment) { lines.append(style.dim("    \(source)")) }
    for change in moment.changes {
      for line in "    \(change.text)".wrapped(to: width) {
        lines.append(change.isNotable ? style.warning(line) : line)
      }
    }
    for end in moment.ends {
      lines.append("    ◀ \(moments.recording.cpus[end.cpu]): \(end.result)")
    }
    return lines
  }
}

/// Words about a step that the listing and the screen share.
enum StepWords {
  static func step(_ moment: Moment, _ moments: TraceMoments) -> String {
    guard let step = moment.step else { return moment.actionText }
    let operation = moments.recording.operations[step.cpu][step.operation]
    let place = ([operation] + step.scopes).joined(separator: " › ")
    return "\(moments.recording.cpus[step.cpu]), \(place): \(moment.actionText)"
  }

  static func source(_ moment: Moment) -> String? {
    guard let site = moment.step?.site, !site.file.isEmpty else { return nil }
    return site.text
  }

  /// The lines between this step and the previous one.
  static func notes(before moment: Moment, _ moments: TraceMoments) -> [String] {
    var notes: [String] = []
    if moment.beginsLoop { notes.append("↺ from here on the steps up to the end repeat forever") }
    if let (left, goesOn) = moment.preemption {
      let names = moments.recording.cpus
      notes.append("···· preemption: \(names[left]) could continue, \(names[goesOn]) runs")
    }
    return notes
  }
}
