// What the process sits in: terminal or pipe, colours, width, interrupts.

import Checking
import Exploration
import Foundation
import Reporting
import Synchronization

/// Set by Ctrl-C; searches look at it now and then.
private let interruptFlag = Atomic<Bool>(false)

/// When a progress line was shown last.
private let latestProgress = Mutex<ContinuousClock.Instant?>(nil)

/// Whether a progress line stands on the terminal.
private let progressIsShown = Atomic<Bool>(false)

enum Terminal {
  static let outputIsTerminal = isatty(1) == 1
  private static let errorIsTerminal = isatty(2) == 1

  /// Colours on a terminal, unless NO_COLOR is set (no-color.org) or the terminal is dumb.
  static var style: Style {
    let environment = ProcessInfo.processInfo.environment
    let isWanted = environment["NO_COLOR"].map(\.isEmpty) ?? true
    return Style(usesColour: outputIsTerminal && isWanted && environment["TERM"] != "dumb")
  }

  struct Size: Equatable {
    var columns = 120
    var rows = 40
  }

  /// The terminal's characters per line, and its lines; some where there is none.
  static var size: Size {
    var size = winsize()
    guard outputIsTerminal, ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0,
      size.ws_row > 0
    else { return Size() }
    return Size(columns: Int(size.ws_col), rows: Int(size.ws_row))
  }

  /// Characters per line: the terminal's, or 120 where there is none.
  static var width: Int { size.columns }

  /// Makes Ctrl-C end a search with what it has found, instead of the process.
  static func catchInterrupts() {
    // The flag is touched here, so that it exists before a signal handler looks at it.
    interruptFlag.store(false, ordering: .relaxed)
    signal(SIGINT) { _ in interruptFlag.store(true, ordering: .relaxed) }
  }

  /// Shows progress on a terminal and passes interrupts on to a search.
  static func watch(_ label: String) -> (SearchProgress) -> Bool {
    // A search that takes no time shows none.
    latestProgress.withLock { $0 = .now }
    return { progress in goOn(ProgressText.line(label, progress)) }
  }

  /// Shows how far something has come, now and then and on a terminal; called by any thread.
  ///
  /// - Returns: false if the work is to be ended.
  static func goOn(_ line: @autoclosure () -> String) -> Bool {
    if errorIsTerminal {
      let now = ContinuousClock.now
      let isDue = latestProgress.withLock { latest in
        guard latest.map({ now - $0 >= .milliseconds(200) }) ?? true else { return false }
        latest = now
        return true
      }
      if isDue { showProgress(line()) }
    }
    return !isInterrupted
  }

  /// Shows a line of progress on a terminal, in place of the last.
  static func showProgress(_ line: String) {
    guard errorIsTerminal else { return }
    progressIsShown.store(true, ordering: .relaxed)
    writeError("\r\u{1B}[K\(line)")
  }

  /// Whether Ctrl-C was pressed.
  static var isInterrupted: Bool { interruptFlag.load(ordering: .relaxed) }

  /// Removes the progress line.
  static func clearProgress() {
    if progressIsShown.exchange(false, ordering: .relaxed) { writeError("\r\u{1B}[K") }
  }

  static func writeError(_ text: String) {
    FileHandle.standardError.write(Data(text.utf8))
  }
}
