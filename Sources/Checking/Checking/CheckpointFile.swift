// The file a check is saved in: at any moment it is the complete old one or the complete new one.

import GracewalkExploration

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A file in which checks are saved, each replacing the previous one.
///
/// Contents are written and synced to `PATH.writing`, which then replaces the old file. If the
/// process is killed, the old file remains.
public final class CheckpointFile {
  public let path: String
  /// How often a check was saved to it.
  public private(set) var saves = 0
  /// Called with the reason, in one line, if the file cannot be written; the check continues.
  public var complain: (String) -> Void

  public init(path: String, complain: @escaping (String) -> Void = { _ in }) {
    self.path = path
    self.complain = complain
  }

  private var temporary: String { path + ".writing" }

  /// Replaces the file by what `body` writes, checksum added.
  func replace(_ body: (CheckpointWriter) -> Void) {
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard file >= 0 else { return complain("cannot write '\(temporary)': \(lastError())") }
    var isWhole = true
    let writer = CheckpointWriter { piece in
      if isWhole { isWhole = Self.write(piece, to: file) }
    }
    body(writer)
    writer.finish()
    isWhole = isWhole && fsync(file) == 0
    let failure = isWhole ? "" : lastError()
    isWhole = close(file) == 0 && isWhole
    guard isWhole, rename(temporary, path) == 0 else {
      complain("cannot write '\(path)': \(failure.isEmpty ? lastError() : failure)")
      _ = unlink(temporary)
      return
    }
    syncFolder()
    saves += 1
  }

  private static func write(_ piece: UnsafeRawBufferPointer, to file: Int32) -> Bool {
    var start = 0
    while start < piece.count {
      let rest = UnsafeRawBufferPointer(rebasing: piece[start...])
      // Qualified, because this function has the same name.
      #if canImport(Darwin)
        let count = Darwin.write(file, rest.baseAddress, rest.count)
      #elseif canImport(Musl)
        let count = Musl.write(file, rest.baseAddress, rest.count)
      #else
        let count = Glibc.write(file, rest.baseAddress, rest.count)
      #endif
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      start += count
    }
    return true
  }

  /// Makes the rename durable, as far as the system allows.
  private func syncFolder() {
    let end = path.lastIndex(of: "/")
    let folder = open(end.map { String(path[...$0]) } ?? ".", O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else { return }
    _ = fsync(folder)
    _ = close(folder)
  }

  /// The bytes of a file, or the reason it cannot be read.
  static func contents(of path: String) -> Result<[UInt8], ReadError> {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { return .failure(ReadError(reason: lastError())) }
    defer { _ = close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      return .failure(ReadError(reason: "it is not a regular file"))
    }
    let size = Int(status.st_size)
    var failure: String?
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, used in
      while used < size {
        let count = read(file, buffer.baseAddress.map { $0 + used }, size - used)
        if count < 0 && errno == EINTR { continue }
        if count < 0 { failure = lastError() }
        if count <= 0 { return }
        used += count
      }
    }
    return failure.map { .failure(ReadError(reason: $0)) } ?? .success(bytes)
  }

  struct ReadError: Error {
    var reason: String
  }
}

private func lastError() -> String { String(cString: strerror(errno)) }
