// Tokens of LLVM IR's text.

/// One token: its kind, and where its text is.
struct IRToken: BitwiseCopyable {
  enum Kind: BitwiseCopyable {
    /// A keyword, a type or an opcode.
    case word
    /// A number, with its sign.
    case number
    /// `name:` at the start of a block.
    case label
    /// `%name`, `@name`, `!name`, `#name`, `$name`; the text is without the first character.
    case register, global, metadata, attribute, comdat
    case string
    /// `c"…"`.
    case bytes
    case punctuation
    case end
  }

  var kind: Kind
  var start: Int
  var end: Int
  var line: Int32
  /// True for the first token of a line.
  var startsLine: Bool
}

/// Splits bytes into tokens.
struct IRLexer {
  let bytes: [UInt8]
  private(set) var position = 0
  private(set) var line: Int32 = 1

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private func at(_ index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x24, 0x2B, 0x2D, 0x2E, 0x5F: true
    default: false
    }
  }

  /// The next token; the last one is of kind `end`.
  mutating func next() -> IRToken {
    let starts = skipSpace()
    let start = position
    let first = at(position)
    guard position < bytes.count else { return token(.end, start, starts) }
    switch first {
    case 0x25, 0x40, 0x24: return named(first, starts)
    case 0x21: return metadata(starts)
    case 0x23:
      position += 1
      skipWord()
      return token(.attribute, start + 1, starts)
    case 0x22:
      let (from, to, beginning) = string()
      if at(position) == 0x3A {
        position += 1
        return token(.label, from, starts, end: to, line: beginning)
      }
      return token(.string, from, starts, end: to, line: beginning)
    case 0x63 where at(position + 1) == 0x22:
      position += 1
      let (from, to, beginning) = string()
      return token(.bytes, from, starts, end: to, line: beginning)
    default: break
    }
    guard Self.isWord(first), first != 0x2E || Self.isWord(at(position + 1)) else {
      position += 1
      return token(.punctuation, start, starts)
    }
    skipWord()
    let end = position
    if at(position) == 0x3A, starts {
      position += 1
      return token(.label, start, starts, end: end)
    }
    let isNumber = (0x30...0x39).contains(first) || first == 0x2D || first == 0x2B
    return token(isNumber ? .number : .word, start, starts)
  }

  private func token(
    _ kind: IRToken.Kind, _ start: Int, _ starts: Bool, end: Int? = nil, line: Int32? = nil
  ) -> IRToken {
    IRToken(
      kind: kind, start: start, end: end ?? position, line: line ?? self.line, startsLine: starts)
  }

  /// Skips spaces and comments; true if a line has begun.
  private mutating func skipSpace() -> Bool {
    var starts = position == 0
    while position < bytes.count {
      switch bytes[position] {
      case 0x0A:
        line += 1
        starts = true
        position += 1
      case 0x20, 0x09, 0x0D: position += 1
      case 0x3B: while position < bytes.count, bytes[position] != 0x0A { position += 1 }
      default: return starts
      }
    }
    return starts
  }

  /// Skips the rest of a line.
  mutating func skipLine(from token: IRToken) {
    // A string may have crossed lines.
    guard token.line == line else { return }
    while position < bytes.count, bytes[position] != 0x0A { position += 1 }
  }

  private mutating func skipWord() {
    while position < bytes.count, Self.isWord(bytes[position]) { position += 1 }
  }

  private mutating func named(_ first: UInt8, _ starts: Bool) -> IRToken {
    let kind: IRToken.Kind = first == 0x25 ? .register : first == 0x40 ? .global : .comdat
    position += 1
    if at(position) == 0x22 {
      let (from, to, beginning) = string()
      return token(kind, from, starts, end: to, line: beginning)
    }
    let start = position
    skipWord()
    return token(kind, start, starts)
  }

  private mutating func metadata(_ starts: Bool) -> IRToken {
    let start = position
    position += 1
    let from = position
    // Names of metadata may contain backslashes.
    while position < bytes.count, Self.isWord(bytes[position]) || bytes[position] == 0x5C {
      position += 1
    }
    if position == from { return token(.punctuation, start, starts) }
    return token(.metadata, from, starts)
  }

  /// The range of a string's contents, and the line in which it begins.
  private mutating func string() -> (Int, Int, Int32) {
    let beginning = line
    position += 1
    let start = position
    while position < bytes.count, bytes[position] != 0x22 {
      if bytes[position] == 0x0A { line += 1 }
      position += 1
    }
    let end = position
    if position < bytes.count { position += 1 }
    return (start, end, beginning)
  }
}
