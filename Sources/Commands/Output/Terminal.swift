// The process's environment: terminal or pipe, colours, width, interrupts.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkReporting
import Synchronization

/// Set by Ctrl-C and similar signals; searches poll it.
private let interruptFlag = Atomic<Bool>(false)

package enum Terminal {
  static let outputIsTerminal = isatty(1) == 1

  /// Colours on a terminal, unless NO_COLOR is set (no-color.org) or the terminal is dumb.
  static var style: Style {
    let environment = ProcessInfo.processInfo.environment
    let isAllowed = environment["NO_COLOR"].map(\.isEmpty) ?? true
    return Style(usesColour: outputIsTerminal && isAllowed && environment["TERM"] != "dumb")
  }

  struct Size: Equatable {
    var columns = 120
    var rows = 40
  }

  /// Columns and lines of the terminal, or default values without one.
  static var size: Size {
    var size = winsize()
    guard outputIsTerminal, ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0,
      size.ws_row > 0
    else { return Size() }
    return Size(columns: Int(size.ws_col), rows: Int(size.ws_row))
  }

  /// Columns of the terminal, or 120 without one.
  static var width: Int { size.columns }

  /// Characters per line of the terminal that progress is shown on.
  static var errorWidth: Int {
    var size = winsize()
    return ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  /// Makes Ctrl-C, and the signal of `kill` and `timeout`, end the search instead of the process;
  /// the search then reports its results so far.
  ///
  /// A second signal ends the process.
  package static func catchInterrupts() {
    // Initialises the flag before a signal handler can read it.
    interruptFlag.store(false, ordering: .relaxed)
    var caught = sigset_t()
    sigemptyset(&caught)
    for number in [SIGINT, SIGTERM] {
      sigaddset(&caught, number)
      signal(number) { number in
        interruptFlag.store(true, ordering: .relaxed)
        Machine.endWhereStuck(by: number)
        signal(SIGINT, SIG_DFL)
        signal(SIGTERM, SIG_DFL)
      }
    }
    // The parent process may have blocked these signals, as thread pools do.
    pthread_sigmask(SIG_UNBLOCK, &caught, nil)
  }

  /// Shows progress and passes interrupts on to a search.
  ///
  /// `hints`: ways to make it shorter, called once if it is long.
  static func watch(
    _ label: String, hints: @escaping () -> [String] = { [] }
  ) -> (SearchProgress) -> Bool {
    ProgressLine.begin()
    let advice = LongCheckAdvice(label, hints: hints)
    return { progress in
      advice.look(at: progress)
      return shouldContinue(ProgressText.line(label, progress))
    }
  }

  /// The same for a check of a model.
  static func watch(
    _ model: Model, _ request: CheckRequest
  ) -> (SearchProgress) -> Bool {
    watch(model.name) {
      let options = CheckOptions(scenario: request.scenario, search: request.search)
      return (try? model.speedHints(options)) ?? []
    }
  }

  /// Shows progress from time to time; called by any thread.
  ///
  /// - Returns: false if the work is to be ended.
  package static func shouldContinue(_ line: @autoclosure () -> String) -> Bool {
    ProgressLine.show(line)
    return !isInterrupted
  }

  /// Whether the user wants the process to end.
  static var isInterrupted: Bool { interruptFlag.load(ordering: .relaxed) }

  /// Removes the progress line.
  package static func clearProgress() { ProgressLine.clear() }

  static func writeError(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}
