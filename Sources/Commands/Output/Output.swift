// Where all output goes: what cannot be written is an error, never silence.

import Foundation
import GracewalkChecking
import GracewalkSupport

/// Writes a line to standard output.
///
/// It takes the place of Swift's `print` in this module, which says nothing when it fails.
package func print(_ text: String, terminator: String = "\n") { Output.write(text + terminator) }

/// Standard output and files, with an answer to everything that can go wrong.
enum Output {
  /// Writes to standard output, or ends the process and says why that failed.
  static func write(_ text: String) {
    guard let code = write(text, to: 1) else { return }
    guard code != EPIPE else { endQuietly() }
    Terminal.clearProgress()
    Terminal.writeError("\(RunningProgram.name): cannot write the output: \(reason(code))\n")
    exit(ExitStatus.usage)
  }

  /// Writes a file in one go: it is whole, or as it was before.
  ///
  /// What is no ordinary file, such as a pipe or a device, is written to as it is.
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

  /// Ends as a process does whose reader has gone, as in `gracewalk list | head -1`.
  private static func endQuietly() -> Never {
    signal(SIGPIPE, SIG_DFL)
    raise(SIGPIPE)
    exit(128 + SIGPIPE)
  }
}
