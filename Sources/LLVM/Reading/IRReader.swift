// Reads a file of LLVM IR: its types, globals, functions and places.

import GracewalkSupport

/// Reads the text of one module.
///
/// What is not known is an error with its file and line. Instructions that cannot be interpreted,
/// such as those of vectors, are errors only when they are reached: a header may define functions
/// that a program never calls.
package final class IRReader {
  let module: IRModule
  var lexer: IRLexer
  /// The token to be read next.
  var token: IRToken
  var types = IRTypes()
  var symbolNumbers: [String: Int] = [:]
  /// The function being read.
  var scope = IRFunctionScope()
  var debug = IRDebugRecords()
  /// The type of the result of the instruction being read, or nil.
  var resultType: IRType?
  /// How deep constants and types may nest.
  var depth = 0
  static let depthMax = 200

  private init(_ bytes: [UInt8], file: String) {
    module = IRModule(file: file)
    lexer = IRLexer(bytes)
    token = lexer.next()
  }

  /// Reads a file's bytes.
  package static func read(_ bytes: [UInt8], file: String) throws(IRError) -> IRModule {
    let reader = IRReader(bytes, file: file)
    try reader.readAll()
    return reader.module
  }

  // MARK: Tokens

  func advance() { token = lexer.next() }

  func text(_ token: IRToken) -> Substring {
    Substring(
      String(decoding: lexer.bytes[token.start..<max(token.start, token.end)], as: UTF8.self))
  }

  var text: Substring { text(token) }

  func error(_ message: String, line: Int32? = nil) -> IRError {
    IRError(file: module.file, line: Int(line ?? token.line), message.printable)
  }

  func unexpected(_ wanted: String) -> IRError {
    let found = token.kind == .end ? "the end of the file" : "'\(text.prefix(60))'"
    return error("\(wanted) is expected, and \(found) found")
  }

  /// True if the next token is a word or a punctuation mark with this text.
  func isAt(_ expected: StaticString) -> Bool {
    guard token.kind == .word || token.kind == .punctuation || token.kind == .metadata,
      token.end - token.start == expected.utf8CodeUnitCount
    else { return false }
    return lexer.bytes.withUnsafeBufferPointer { bytes in
      for index in 0..<expected.utf8CodeUnitCount
      where bytes[token.start + index] != expected.utf8Start[index] {
        return false
      }
      return true
    }
  }

  /// Skips the token if it has this text.
  func accept(_ expected: StaticString) -> Bool {
    guard isAt(expected) else { return false }
    advance()
    return true
  }

  func expect(_ expected: StaticString) throws(IRError) {
    guard accept(expected) else { throw unexpected("'\(expected)'") }
  }

  func expectInteger() throws(IRError) -> Int {
    guard token.kind == .number, let value = Int(text) else { throw unexpected("a number") }
    advance()
    return value
  }

  /// Skips to the first token of the next line.
  func skipLine() {
    lexer.skipLine(from: token)
    advance()
    while token.kind != .end, !token.startsLine { advance() }
  }

  /// Skips a balanced `(…)`, if there is one.
  func skipParentheses() {
    guard isAt("(") else { return }
    var open = 0
    repeat {
      if isAt("(") { open += 1 }
      if isAt(")") { open -= 1 }
      advance()
    } while open > 0 && token.kind != .end
  }

  /// The contents of a string, with its escapes replaced.
  func unescaped(_ token: IRToken) -> [UInt8] {
    var result: [UInt8] = []
    var index = token.start
    while index < token.end {
      let byte = lexer.bytes[index]
      if byte == 0x5C, index + 1 < token.end, lexer.bytes[index + 1] == 0x5C {
        result.append(byte)
        index += 2
      } else if byte == 0x5C, index + 2 < token.end,
        let value = UInt8(
          String(decoding: lexer.bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
      {
        result.append(value)
        index += 3
      } else {
        result.append(byte)
        index += 1
      }
    }
    return result
  }

  func symbol(_ name: String) -> Int {
    if let known = symbolNumbers[name] { return known }
    symbolNumbers[name] = module.symbols.count
    module.symbols.append(name)
    return module.symbols.count - 1
  }

  // MARK: Entities

  private func readAll() throws(IRError) {
    while token.kind != .end { try readEntity() }
    for (name, type) in types.named {
      guard type.layOut() else { throw error("type %\(name) is too large, or contains itself") }
    }
    debug.resolve(into: module)
    for function in module.functions {
      for block in function.blocks.indices {
        for index in function.blocks[block].instructions.indices {
          let record = function.blocks[block].instructions[index].place
          function.blocks[block].instructions[index].place = debug.place(of: record)
        }
      }
    }
  }

  private func readEntity() throws(IRError) {
    switch token.kind {
    case .global: try readGlobal()
    case .register: try readNamedType()
    case .metadata: try readMetadata()
    case .attribute, .comdat: skipLine()
    case .word:
      if isAt("target") { return try readTarget() }
      if isAt("define") || isAt("declare") { return try readFunction() }
      for known: StaticString in ["source_filename", "attributes", "module", "uselistorder"]
      where isAt(known) {
        return skipLine()
      }
      throw unexpected("a global, a function or a type")
    default: throw unexpected("a global, a function or a type")
    }
  }

  private func readTarget() throws(IRError) {
    advance()
    let isLayout = isAt("datalayout")
    advance()
    try expect("=")
    guard token.kind == .string else { throw unexpected("a string") }
    if isLayout {
      let parts = text.split(separator: "-")
      if parts.first == "E" {
        throw error("only little-endian targets are supported")
      }
      if let pointer = parts.first(where: { $0.hasPrefix("p:") }), !pointer.hasPrefix("p:64") {
        throw error("only targets with pointers of 64 bits are supported")
      }
    } else {
      module.target = String(text)
    }
    advance()
  }

  private func readNamedType() throws(IRError) {
    let name = String(text)
    advance()
    try expect("=")
    try expect("type")
    if accept("opaque") { return }
    let definition = try readType()
    types.type(named: name).define(as: definition)
  }
}
