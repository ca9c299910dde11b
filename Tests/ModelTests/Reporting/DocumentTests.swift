// Generated pages: reproducible, computed, and never written over other files.

import Foundation
import GracewalkChecking
import GracewalkModels
import GracewalkReporting
import TestExpectations
import Testing

@Suite(.tags(.long), .unlessQuick) struct DocumentTests {
  // Small, but with every feature: hardware, a livelock, an open question, parameters.
  static let systems = Catalogue.systems.filter {
    ["memcache", "invalidation", "retry", "fault", "reverse-map"].contains($0.name)
  }

  private static let computed = Result { try computePages(jobs: 2) }

  /// The pages, from evidence that is computed once.
  static func pages() throws -> [DocumentPage] { try computed.get() }

  private static func computePages(jobs: Int) throws -> [DocumentPage] {
    let evidence = try Evidence.of(systems.flatMap(\.models), jobs: jobs).map { try $0.get() }
    return DocumentSet(systems, evidence).pages
  }

  private func withFolder<R>(_ body: (URL) throws -> R) throws -> R {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    return try body(url)
  }

  @Test func pagesAreTheSameForAnyNumberOfJobs() throws {
    #expect(try Self.pages() == Self.computePages(jobs: 1))
  }

  @Test func pagesShowTheFindings() throws {
    let pages = try Self.pages()
    func page(_ path: String) throws -> String {
      try #require(pages.first { $0.path == path }).text
    }
    let memcache = try page("Systems/memcache.md")
    #expect(memcache.contains("`shared-memcache` **holds**"))
    #expect(
      memcache.contains("Leave out the exchange that takes a page out of the cache, and"))
    #expect(
      memcache.contains(
        "`fault/take/load-and-store`, with a load and a store for the atomic update: "
          + "**necessary**"))
    #expect(
      try page("Systems/reverse-map.md").contains("**Not answered** under sequential consistency"))
    let linked = try page("Invariants/no-table-linked-twice.md")
    #expect(linked.contains("gracewalk replay shared-memcache-without-exchange"))
    #expect(try page("Invariants/progress.md").contains("repeat forever"))
    let questions = try page("Questions.md")
    for origin in Self.systems.flatMap(\.models).compactMap(\.origin) {
      #expect(questions.replacing("\\", with: "").contains("## \(origin.question)\n"))
    }
    #expect(!questions.contains("](../"))
  }

  /// Links between the pages lead somewhere.
  @Test func linksLeadToPages() throws {
    let pages = try Self.pages()
    let paths = Set(pages.map(\.path))
    for page in pages {
      let folder = page.path.split(separator: "/").dropLast().joined(separator: "/")
      for match in page.text.matches(of: /\]\(([^)]+\.md)\)/) {
        let target = String(match.output.1)
        let path =
          target.hasPrefix("../")
          ? String(target.dropFirst(3)) : folder.isEmpty ? target : "\(folder)/\(target)"
        #expect(paths.contains(path), "\(page.path) links to \(target)")
      }
    }
  }

  @Test func writingTwiceChangesNothing() throws {
    let pages = try Self.pages()
    try withFolder { url in
      let folder = DocumentFolder(url)
      let first = try folder.changes(for: pages)
      #expect(first.map(\.text) == pages.map { _ in "missing" })
      try folder.write(first)
      #expect(try folder.changes(for: pages).isEmpty)

      let some = url.appendingPathComponent(pages[0].path)
      try (pages[0].text + "typed in\n").write(to: some, atomically: true, encoding: .utf8)
      try (DocumentPage.mark + "\nold").write(
        to: url.appendingPathComponent("Systems/gone.md"), atomically: true, encoding: .utf8)
      try "mine".write(
        to: url.appendingPathComponent("Systems/notes.md"), atomically: true, encoding: .utf8)
      let changes = try folder.changes(for: pages)
      #expect(changes.map(\.path) == [pages[0].path, "Systems/gone.md"])
      #expect(changes.map(\.text) == ["out of date", "no longer a page"])
      try folder.write(changes)
      #expect(try folder.changes(for: pages).isEmpty)
      #expect(
        try String(contentsOf: url.appendingPathComponent("Systems/notes.md"), encoding: .utf8)
          == "mine")
    }
  }

  @Test func filesOfOthersAreNotReplaced() throws {
    let pages = try Self.pages()
    try withFolder { url in
      try "mine".write(
        to: url.appendingPathComponent("Questions.md"), atomically: true, encoding: .utf8)
      #expect(throws: DocumentError.inTheWay(path: "Questions.md")) {
        try DocumentFolder(url).changes(for: pages)
      }
    }
  }

  /// A model whose verdict is not the declared one gets no page.
  @Test func wrongDeclarationsAreFound() throws {
    let model = try #require(Catalogue.model(named: "shared-memcache-without-exchange"))
    let wrong = Model(
      name: model.name, summary: model.summary, scenario: model.scenarioText, expectation: .holds,
      build: model.build)
    #expect(throws: AblationError.self) { try Evidence(wrong) }
  }
}
