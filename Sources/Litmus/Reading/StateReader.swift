// The initial state of a test, between its first braces.

import GracewalkSupport

/// Reads `int x = 1; 0:r1 = x; atomic_t v = ATOMIC_INIT(2);` and the like.
struct StateReader {
  private var stream: TokenStream
  /// The name under which a dialect knows a register; nil if it is none.
  private let register: (String) -> String?
  /// Whether names such as `pte_x` are those of entries.
  private let hasEntries: Bool
  /// Variants of the test that say that code goes on after a fault.
  private let unsupported: [String]

  init(
    _ stream: TokenStream, hasEntries: Bool = false, variants: [String] = [],
    register: @escaping (String) -> String?
  ) {
    unsupported = variants.filter { ["handled", "imprecise", "skip", "faulttonext"].contains($0) }
    self.stream = stream
    self.hasEntries = hasEntries
    self.register = register
  }

  mutating func read(into test: inout TestBuilder) throws(LitmusError) {
    while !stream.isAtEnd {
      if stream.takeIf(";") { continue }
      try readItem(into: &test)
    }
  }

  private mutating func readItem(into test: inout TestBuilder) throws(LitmusError) {
    let line = stream.line
    if hasEntries, try readEntry(into: &test) { return }
    var left: [Token] = []
    while !stream.isAtEnd, !stream.next.isSymbol(";"), !stream.next.isSymbol("=") {
      if stream.next.beginsLine, stream.line != line, !left.isEmpty { break }
      left.append(stream.take())
    }
    if let colon = left.firstIndex(where: { $0.isSymbol(":") }) {
      return try readRegister(left, colon, line, into: &test)
    }
    if left.contains(where: { $0.isSymbol("(") }) || isArray(left) {
      throw LitmusError(line, "in the initial state '\(text(left))' is not supported")
    }
    let names = left.compactMap(\.word)
    let isPlain = left.allSatisfy {
      $0.word != nil || ["*", "[", "]"].contains($0.source)
    }
    guard isPlain, let name = names.last else {
      throw LitmusError(line, "in the initial state '\(text(left))' is not understood")
    }
    let word = try test.word(name, line)
    if stream.takeIf("=") { test.setInitial(try readValue(&test), ofWord: word) }
  }

  /// Reads `[PTE(x)] = (oa:PA(y))` and the like; false if something else follows.
  private mutating func readEntry(into test: inout TestBuilder) throws(LitmusError) -> Bool {
    let line = stream.line
    guard let name = try stream.takeEntryNameIfAny() else { return false }
    let page = try test.word(name, line)
    let entry = try test.entry(of: name, line)
    if let variant = unsupported.first {
      throw LitmusError(
        line,
        "'Variant=\(variant)' is not supported: a fault ends its process, or goes on in its "
          + "handler")
    }
    guard stream.takeIf("=") else { return true }
    try stream.expect("(")
    test.setInitial(try stream.takeEntry(&test, page: page).bits, ofWord: entry)
    return true
  }

  private func text(_ tokens: [Token]) -> String {
    tokens.map(\.source).joined(separator: " ").excerpt(60)
  }

  /// True for `a[2]` and `a[]`, and false for `[x]`.
  private func isArray(_ tokens: [Token]) -> Bool {
    zip(tokens, tokens.dropFirst()).contains { bracket, inside in
      bracket.isSymbol("[") && (inside.number != nil || inside.isSymbol("]"))
    }
  }

  /// What a register of a process holds at the start.
  private mutating func readRegister(
    _ left: [Token], _ colon: Int, _ line: Int, into test: inout TestBuilder
  ) throws(LitmusError) {
    let names = left[(colon + 1)...].compactMap(\.word)
    guard colon > 0, case .number(let process) = left[colon - 1].kind, process < 1_000,
      let name = names.first, names.count == 1, left[(colon + 1)...].dropFirst(2).isEmpty
    else {
      throw LitmusError(line, "in the initial state '\(text(left))' is not understood")
    }
    guard let register = register(name) else {
      throw LitmusError(line, "'\(name.excerpt(40))' is no register")
    }
    guard stream.takeIf("=") else { return }
    test.setInitial(try readValue(&test), of: register, in: Int(process))
  }

  private mutating func readValue(
    _ test: inout TestBuilder, depth: Int = 0
  ) throws(LitmusError) -> UInt64 {
    let line = stream.line
    guard depth < 20 else { throw LitmusError(line, "an initial value is nested too deep") }
    if hasEntries, stream.beginsEntryName {
      return LitmusTest.address(ofWord: try test.entry(of: try stream.takeEntryName(), line))
    }
    if hasEntries, stream.next.isSymbol("("), stream.beginsEntry(behind: 1) {
      stream.take()
      return try stream.takeEntry(&test, page: nil).bits
    }
    if stream.takeIf("(") {
      let value = try readValue(&test, depth: depth + 1)
      try stream.expect(")")
      return value
    }
    if stream.takeIf("&") { return try readValue(&test, depth: depth + 1) }
    if stream.next.isSymbol("-") { return try stream.expectNumber("a number") }
    switch stream.take().kind {
    case .number(let number): return number
    case .word("NULL"): return 0
    case .word("ATOMIC_INIT"):
      try stream.expect("(")
      let value = try readValue(&test, depth: depth + 1)
      try stream.expect(")")
      return value
    case .word(let name):
      guard isAtEndOfItem || stream.next.isSymbol(")") else {
        throw LitmusError(line, "as an initial value '\(name.excerpt(40))…' is not supported")
      }
      return try test.address(name, line)
    case .symbol(let symbol):
      throw LitmusError(line, "as an initial value '\(symbol)…' is not supported")
    case .end: throw LitmusError(line, "an initial value expected")
    }
  }

  private var isAtEndOfItem: Bool {
    stream.isAtEnd || stream.next.isSymbol(";") || stream.next.beginsLine
  }
}
