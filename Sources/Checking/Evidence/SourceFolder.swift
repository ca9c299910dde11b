// The location of a module's source files, so that reports can link to them.

import Foundation

/// The folder of a module's source files, and their paths.
///
/// Code names its own place as `Module/File.swift` (Swift's `#fileID`), which is not a path. No two
/// files of a module have the same name, so the name identifies the file. If the folder has moved
/// since compilation, no path is known.
public struct SourceFolder: Sendable {
  private let paths: [String: String]

  /// The folder that the caller's own file is in.
  ///
  /// Paths begin with that folder's name: what is above it differs from machine to machine.
  public init(file: String = #filePath, id: String = #fileID) {
    let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
    let module = id.prefix { $0 != "/" }
    let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }
    let pairs = (files ?? []).filter { $0.hasSuffix(".swift") }.map { path in
      (
        "\(module)/\(URL(fileURLWithPath: path).lastPathComponent)",
        "\(folder.lastPathComponent)/\(path)"
      )
    }
    paths = Dictionary(pairs, uniquingKeysWith: min)
  }

  /// The path of a file that code calls `Module/File.swift`; nil for a file of another module.
  public func path(ofFile id: String) -> String? { paths[id] }
}
