// The first lines of a litmus test: the dialect, the name, and what is said about the test.

import GracewalkSupport

/// Reads up to the brace that begins the initial state.
struct HeadingScanner {
  private let bytes: [UInt8]
  private(set) var index = 0
  private(set) var line = 1
  /// What a line such as `Variant=vmsa,ets2` says, in lower case.
  private(set) var variants: [String] = []

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func readHeading() throws(LitmusError) -> (Dialect, String) {
    skipBlank()
    let title = takeLine()
    let words = title.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
    let first = line
    guard let word = words.first.map(String.init) else {
      throw LitmusError(first, "the test is empty")
    }
    guard let dialect = Dialect(rawValue: word) else {
      throw LitmusError(
        first,
        "a test begins with C, X86, X86_64 or AArch64 and its name; '\(word.excerpt(20))' is not "
          + "read")
    }
    let name = words.dropFirst().first.map { String($0).trimmingSpaces.excerpt(200) } ?? ""
    try skipToState()
    return (dialect, name.isEmpty ? "unnamed" : name)
  }

  private func begins(with pair: String) -> Bool {
    zip(pair.utf8, index..<bytes.count).allSatisfy { $0 == bytes[$1] }
      && index + pair.utf8.count <= bytes.count
  }

  private mutating func step() {
    if bytes[index] == UInt8(ascii: "\n") { line += 1 }
    index += 1
  }

  /// Skips a comment if one begins here.
  private mutating func skipComment() -> Bool {
    let close: String
    if begins(with: "(*") {
      close = "*)"
    } else if begins(with: "/*") {
      close = "*/"
    } else {
      return false
    }
    while index < bytes.count, !begins(with: close) { step() }
    index = min(index + 2, bytes.count)
    return true
  }

  private mutating func skipBlank() {
    while index < bytes.count {
      if bytes[index] <= 0x20 {
        step()
      } else if !skipComment() {
        return
      }
    }
  }

  /// The rest of the line, without a comment in it; the line break is left.
  private mutating func takeLine() -> String {
    var title: [UInt8] = []
    while index < bytes.count, bytes[index] != UInt8(ascii: "\n") {
      if begins(with: "(*") || begins(with: "/*") || bytes[index] == UInt8(ascii: "{") { break }
      title.append(bytes[index] < 0x20 ? 0x20 : bytes[index])
      index += 1
    }
    return String(decoding: title, as: UTF8.self)
  }

  /// Skips what is said about the test: words in quotes, and lines such as `Orig=PodWW Rfe`.
  private mutating func skipToState() throws(LitmusError) {
    while index < bytes.count, bytes[index] != UInt8(ascii: "{") {
      if skipComment() { continue }
      if bytes[index] == UInt8(ascii: "\"") {
        index += 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") { step() }
        index = min(index + 1, bytes.count)
      } else if begins(with: "Variant=") {
        let text = takeLine().dropFirst("Variant=".count).lowercased()
        variants += text.split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init)
      } else {
        step()
      }
    }
    guard index < bytes.count else { throw LitmusError(line, "no initial state: '{' expected") }
  }
}

extension String {
  /// Without spaces at its ends.
  var trimmingSpaces: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
