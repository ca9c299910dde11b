// Progress of a long run: a changing line on a terminal, or a line a minute in a log.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkReporting
import Synchronization

/// Shows progress on standard error.
package enum ProgressLine {
  package static let option = Option(
    name: "progress", value: nil,
    help: "print a line of progress a minute on standard error; on a terminal it is always shown")

  private struct State {
    /// Whether to write lines if there is no terminal.
    var wantsLines = false
    /// When the next line is due.
    var next = ContinuousClock.now
    /// Whether the terminal shows a line now.
    var isShown = false
  }

  private static let state = Mutex(State())
  private static let errorIsTerminal = isatty(2) == 1
  /// The first line comes early, so that the user sees that progress works.
  private static let firstSeconds = 5
  private static let lineSeconds = 60

  /// Enables lines without a terminal.
  static func showLines() {
    state.withLock {
      $0.wantsLines = true
      $0.next = .now + .seconds(firstSeconds)
    }
  }

  /// Starts a new piece of work; a very short one shows nothing on a terminal.
  static func begin() {
    guard errorIsTerminal else { return }
    state.withLock { $0.next = .now + .milliseconds(200) }
  }

  /// Shows progress if a line is due; called by any thread.
  static func show(_ line: () -> String) {
    let isDue = state.withLock { state in
      guard errorIsTerminal || state.wantsLines, state.next <= .now else { return false }
      state.next = .now + (errorIsTerminal ? .milliseconds(200) : .seconds(lineSeconds))
      state.isShown = errorIsTerminal
      return true
    }
    guard isDue else { return }
    let text = line()
    Terminal.writeError(
      errorIsTerminal ? "\r\u{1B}[K\(text.cut(to: Terminal.errorWidth - 1))" : "\(text)\n")
  }

  /// Prints lines that stay, if progress is shown at all.
  static func tell(_ lines: [String]) {
    guard errorIsTerminal || state.withLock({ $0.wantsLines }), !lines.isEmpty else { return }
    clear()
    Terminal.writeError(lines.map { "\($0)\n" }.joined())
  }

  /// Removes the line on the terminal.
  static func clear() {
    let wasShown = state.withLock { state in
      defer { state.isShown = false }
      return state.isShown
    }
    if wasShown { Terminal.writeError("\r\u{1B}[K") }
  }
}

/// Advice that a long check prints once: how to make it shorter, and whether memory may run out.
final class LongCheckAdvice {
  private let label: String
  private let hints: () -> [String]
  private var hasHinted = false
  private var hasWarned = false

  init(_ label: String, hints: @escaping () -> [String]) {
    self.label = label
    self.hints = hints
  }

  func look(at progress: SearchProgress) {
    guard progress.statistics.transitions >= CheckReport.longTransitions else { return }
    if !hasHinted {
      hasHinted = true
      ProgressLine.tell(hints().map { "\(label): to make it shorter: \($0)" })
    }
    let memory = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    if !hasWarned, let warning = ProgressText.memoryWarning(progress, memory: memory) {
      hasWarned = true
      ProgressLine.tell(["\(label): \(warning)"])
    }
  }
}

extension String {
  /// The text, or its beginning and an ellipsis if it is longer.
  fileprivate func cut(to width: Int) -> String {
    count <= width ? self : "\(prefix(max(width - 1, 0)))…"
  }
}
