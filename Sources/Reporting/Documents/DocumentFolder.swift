// The pages as files: finding those out of date, and writing them.

import Foundation

/// Why pages cannot be written.
public enum DocumentError: Error, Equatable {
  /// A file with the name of a page was not written by this tool.
  case inTheWay(path: String)
  case cannotWrite(path: String, reason: String)
}

/// The pages in a folder.
public struct DocumentFolder {
  /// A page that must be written or removed.
  public struct Change: Equatable, Sendable {
    public let path: String
    /// The problem with the page, in words.
    public let text: String
    /// The new contents; nil to remove the page.
    let contents: String?
  }

  private let url: URL

  public init(_ url: URL) { self.url = url }

  /// The changes after which the folder has exactly these pages.
  ///
  /// - Throws: `DocumentError` if a file of that name is not such a page.
  public func changes(for pages: [DocumentPage]) throws(DocumentError) -> [Change] {
    var changes: [Change] = []
    for page in pages {
      guard let old = try written(page.path) else {
        changes.append(Change(path: page.path, text: "missing", contents: page.text))
        continue
      }
      if old != page.text {
        changes.append(Change(path: page.path, text: "out of date", contents: page.text))
      }
    }
    let known = Set(pages.map(\.path))
    for name in DocumentSet.folders {
      let folder = url.appendingPathComponent(name)
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
      for file in names.sorted() where !known.contains("\(name)/\(file)") {
        let text = try? String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
        guard let text, text.hasPrefix(DocumentPage.mark) else { continue }
        changes.append(Change(path: "\(name)/\(file)", text: "no longer a page", contents: nil))
      }
    }
    return changes
  }

  /// The text of an existing page, or nil.
  private func written(_ path: String) throws(DocumentError) -> String? {
    let file = url.appendingPathComponent(path)
    guard FileManager.default.fileExists(atPath: file.path) else { return nil }
    guard let text = try? String(contentsOf: file, encoding: .utf8),
      text.hasPrefix(DocumentPage.mark)
    else { throw .inTheWay(path: path) }
    return text
  }

  /// Makes the changes, writing each file atomically.
  public func write(_ changes: [Change]) throws(DocumentError) {
    for change in changes {
      let file = url.appendingPathComponent(change.path)
      do {
        guard let contents = change.contents else {
          try FileManager.default.removeItem(at: file)
          continue
        }
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(contents.utf8).write(to: file, options: .atomic)
      } catch {
        throw .cannotWrite(path: change.path, reason: error.localizedDescription)
      }
    }
  }
}
