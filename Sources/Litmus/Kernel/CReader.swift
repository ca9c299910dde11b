// The kernel's C dialect: processes, one function each.

import GracewalkSupport

enum CReader {
  private struct Function {
    var number: Int
    var parameters: [String]
    var body: TokenStream
    var line: Int
  }

  /// Reads all processes; what they take as parameters are words of memory.
  static func read(
    _ stream: inout TokenStream, _ test: inout TestBuilder
  ) throws(LitmusError) -> [ProcessBuilder] {
    var functions: [Function] = []
    while !stream.isAtEnd, !ConditionReader.begins(stream) {
      let function = try readFunction(&stream)
      guard !functions.contains(where: { $0.number == function.number }) else {
        throw LitmusError(function.line, "there is a P\(function.number) already")
      }
      functions.append(function)
    }
    // A word that one process names as a parameter may be meant by another without.
    for function in functions {
      for name in function.parameters { _ = try test.word(name, function.line) }
    }
    var processes: [ProcessBuilder] = []
    for function in functions {
      var body = try CBody(
        function.number, Set(function.parameters), function.body, test)
      try body.read()
      processes.append(body.process)
      test = body.test
    }
    return processes
  }

  private static func readFunction(
    _ stream: inout TokenStream
  ) throws(LitmusError) -> Function {
    _ = stream.takeIf(word: "static")
    _ = stream.takeIf(word: "void")
    let line = stream.line
    let name = try stream.expectWord("a process such as P0")
    guard name.hasPrefix("P"), let number = Int(name.dropFirst()), (0..<1_000).contains(number)
    else { throw LitmusError(line, "a process such as P0 expected, and not '\(name.excerpt(40))'") }
    var list = try stream.takeBlock("(", ")")
    var parameters: [String] = []
    var words: [String] = []
    while true {
      let token = list.take()
      if token.kind == .end || token.isSymbol(",") {
        if let name = words.last, name != "void" { parameters.append(name) }
        words = []
        if token.kind == .end { break }
      } else if let word = token.word {
        words.append(word)
      } else if !token.isSymbol("*") {
        throw LitmusError(token.line, "as a parameter \(token.text) is not supported")
      }
    }
    return Function(
      number: number, parameters: parameters, body: try stream.takeBlock("{", "}"), line: line)
  }
}

/// The body of a process while it is read.
struct CBody {
  var stream: TokenStream
  var test: TestBuilder
  var process: ProcessBuilder
  /// Names that stand for addresses of words.
  let parameters: Set<String>
  /// Branches that leave the loop that is being read, or go on with its next turn.
  var breaks: [Int]?
  var continues: [Int]?
  var returns: [Int] = []
  private var depth = 0

  init(
    _ number: Int, _ parameters: Set<String>, _ stream: TokenStream, _ test: TestBuilder
  ) throws(LitmusError) {
    self.stream = stream
    self.test = test
    process = ProcessBuilder(number: number)
    process.line = stream.line
    for (name, value) in test.registers[number] ?? [] {
      guard !parameters.contains(name) else {
        throw LitmusError(
          stream.line, "the initial state gives the parameter '\(name.excerpt(40))' a value")
      }
      process.setInitial(value, of: try process.register(name))
    }
    self.parameters = parameters
  }

  mutating func read() throws(LitmusError) {
    while !stream.isAtEnd { try readStatement() }
    for index in returns { process.patch(index) }
  }

  /// Parentheses and braces within each other.
  private static let depthMax = 100

  /// Refuses what is nested too deep for this process's own stack.
  mutating func enter() throws(LitmusError) {
    depth += 1
    guard depth <= Self.depthMax else {
      throw LitmusError(stream.line, "code is nested more than \(Self.depthMax) deep")
    }
  }

  mutating func leave() { depth -= 1 }

  mutating func emit(_ instruction: Instruction) throws(LitmusError) {
    try process.emit(instruction)
  }
}
