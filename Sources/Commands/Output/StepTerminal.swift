// gracewalk replay --step: reading keys, drawing the screen, and restoring the terminal.

import Foundation
import GracewalkChecking
import GracewalkReporting

/// The terminal's original settings; global because a signal handler restores them.
nonisolated(unsafe) private var original = termios()

/// Leaves the alternate screen and shows the cursor.
private let leaveText: StaticString = "\u{1B}[?1049l\u{1B}[?25h"

private func restoreTerminal() {
  tcsetattr(0, TCSAFLUSH, &original)
  _ = write(1, leaveText.utf8Start, leaveText.utf8CodeUnitCount)
}

/// Shows a trace one moment at a time, by keys.
enum StepTerminal {
  /// True if keys can be read and a screen drawn; otherwise the steps are printed.
  static var isInteractive: Bool {
    isatty(0) == 1 && Terminal.outputIsTerminal
      && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  /// Returns when the user quits.
  static func run(_ moments: TraceMoments) throws(UsageError) {
    try enter()
    defer { restoreTerminal() }
    var navigator = StepNavigator(count: moments.moments.count)
    var decoder = StepKeyDecoder()
    var size = Terminal.size
    draw(moments, navigator, size)
    while !navigator.isDone {
      guard let bytes = readBytes() else { return }
      let old = navigator
      for byte in bytes { if let key = decoder.feed(byte) { navigator.press(key) } }
      let now = Terminal.size
      if navigator != old || now != size { draw(moments, navigator, now) }
      size = now
    }
  }

  private static func enter() throws(UsageError) {
    guard tcgetattr(0, &original) == 0 else {
      throw UsageError("--step cannot read keys from this terminal; pipe its output instead")
    }
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number) { number in
        restoreTerminal()
        signal(number, SIG_DFL)
        raise(number)
      }
    }
    // Byte by byte, without echo; Ctrl-C comes as a byte, too, and quits.
    var raw = original
    raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
    tcsetattr(0, TCSAFLUSH, &raw)
    show("\u{1B}[?1049h\u{1B}[?25l")
  }

  /// The bytes that have arrived; empty after a timeout, nil at the end of input.
  private static func readBytes() -> [UInt8]? {
    var request = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
    let ready = poll(&request, 1, 250)
    if ready < 0 && errno != EINTR { return nil }
    guard ready > 0 else { return [] }
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = read(0, &bytes, bytes.count)
    return count > 0 ? Array(bytes.prefix(count)) : nil
  }

  private static func draw(
    _ moments: TraceMoments, _ navigator: StepNavigator, _ size: Terminal.Size
  ) {
    let screen = StepScreen(
      moments, width: size.columns, height: size.rows, style: Terminal.style)
    let lines = navigator.showsHelp ? screen.help : screen.lines(at: navigator.position)
    show("\u{1B}[H" + lines.joined(separator: "\u{1B}[K\r\n") + "\u{1B}[J")
  }

  private static func show(_ text: String) {
    FileHandle.standardOutput.write(Data(text.utf8))
  }
}
