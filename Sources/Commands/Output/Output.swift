// All output goes through this file: a failed write is always reported.

import Foundation
import GracewalkChecking
import GracewalkSupport
import Synchronization

/// Writes a line to standard output.
///
/// It replaces Swift's `print` in this module, which ignores failures.
package func print(_ text: String, terminator: String = "\n") { Output.write(text + terminator) }

/// Writes a file that must not exist yet.
package func writeNewFile(_ text: String, to path: String) throws(UsageError) {
  try TraceOutput.checkWritable(path, replaces: false)
  try Output.replace(path, with: text)
}

/// Standard output and files, with every error handled.
enum Output {
  private static let mute = Atomic<Bool>(false)

  /// Whether standard output gets nothing: a shard has no report of its own.
  static var isMuted: Bool {
    get { mute.load(ordering: .relaxed) }
    set { mute.store(newValue, ordering: .relaxed) }
  }

  /// Writes to standard output; if that fails, says why and ends the process.
  static func write(_ text: String) {
    if isMuted { return }
    guard let code = write(text, to: 1) else { return }
    guard code != EPIPE else { endQuietly() }
    Terminal.clearProgress()
    Terminal.writeError("\(RunningProgram.name): cannot write the output: \(reason(code))\n")
    exit(ExitStatus.usage)
  }

  /// Writes a file atomically: on failure the old contents remain.
  ///
  /// A pipe or a device is written to directly.
  static func replace(_ path: String, with text: String) throws(UsageError) {
    let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    var status = stat()
    let isSpecial = stat(target, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
    let written = isSpecial ? target : "\(target).writing-\(getpid())"
    let flags = isSpecial ? O_WRONLY | O_CLOEXEC : O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
    let file = open(written, flags, 0o666)
    var failure = file < 0 ? errno : nil
    if file >= 0 {
      failure = write(text, to: file)
      if failure == nil, !isSpecial, fsync(file) != 0 { failure = errno }
      if close(file) != 0, failure == nil { failure = errno }
      if failure == nil, !isSpecial, rename(written, target) != 0 { failure = errno }
      if failure != nil, !isSpecial { _ = unlink(written) }
    }
    if let failure { throw UsageError("cannot write '\(path)': \(reason(failure))") }
  }

  /// Writes all of a text; returns why that failed, or nil if it did not.
  private static func write(_ text: String, to file: Int32) -> Int32? {
    let bytes = Array(text.utf8)
    var start = 0
    while start < bytes.count {
      let count = bytes[start...].withUnsafeBytes { rest in
        systemWrite(file, rest.baseAddress, rest.count)
      }
      if count > 0 {
        start += count
      } else if count == 0 {
        return ENOSPC
      } else if errno == EAGAIN {
        var waited = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
        _ = poll(&waited, 1, 1_000)
      } else if errno != EINTR {
        return errno
      }
    }
    return nil
  }

  private static func systemWrite(
    _ file: Int32, _ bytes: UnsafeRawPointer?, _ count: Int
  ) -> Int {
    #if canImport(Darwin)
      Darwin.write(file, bytes, count)
    #elseif canImport(Musl)
      Musl.write(file, bytes, count)
    #else
      Glibc.write(file, bytes, count)
    #endif
  }

  private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

  /// Ends like a process whose reader has exited, as in `gracewalk list | head -1`.
  private static func endQuietly() -> Never {
    signal(SIGPIPE, SIG_DFL)
    raise(SIGPIPE)
    exit(128 + SIGPIPE)
  }
}
