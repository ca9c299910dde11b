// The words of a litmus test, each with its line.

import GracewalkSupport

/// A piece of a litmus test's text.
struct Token: Equatable {
  enum Kind: Equatable {
    case word(String)
    case number(UInt64)
    case symbol(String)
    /// Behind the last one.
    case end
  }

  var kind: Kind
  var line: Int
  /// True if it is the first of its line.
  var beginsLine = false

  func isSymbol(_ text: String) -> Bool { kind == .symbol(text) }
  func isWord(_ text: String) -> Bool { kind == .word(text) }

  /// The word; nil if it is something else.
  var word: String? {
    if case .word(let word) = kind { word } else { nil }
  }

  /// As messages show it.
  var text: String {
    switch kind {
    case .word(let word): "'\(word.excerpt(40))'"
    case .number(let number): "'\(number)'"
    case .symbol(let symbol): "'\(symbol)'"
    case .end: "the end of the test"
    }
  }

  /// As it is written.
  var source: String {
    switch kind {
    case .word(let word): word
    case .number(let number): String(number)
    case .symbol(let symbol): symbol
    case .end: ""
    }
  }
}

/// Tokens, and how far they have been read.
struct TokenStream {
  private(set) var tokens: [Token]
  private(set) var position = 0
  private let end: Token

  /// The last token is the end, whose line messages about what is missing name.
  init(_ tokens: [Token], endLine: Int) {
    self.tokens = tokens
    end = Token(kind: .end, line: endLine)
  }

  var next: Token { peek(0) }
  var line: Int { next.line }
  var isAtEnd: Bool { position >= tokens.count }

  func peek(_ distance: Int) -> Token {
    let index = position + distance
    return index < tokens.count ? tokens[index] : end
  }

  @discardableResult
  mutating func take() -> Token {
    let token = next
    if position < tokens.count { position += 1 }
    return token
  }

  /// Takes a symbol if it is the next token.
  mutating func takeIf(_ symbol: String) -> Bool {
    guard next.isSymbol(symbol) else { return false }
    position += 1
    return true
  }

  mutating func takeIf(word: String) -> Bool {
    guard next.isWord(word) else { return false }
    position += 1
    return true
  }

  mutating func expect(_ symbol: String) throws(LitmusError) {
    guard takeIf(symbol) else {
      throw LitmusError(line, "'\(symbol)' expected, and not \(next.text)")
    }
  }

  mutating func expectWord(_ what: String) throws(LitmusError) -> String {
    guard let word = next.word else {
      throw LitmusError(line, "\(what) expected, and not \(next.text)")
    }
    position += 1
    return word
  }

  mutating func expectNumber(_ what: String) throws(LitmusError) -> UInt64 {
    let isNegative = takeIf("-")
    guard case .number(let number) = next.kind else {
      throw LitmusError(line, "\(what) expected, and not \(next.text)")
    }
    position += 1
    return isNegative ? 0 &- number : number
  }

  /// Takes the tokens up to the symbol that closes what the next one opens, both included.
  mutating func takeBlock(_ open: String, _ close: String) throws(LitmusError) -> TokenStream {
    let first = line
    try expect(open)
    let start = position
    var depth = 1
    while !isAtEnd {
      let token = take()
      if token.isSymbol(open) { depth += 1 }
      if token.isSymbol(close) {
        depth -= 1
        if depth == 0 {
          return TokenStream(Array(tokens[start..<(position - 1)]), endLine: token.line)
        }
      }
    }
    throw LitmusError(first, "'\(open)' has no '\(close)'")
  }

  /// The text of the tokens from a position on, on one line.
  func text(from start: Int) -> String {
    var text = ""
    for token in tokens[min(start, position)..<position] {
      let isTight =
        text.isEmpty || text.hasSuffix("(") || text.hasSuffix("[") || text.hasSuffix(":")
        || text.hasSuffix("=") || text.hasSuffix("-") || text.hasSuffix("&")
        || text.hasSuffix("~") || text.hasSuffix("*") || text.hasSuffix("<")
        || text.hasSuffix(">") || text.hasSuffix("%")
        || [")", "]", ":", "=", "!=", "<", ">", "<=", ">=", "=="].contains(token.source)
      text += (isTight ? "" : " ") + token.source
    }
    return text.printable
  }
}
