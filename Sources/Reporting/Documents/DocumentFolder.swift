// The pages as files: which differ from what they should be, and writing those.

import Foundation

/// Why pages cannot be written.
public enum DocumentError: Error, Equatable {
  /// A file has a page's name and was written by somebody else.
  case inTheWay(path: String)
  case cannotWrite(path: String, reason: String)
}

/// The pages in a folder.
public struct DocumentFolder {
  /// What differs from what should be there.
  public struct Change: Equatable, Sendable {
    public let path: String
    /// What is wrong with the page, in words.
    public let text: String
    /// What to write; nil if the page is to go.
    let contents: String?
  }

  private let url: URL

  public init(_ url: URL) { self.url = url }

  /// What has to change for the folder to hold the pages, and of such pages no other.
  ///
  /// - Throws: `DocumentError` if a file is in the way that is no such page.
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

  /// The text of a page that is there; nil if there is none.
  private func written(_ path: String) throws(DocumentError) -> String? {
    let file = url.appendingPathComponent(path)
    guard FileManager.default.fileExists(atPath: file.path) else { return nil }
    guard let text = try? String(contentsOf: file, encoding: .utf8),
      text.hasPrefix(DocumentPage.mark)
    else { throw .inTheWay(path: path) }
    return text
  }

  /// Makes the changes, each file in one go.
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
