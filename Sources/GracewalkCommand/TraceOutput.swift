// Writing a trace file: whether it can be written is known before the search, not after.

import Foundation
import Gracewalk

/// A file that a trace will be written to.
struct TraceOutput {
  let path: String

  /// Makes sure the file can be written and nothing is lost by it.
  init(path: String, replaces: Bool) throws(UsageError) {
    self.path = path
    try TraceOutput.checkWritable(path, replaces: replaces)
  }

  /// Makes sure that a file can be written, and that none is lost by it.
  ///
  /// - Parameter instead: what else to do if there is a file.
  static func checkWritable(
    _ path: String, replaces: Bool, instead: String = "name another file"
  ) throws(UsageError) {
    let manager = FileManager.default
    var isDirectory: ObjCBool = false
    if manager.fileExists(atPath: path, isDirectory: &isDirectory) {
      guard !isDirectory.boolValue else {
        throw UsageError("cannot write '\(path)': it is a folder")
      }
      guard replaces else {
        throw UsageError("'\(path)' exists; \(instead), or add --force to replace it")
      }
      guard manager.isWritableFile(atPath: path) else {
        throw UsageError("cannot write '\(path)': no permission")
      }
      return
    }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    guard manager.fileExists(atPath: folder, isDirectory: &isDirectory), isDirectory.boolValue
    else { throw UsageError("cannot write '\(path)': there is no folder '\(folder)'") }
    guard manager.isWritableFile(atPath: folder) else {
      throw UsageError("cannot write '\(path)': no permission for its folder")
    }
  }

  /// Writes the file in one go: it is either whole or not there.
  func write(_ trace: Trace) throws(UsageError) {
    do {
      try Data(TraceFile(trace).text.utf8)
        .write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw UsageError("cannot write '\(path)': \(error.localizedDescription)")
    }
  }
}
