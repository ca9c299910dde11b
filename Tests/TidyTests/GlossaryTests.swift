// The glossary agrees with the code and with the other documents.

import Foundation
import Testing

@Suite struct GlossaryTests {
  private struct Row {
    var line: Int
    /// The terms of the row: some have two or three names.
    var terms: [String]
    /// What stands in code font beside them.
    var spellings: [String]
    var meaning: String
    var other: String
  }

  private let rows: [Row]

  init() throws {
    let lines = try Repository.text("Docs/Glossary.md")
      .split(separator: "\n", omittingEmptySubsequences: false)
    rows = lines.enumerated().compactMap { number, line in
      guard line.hasPrefix("| "), !line.hasPrefix("| term |") else { return nil }
      let cells = line.dropFirst(2).dropLast(2)
        .components(separatedBy: " |").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 3 else {
        return Row(line: number + 1, terms: [], spellings: [], meaning: "", other: "")
      }
      let words = cells[0].replacing(#/`[^`]*`/#, with: "").replacing(#/ \([^)]*\)/#, with: "")
      return Row(
        line: number + 1,
        terms: words.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) },
        spellings: Self.code(in: cells[0]), meaning: cells[1], other: cells[2])
    }
  }

  private static func code(in text: String) -> [String] {
    text.matches(of: #/`([^`]+)`/#).map { String($0.output.1) }
  }

  /// The text of all sources but those of names that are deprecated.
  private static let sources: String = {
    let files = Repository.files(in: "Sources", withExtension: "swift")
      .filter { !$0.contains("/Former") }
    return (files.map { "Sources/\($0)" } + ["models/Catalogue.swift"])
      .compactMap { try? Repository.text($0) }.joined(separator: "\n")
  }()

  private static let declared: Set<String> = {
    let declaration =
      #/\b(?:struct|class|enum|actor|protocol|typealias|func|var|let|case)\s+(\w+)/#
    return Set(sources.matches(of: declaration).map { String($0.output.1) })
  }()

  @Test func rowsAreWhole() {
    #expect(rows.count > 120)
    for row in rows {
      #expect(!row.terms.isEmpty && !row.meaning.isEmpty, "Docs/Glossary.md:\(row.line)")
    }
  }

  @Test func termsAreInAlphabeticalOrder() {
    let keys = rows.map { row in
      row.terms.joined(separator: " ").lowercased().replacing("-", with: " ")
    }
    for (first, second) in zip(keys, keys.dropFirst()) {
      #expect(first < second, "'\(second)' stands behind '\(first)'")
    }
  }

  @Test func noTermIsThereTwice() {
    var lines: [String: Int] = [:]
    for row in rows {
      for name in Set(row.terms + row.spellings).sorted() {
        let former = lines.updateValue(row.line, forKey: name)
        #expect(former == nil, "'\(name)' is in lines \(former ?? 0) and \(row.line)")
      }
    }
  }

  /// What is in code font is a name in the code, and none that is deprecated.
  @Test func spellingsAreDeclared() {
    /// The kernel's, and names that are made up of others.
    let foreign: Set = ["rcu_barrier", "<name>/mmu", "Sources"]
    for row in rows {
      let names = row.spellings + Self.code(in: row.meaning) + Self.code(in: row.other)
      for name in names where !foreign.contains(name) {
        #expect(
          Self.declared.contains(name), "Docs/Glossary.md:\(row.line): nothing is called '\(name)'")
      }
    }
  }

  /// A type has the name of its term, so that whoever knows one finds the other.
  @Test func typesAreNamedAfterTheirTerms() {
    let exceptions: Set = ["Strategy", "Limits", "CheckError"]
    for row in rows {
      for name in row.spellings where name.first?.isUppercase == true {
        let letters = name.lowercased()
        let words = row.terms.flatMap { $0.lowercased().split { $0 == " " || $0 == "-" } }
        let isNamed = words.contains { word in
          letters.contains(word) || letters.contains(word.dropLast(1))
        }
        #expect(isNamed || exceptions.contains(name), "\(name): \(row.terms)")
      }
    }
  }

  /// A term that no other document and no comment uses is out of date.
  @Test func termsAreUsed() throws {
    let pages = Repository.files(in: "Docs", withExtension: "md").filter { $0 != "Glossary.md" }
    let prose = try pages.map { try Repository.text("Docs/\($0)") }.joined(separator: "\n")
    let comments = Self.sources.split(separator: "\n")
      .filter { $0.contains("//") }.map { $0.drop { $0 == " " || $0 == "/" } }
      .joined(separator: " ")
    let text = Self.folded(prose) + Self.folded(comments)
    for row in rows {
      for term in row.terms {
        #expect(
          text.contains(" \(Self.folded(term).trimmingCharacters(in: .whitespaces))"),
          "Docs/Glossary.md:\(row.line): nobody says '\(term)'")
      }
    }
  }

  /// Lower case, and one space for all that is no letter or digit.
  private static func folded(_ text: String) -> String {
    " " + text.lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: " ") + " "
  }

  /// The types that the library's documentation begins with have a term.
  @Test func typesOfTheLibraryAreTerms() throws {
    let page = try Repository.text("Sources/Gracewalk/Gracewalk.docc/Gracewalk.md")
    let topics = try #require(page.components(separatedBy: "## Topics").last)
    /// What only carries options or files of something that has a term.
    let carriers: Set = [
      "ScenarioChoice", "SearchChoice", "CheckOptions", "CheckSession", "StoredFile", "TraceFile",
      "WeakenedStep", "OperationsLinearise",
    ]
    let spellings = Set(rows.flatMap { $0.spellings + Self.code(in: $0.meaning) })
    let names = topics.matches(of: #/``([A-Z]\w*)``/#).map { String($0.output.1) }
    #expect(names.count > 25)
    for name in names where !carriers.contains(name) {
      #expect(spellings.contains(name), "\(name) has no row in Docs/Glossary.md")
    }
  }

  /// A heading of one or two words is a term, but for everyday ones.
  @Test func headingsAreTerms() throws {
    let everyday: Set = [
      "command", "control", "determinism", "file", "forgotten turn", "judging", "loop", "memory",
      "mistake", "one search", "parallel", "proof", "rule", "seam", "simplest counterexample",
      "slow", "trace file", "ugly",
      "wart", "without loop", "word", "wrong sided",
    ]
    var met: Set<String> = []
    let terms = Set(
      rows.flatMap(\.terms).map { Self.folded($0).trimmingCharacters(in: .whitespaces) })
    let pages =
      Repository.files(in: "Docs/Architecture", withExtension: "md").map { "Architecture/\($0)" }
      + ["Models.md", "Search.md", "Warts.md"]
    var asked = 0
    for page in pages {
      for line in try Repository.text("Docs/\(page)").split(separator: "\n")
      where line.hasPrefix("#") {
        let text = line.drop { $0 == "#" }.split { $0 == ":" || $0 == "," }[0]
        var words = Self.folded(String(text)).split(separator: " ")
        if let first = words.first, ["a", "an", "the"].contains(first) { words.removeFirst() }
        guard words.count <= 2 else { continue }
        asked += 1
        let heading = words.joined(separator: " ")
        let singular =
          heading.hasSuffix("ies")
          ? "\(heading.dropLast(3))y"
          : heading.hasSuffix("sses") || heading.hasSuffix("ches")
            ? String(heading.dropLast(2))
            : heading.hasSuffix("s") ? String(heading.dropLast()) : heading
        let isTerm = terms.contains { term in
          [heading, singular].contains { term == $0 || term.hasSuffix(" \($0)") }
        }
        if !isTerm { met.insert(singular) }
        #expect(
          isTerm || everyday.contains(singular),
          "'\(heading)', a heading in Docs/\(page), is not in Docs/Glossary.md")
      }
    }
    #expect(asked > 30)
    #expect(
      everyday.subtracting(met).isEmpty,
      "no heading, or a term: \(everyday.subtracting(met).sorted())")
  }
}
