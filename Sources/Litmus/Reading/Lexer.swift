// From the bytes of a litmus test to tokens: comments and the heading are left out here.

import GracewalkSupport

/// Takes a litmus test apart.
struct Lexer {
  private let bytes: [UInt8]
  private var index = 0
  private var line = 1
  private var beginsLine = true
  /// Braces that are open, and blocks that have begun: `(*` begins a comment in the first block,
  /// which is the initial state, and outside; in C it is code everywhere else.
  private var depth = 0
  private var blocks = 0

  let dialect: Dialect
  let name: String
  let variants: [String]

  /// Reads the heading, up to the initial state.
  init(_ text: String) throws(LitmusError) {
    bytes = Array(text.utf8)
    var scanner = HeadingScanner(bytes)
    (dialect, name) = try scanner.readHeading()
    variants = scanner.variants
    (index, line) = (scanner.index, scanner.line)
  }

  /// The lines of the test.
  var lastLine: Int { line }

  /// All tokens from the initial state on.
  mutating func tokens() throws(LitmusError) -> [Token] {
    var tokens: [Token] = []
    while let token = try next() { tokens.append(token) }
    return tokens
  }

  private func byte(_ distance: Int = 0) -> UInt8 {
    index + distance < bytes.count ? bytes[index + distance] : 0
  }

  private mutating func next() throws(LitmusError) -> Token? {
    while index < bytes.count {
      let byte = byte()
      if byte == UInt8(ascii: "\n") {
        line += 1
        index += 1
        beginsLine = true
      } else if byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0C {
        index += 1
      } else if try !skipComment() {
        return try token()
      }
    }
    return nil
  }

  private var isCode: Bool { dialect == .kernelC && depth > 0 && blocks > 1 }

  private mutating func skipComment() throws(LitmusError) -> Bool {
    let pair = (byte(), byte(1))
    let slash = UInt8(ascii: "/")
    let star = UInt8(ascii: "*")
    if pair == (slash, star) {
      try skip(to: star, slash)
    } else if pair == (UInt8(ascii: "("), star), !isCode {
      try skip(to: star, UInt8(ascii: ")"))
    } else if pair == (slash, slash) {
      while index < bytes.count, byte() != UInt8(ascii: "\n") { index += 1 }
    } else {
      return false
    }
    return true
  }

  private mutating func skip(to first: UInt8, _ second: UInt8) throws(LitmusError) {
    let start = line
    index += 2
    while index < bytes.count {
      if byte() == first, byte(1) == second {
        index += 2
        return
      }
      if byte() == UInt8(ascii: "\n") { line += 1 }
      index += 1
    }
    throw LitmusError(start, "a comment has no end")
  }

  private static let symbols = [
    "/\\", "\\/", "=>", "->", "++", "--", "+=", "-=", "&&", "||", "==", "!=", "<=", ">=", "<<",
    ">>",
  ]
  private static let signs = Set("+-*/%&|^~!<>=(){}[];,.:?$#@".utf8)

  private mutating func token() throws(LitmusError) -> Token {
    let start = index
    let first = byte()
    defer { beginsLine = false }
    if isDigit(first) {
      return Token(kind: .number(try number()), line: line, beginsLine: beginsLine)
    }
    if isLetter(first) {
      // Mnemonics of Arm have dots, and so have labels; C has none that would be read.
      let takesDots = dialect != .kernelC
      while isLetter(byte()) || isDigit(byte()) || (takesDots && byte() == UInt8(ascii: ".")) {
        index += 1
      }
      return Token(kind: .word(text(from: start)), line: line, beginsLine: beginsLine)
    }
    for symbol in Self.symbols where matches(symbol) {
      index += 2
      return Token(kind: .symbol(symbol), line: line, beginsLine: beginsLine)
    }
    guard Self.signs.contains(first) else {
      let character = String(decoding: bytes[index..<min(index + 4, bytes.count)], as: UTF8.self)
      throw LitmusError(line, "the character '\(character.prefix(1))' is not understood")
    }
    index += 1
    note(brace: first)
    return Token(kind: .symbol(text(from: start)), line: line, beginsLine: beginsLine)
  }

  private mutating func note(brace: UInt8) {
    if brace == UInt8(ascii: "{") {
      if depth == 0 { blocks += 1 }
      depth += 1
    } else if brace == UInt8(ascii: "}") {
      depth -= 1
    }
  }

  private func matches(_ symbol: String) -> Bool {
    // Columns of assembly are separated by single bars, and two of them may touch.
    if symbol == "||", dialect != .kernelC { return false }
    return zip(symbol.utf8, [byte(), byte(1)]).allSatisfy { $0 == $1 }
  }

  private mutating func number() throws(LitmusError) -> UInt64 {
    var radix = 10
    let start = index
    if byte() == UInt8(ascii: "0"), byte(1) | 0x20 == UInt8(ascii: "x") {
      radix = 16
      index += 2
    }
    let digits = index
    while isDigit(byte()) || (radix == 16 && isHexadecimal(byte())) { index += 1 }
    let value = UInt64(text(from: digits), radix: radix)
    while [UInt8(ascii: "u"), UInt8(ascii: "l")].contains(byte() | 0x20) { index += 1 }
    guard let value, !isLetter(byte()) else {
      while isLetter(byte()) || isDigit(byte()) { index += 1 }
      throw LitmusError(line, "'\(text(from: start).excerpt(40))' is no number of 64 bits")
    }
    return value
  }

  private func text(from start: Int) -> String {
    String(decoding: bytes[start..<index], as: UTF8.self)
  }
}

func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

private func isHexadecimal(_ byte: UInt8) -> Bool {
  byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "f")
}

func isLetter(_ byte: UInt8) -> Bool {
  byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z") || byte == UInt8(ascii: "_")
}
