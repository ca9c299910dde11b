// The pages as files: which differ from what they should be, and writing those.

import Foundation
import Reporting

/// The pages in a folder.
struct DocumentFiles {
  struct Change {
    let path: String
    /// What is to become of the page, in words.
    let text: String
    /// What to write; nil if the page is to go.
    let contents: String?
  }

  let folder: URL

  /// What has to change for the folder to hold the pages, and of such pages no other.
  ///
  /// - Throws: `UsageError` if a file is in the way that this command has not written.
  func changes(for pages: [DocumentPage]) throws -> [Change] {
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
      let url = folder.appendingPathComponent(name)
      let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
      for file in names.sorted() where !known.contains("\(name)/\(file)") {
        let text = try? String(contentsOf: url.appendingPathComponent(file), encoding: .utf8)
        guard let text, text.hasPrefix(DocumentPage.mark) else { continue }
        changes.append(Change(path: "\(name)/\(file)", text: "no longer a page", contents: nil))
      }
    }
    return changes
  }

  /// The text of a page that is there; nil if there is none.
  private func written(_ path: String) throws -> String? {
    let url = folder.appendingPathComponent(path)
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    guard let text = try? String(contentsOf: url, encoding: .utf8),
      text.hasPrefix(DocumentPage.mark)
    else {
      throw UsageError("\(url.relativePath) is in the way: it was not written by this command")
    }
    return text
  }

  func write(_ changes: [Change]) throws {
    for change in changes {
      let url = folder.appendingPathComponent(change.path)
      do {
        guard let contents = change.contents else {
          try FileManager.default.removeItem(at: url)
          continue
        }
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(contents.utf8).write(to: url, options: .atomic)
      } catch {
        throw UsageError("cannot write '\(url.relativePath)': \(error.localizedDescription)")
      }
    }
  }
}
