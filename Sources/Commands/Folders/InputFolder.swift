// Folders that a command is given instead of files.

import Foundation

enum InputFolder {
  /// True if a path names a folder, and no model.
  static func isNamed(by path: String, _ arguments: Arguments) -> Bool {
    if arguments.source.model(named: path) != nil { return false }
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// The files of a folder whose names have certain endings, sorted; none if it is no folder.
  static func files(in folder: String, _ endings: [String]) -> [String] {
    let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    let prefix = folder.hasSuffix("/") ? folder : folder + "/"
    return names.filter { name in endings.contains { name.hasSuffix($0) } }.sorted()
      .map { prefix + $0 }
  }
}
