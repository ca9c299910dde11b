// Only one process hands out the work of a folder: it says so in a file, and that it is alive.

import Foundation

/// Held by the coordinator of a folder; other processes see that, and refuse.
package final class CoordinatorLock {
  private let path: String
  private var beat = ContinuousClock.now

  /// A coordinator that has not been heard of for this long has ended.
  static let patience = 30.0

  private struct Holder: Codable {
    var host: String
    var process: Int32
  }

  /// - Parameter takesOver: whether to go on where one that ended has stopped.
  package init(_ folder: WorkFolder, takesOver: Bool) throws(FolderError) {
    path = "\(folder.path)/coordinator"
    if let holder = Self.holder(path) {
      let name = "process \(holder.process) on \(holder.host)"
      guard !Self.isAlive(holder, path) else {
        throw FolderError(
          "'\(folder.path)' has a coordinator already: \(name); wait for it, or name another "
            + "folder")
      }
      guard takesOver else {
        throw FolderError(
          "the coordinator of '\(folder.path)', \(name), has not finished; to go on where it "
            + "stopped: --resume \(folder.path)")
      }
      _ = unlink(path)
    }
    let holder = AnswerFile.json(Holder(host: Host.name, process: getpid()))
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard file >= 0 else {
      throw FolderError(
        errno == EEXIST
          ? "'\(folder.path)' has just got another coordinator"
          : "cannot write '\(path)': \(String(cString: strerror(errno)))")
    }
    let count = holder.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    let isWritten = close(file) == 0 && count == holder.count
    if !isWritten {
      _ = unlink(path)
      throw FolderError("cannot write '\(path)': \(String(cString: strerror(errno)))")
    }
  }

  private static func holder(_ path: String) -> Holder? {
    guard let bytes = FolderFiles.bytes(of: path) else { return nil }
    return (try? JSONDecoder().decode(Holder.self, from: Data(bytes)))
      ?? Holder(host: "an unknown machine", process: 0)
  }

  private static func isAlive(_ holder: Holder, _ path: String) -> Bool {
    if holder.host == Host.name { return holder.process > 0 && kill(holder.process, 0) == 0 }
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    guard let date = attributes?[.modificationDate] as? Date else { return false }
    return -date.timeIntervalSinceNow < patience
  }

  /// Whether a folder has a coordinator that is alive.
  static func isHeld(_ folder: WorkFolder) -> Bool {
    let path = "\(folder.path)/coordinator"
    return holder(path).map { isAlive($0, path) } ?? false
  }

  /// Shows other machines that the coordinator is alive.
  func touch() {
    guard beat <= .now else { return }
    beat = .now + .seconds(5)
    try? FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: path)
  }

  /// Lets the next coordinator begin.
  package func release() { _ = unlink(path) }
}
