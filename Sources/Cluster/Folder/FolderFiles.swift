// Files of a shared folder: each is written under another name and then renamed, so it is whole.

import Foundation

#if canImport(Musl)
  import Musl
#elseif canImport(Glibc)
  import Glibc
#endif

/// Why work in a folder cannot go on, in one line.
package struct FolderError: Error, Equatable, CustomStringConvertible {
  package let description: String

  package init(_ text: String) { description = text }
}

enum FolderFiles {
  private static let counter = Counter()

  /// Writes a file; processes that read it see all of it or none.
  static func replace(_ bytes: [UInt8], to path: String) throws(FolderError) {
    let temporary = "\(path).writing-\(Host.name)-\(getpid())-\(counter.next())"
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw error(path, errno) }
    var start = 0
    var failure: Int32?
    while start < bytes.count, failure == nil {
      let count = bytes[start...].withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
      if count > 0 {
        start += count
      } else if count == 0 || errno != EINTR {
        failure = count == 0 ? ENOSPC : errno
      }
    }
    if close(file) != 0, failure == nil { failure = errno }
    if failure == nil, rename(temporary, path) != 0 { failure = errno }
    guard let failure else { return }
    _ = unlink(temporary)
    throw error(path, failure)
  }

  static func replace(_ text: String, to path: String) throws(FolderError) {
    try replace(Array(text.utf8), to: path)
  }

  static func makeFolder(_ path: String) throws(FolderError) {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
      guard isFolder.boolValue else { throw FolderError("'\(path)' is a file, and no folder") }
      return
    }
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw FolderError("cannot make the folder '\(path)': \(String(cString: strerror(errno)))")
    }
  }

  /// The bytes of a file; nil if it cannot be read.
  static func bytes(of path: String) -> [UInt8]? {
    FileManager.default.contents(atPath: path).map(Array.init)
  }

  /// A part of a file; nil if it is not there.
  static func bytes(of path: String, from start: Int, count: Int) -> [UInt8]? {
    guard let file = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? file.close() }
    guard (try? file.seek(toOffset: UInt64(start))) != nil,
      let data = try? file.read(upToCount: count), data.count == count
    else { return nil }
    return Array(data)
  }

  /// The names in a folder, sorted; none if it cannot be read.
  static func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  private static func error(_ path: String, _ code: Int32) -> FolderError {
    let reason = String(cString: strerror(code))
    let hint = code == ENOSPC ? "; nothing is lost: make room, and run it again" : ""
    return FolderError("cannot write '\(path)': \(reason)\(hint)")
  }
}

/// Numbers that differ within a process.
private final class Counter: Sendable {
  private let lock = NSLock()
  private nonisolated(unsafe) var value = 0

  func next() -> Int {
    lock.withLock {
      value += 1
      return value
    }
  }
}

/// The machine that this process runs on.
enum Host {
  static let name: String = {
    let name = ProcessInfo.processInfo.hostName
    let plain = name.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == ".") }
    return plain.isEmpty ? "unknown" : String(plain.prefix(64))
  }()
}

/// Seconds since 1970, in files for people.
enum Clock {
  static var now: Double { (Date().timeIntervalSince1970 * 1_000).rounded() / 1_000 }
}
