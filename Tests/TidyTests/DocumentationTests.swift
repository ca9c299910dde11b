// The statements of hand-written documents about files are true.

import Foundation
import Testing

@Suite struct DocumentationTests {
  private static var pages: [String] {
    ["README.md"] + Repository.files(in: "Docs", withExtension: "md").map { "Docs/\($0)" }
  }

  /// What a document shows of a model is the example that is built and run.
  @Test(arguments: [
    ("README.md", "InstallRace/Sources/InstallRace/InstallRace.swift"),
    ("Docs/Tutorial.md", "LateFlush/Sources/LateFlush/LateFlush.swift"),
  ])
  func theModelIsTheExample(page: String, file: String) throws {
    let example = try Repository.text("Docs/Examples/\(file)")
    let shown = try #require(
      try Repository.text(page).components(separatedBy: "```swift\n").dropFirst().first)
    let code = try #require(shown.components(separatedBy: "```").first)
    let wanted = page == "README.md" ? example.replacing("public let", with: "let") : example
    #expect(wanted.hasSuffix(code))
  }

  /// The pages that the tool writes name no line: a comment that is added to a model dates none.
  @Test func writtenPagesNameNoLine() throws {
    for page in Self.pages {
      let text = try Repository.text(page)
      guard text.hasPrefix("<!-- Written by gracewalk document.") else { continue }
      #expect(!text.contains(/\.swift:[0-9]/), "\(page)")
    }
  }

  /// Links between pages, their headings included, lead somewhere.
  @Test func linksLeadSomewhere() throws {
    let link = /\]\((?<target>[^)\s]+)\)/
    for page in Self.pages {
      let folder = Repository.root.appendingPathComponent(page).deletingLastPathComponent()
      for match in try Repository.text(page).matches(of: link) {
        let target = String(match.target)
        if target.contains("://") { continue }
        let parts = target.components(separatedBy: "#")
        let place =
          parts[0].isEmpty
          ? Repository.root.appendingPathComponent(page) : folder.appendingPathComponent(parts[0])
        let exists = FileManager.default.fileExists(atPath: place.standardizedFileURL.path)
        #expect(exists, "\(page) links to \(target)")
        guard exists, parts.count > 1 else { continue }
        let headings = try String(contentsOf: place.standardizedFileURL, encoding: .utf8)
          .split(separator: "\n").filter { $0.hasPrefix("#") }.map(Self.anchor)
        #expect(headings.contains(parts[1]), "\(page) links to \(target)")
      }
    }
  }

  /// The anchor of a heading: lower case, hyphens for spaces, and nothing else.
  private static func anchor(_ heading: Substring) -> String {
    heading.drop { $0 == "#" || $0 == " " }.lowercased()
      .filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }
      .replacing(" ", with: "-")
  }
}
