// Entries of the page table as tests write them: `PTE(x)` or `pte_x`, and `(oa:PA(y), valid:0)`.

import GracewalkSupport

extension TokenStream {
  private static let fields: Set<String> = [
    "oa", "valid", "af", "db", "dbm", "el0", "attrs", "xs", "pxn", "uxn",
  ]

  /// True if the fields of an entry follow, the first of which is in parentheses already open.
  func beginsEntry(behind distance: Int = 0) -> Bool {
    guard let field = peek(distance).word else { return false }
    return Self.fields.contains(field) && peek(distance + 1).isSymbol(":")
  }

  /// True if the name of an entry follows.
  var beginsEntryName: Bool {
    guard let word = next.word else { return false }
    return word == "PTE" && peek(1).isSymbol("(") || word.hasPrefix("pte_") && word.count > 4
  }

  /// Takes `PTE(x)` or `pte_x`, and returns `x`.
  mutating func takeEntryName() throws(LitmusError) -> String {
    let word = try expectWord("an entry")
    if word.hasPrefix("pte_") { return String(word.dropFirst(4)) }
    return try takeNameInParentheses()
  }

  /// The same, or with brackets around it; nil if something else follows, and nothing is taken.
  mutating func takeEntryNameIfAny() throws(LitmusError) -> String? {
    var ahead = self
    let isInBrackets = ahead.takeIf("[")
    guard ahead.beginsEntryName else { return nil }
    let name = try ahead.takeEntryName()
    if isInBrackets { try ahead.expect("]") }
    self = ahead
    return name
  }

  private mutating func takeNameInParentheses() throws(LitmusError) -> String {
    try expect("(")
    let name = try expectWord("a name")
    try expect(")")
    return name
  }

  /// Takes the fields of an entry, and the parenthesis behind them.
  ///
  /// - Parameter page: the page that it leads to unless it says so.
  mutating func takeEntry(
    _ test: inout TestBuilder, page: Int?
  ) throws(LitmusError) -> PageEntry {
    var page = page
    var isValid = true
    repeat {
      let line = line
      let field = try expectWord("a field of an entry")
      try expect(":")
      switch field {
      case "oa":
        let word = try expectWord("a page such as PA(x)")
        let name =
          if word == "PA" { try takeNameInParentheses() } else if word.hasPrefix("phy_") {
            String(word.dropFirst(4))
          } else { "" }
        guard !name.isEmpty else {
          throw LitmusError(line, "a page such as PA(x) expected, and not '\(word.excerpt(40))'")
        }
        page = try test.word(name, line)
      case "valid": isValid = try expectNumber("0 or 1") != 0
      default:
        guard ["af", "db", "el0"].contains(field), next.number == 1 else {
          throw LitmusError(
            line, "of an entry, oa and valid are supported, and not '\(field.excerpt(20))'")
        }
        take()
      }
    } while takeIf(",")
    try expect(")")
    guard let page else { throw LitmusError(line, "an entry here says where it leads: oa:PA(x)") }
    var entry = PageEntry(page: page)
    entry.isValid = isValid
    return entry
  }
}

extension TestBuilder {
  /// The number of the word that is a page's entry, which is added if it is new.
  mutating func entry(of name: String, _ line: Int) throws(LitmusError) -> Int {
    let page = try word(name, line)
    if let entry = words[page].entry { return entry }
    let entry = try word("PTE(\(name))", line)
    setEntry(entry, ofPage: page)
    return entry
  }
}
