// What a test asks: `locations`, `filter`, and `exists`, `~exists` or `forall`.

import GracewalkSupport

/// Reads the end of a test.
struct ConditionReader {
  private var stream: TokenStream
  private var test: TestBuilder
  private var processes: [ProcessBuilder]
  private let register: (String) -> String?
  /// Whether names such as `pte_x` are those of entries.
  private let hasEntries: Bool
  private var condition = Condition()
  private var depth = 0
  private var size = 0

  /// Words with which the question begins.
  static func begins(_ stream: TokenStream) -> Bool {
    if let word = stream.next.word {
      return ["exists", "forall", "locations", "filter", "not"].contains(word)
    }
    return stream.next.isSymbol("~")
  }

  init(
    _ stream: TokenStream, _ test: TestBuilder, _ processes: [ProcessBuilder], hasEntries: Bool,
    register: @escaping (String) -> String?
  ) {
    self.hasEntries = hasEntries
    self.stream = stream
    self.test = test
    self.processes = processes
    self.register = register
  }

  /// Reads to the end of the test; words and registers that only the question names are added.
  mutating func read() throws(LitmusError) -> (Condition, TestBuilder, [ProcessBuilder]) {
    var isAsked = false
    while !stream.isAtEnd {
      if stream.takeIf(";") { continue }
      guard !isAsked else {
        throw LitmusError(stream.line, "\(stream.next.text) behind the condition")
      }
      if stream.takeIf(word: "locations") {
        try readLocations()
      } else if stream.takeIf(word: "filter") {
        condition.filter = try readImplication()
      } else {
        try readQuestion()
        isAsked = true
      }
    }
    if !isAsked {
      // Without a question it is about the final states alone.
      condition.text = "forall (true)"
    }
    return (condition, test, processes)
  }

  private mutating func readQuestion() throws(LitmusError) {
    let start = stream.position
    let isNegated = stream.takeIf("~") || stream.takeIf(word: "not")
    if stream.takeIf(word: "exists") {
      condition.quantifier = isNegated ? .notExists : .exists
    } else if !isNegated, stream.takeIf(word: "forall") {
      condition.quantifier = .forall
    } else {
      throw LitmusError(
        stream.line, "exists, ~exists or forall expected, and not \(stream.next.text)")
    }
    condition.proposition = try readImplication()
    condition.text = stream.text(from: start)
  }

  private mutating func readLocations() throws(LitmusError) {
    try stream.expect("[")
    while !stream.takeIf("]") {
      if stream.takeIf(";") { continue }
      _ = condition.number(of: try readObservable())
      guard stream.next.isSymbol(";") || stream.next.isSymbol("]") else {
        throw LitmusError(stream.line, "in locations \(stream.next.text) is not understood")
      }
    }
  }

  // MARK: Propositions

  private static let depthMax = 200
  /// Comparisons, and what is shown, in one test.
  private static let sizeMax = 1_000

  private mutating func count() throws(LitmusError) {
    size += 1
    guard size <= Self.sizeMax else {
      throw LitmusError(stream.line, "a question has more than \(Self.sizeMax) parts")
    }
  }

  private mutating func readImplication() throws(LitmusError) -> Proposition {
    depth += 1
    defer { depth -= 1 }
    guard depth < Self.depthMax else {
      throw LitmusError(stream.line, "a condition is nested more than \(Self.depthMax) deep")
    }
    var left = try readConjunction()
    while stream.takeIf("\\/") { left = .or(left, try readConjunction()) }
    return stream.takeIf("=>") ? .implies(left, try readImplication()) : left
  }

  private mutating func readConjunction() throws(LitmusError) -> Proposition {
    var left = try readAtom()
    while stream.takeIf("/\\") { left = .and(left, try readAtom()) }
    return left
  }

  private mutating func readAtom() throws(LitmusError) -> Proposition {
    try count()
    var negations = 0
    while stream.takeIf("~") || stream.takeIf(word: "not") { negations += 1 }
    let atom: Proposition
    if stream.takeIf("(") {
      atom = try readImplication()
      try stream.expect(")")
    } else if stream.takeIf(word: "true") {
      atom = .always
    } else if stream.takeIf(word: "false") {
      atom = .not(.always)
    } else if let fault = try readFault() {
      atom = fault
    } else {
      atom = try readComparison()
    }
    return negations % 2 == 0 ? atom : .not(atom)
  }

  private mutating func readComparison() throws(LitmusError) -> Proposition {
    let left = try readTerm(isLeft: true)
    let token = stream.take()
    let text = token.isSymbol("==") ? "=" : token.source
    guard case .symbol = token.kind, let relation = Relation(rawValue: text) else {
      throw LitmusError(token.line, "a comparison expected, and not \(token.text)")
    }
    return .compare(left, relation, try readTerm(isLeft: false))
  }

  /// A name alone is a word's value on the left, and its address on the right.
  private mutating func readTerm(isLeft: Bool) throws(LitmusError) -> Term {
    let isRegister = stream.peek(1).isSymbol(":")
    if hasEntries, !isLeft, let value = try readEntryValue() { return .constant(value) }
    switch stream.next.kind {
    case .number where !isRegister: return .constant(stream.take().number ?? 0)
    case .symbol("-"): return .constant(try stream.expectNumber("a number"))
    case .symbol("&"):
      stream.take()
      let line = stream.line
      return .constant(try test.address(try stream.expectWord("a name"), line))
    case .word("NULL"):
      stream.take()
      return .constant(0)
    case .word(let name) where !isLeft:
      let line = stream.take().line
      return .constant(try test.address(name, line))
    case .number, .word, .symbol, .end:
      return .observed(condition.number(of: try readObservable()))
    }
  }

  private mutating func readObservable() throws(LitmusError) -> Observable {
    try count()
    let line = stream.line
    while stream.takeIf("*") {}
    if hasEntries, let entry = try readEntryName() { return entry }
    if stream.takeIf("[") {
      let name = try stream.expectWord("a name")
      try stream.expect("]")
      return .word(try test.word(name, line), name: name)
    }
    if let name = stream.next.word, name.hasPrefix("P"), let number = UInt64(name.dropFirst()),
      stream.peek(1).isSymbol(":")
    {
      stream.take()
      stream.take()
      return try readRegister(of: try process(number, line), line)
    }
    if let name = stream.next.word {
      stream.take()
      if stream.next.isSymbol("(") || stream.next.isSymbol("[") {
        throw LitmusError(
          line,
          "in a condition '\(name.excerpt(40))\(stream.next.source)…' is not supported")
      }
      return .word(try test.word(name, line), name: name)
    }
    let number = try stream.expectNumber("a register or a word")
    try stream.expect(":")
    return try readRegister(of: try process(number, line), line)
  }

  private func process(_ number: UInt64, _ line: Int) throws(LitmusError) -> Int {
    guard let index = processes.firstIndex(where: { $0.process.number == Int(exactly: number) })
    else { throw LitmusError(line, "there is no P\(number)") }
    return index
  }

  private mutating func readRegister(
    of index: Int, _ line: Int
  ) throws(LitmusError) -> Observable {
    _ = stream.takeIf("%")
    let name = try stream.expectWord("a register")
    guard let register = register(name) else {
      throw LitmusError(line, "'\(name.excerpt(40))' is no register")
    }
    return .register(
      process: index, register: try processes[index].register(register), name: name)
  }
}

// MARK: Page tables

extension ConditionReader {
  /// Reads `fault(P1:L0, x)`; nil if something else follows.
  private mutating func readFault() throws(LitmusError) -> Proposition? {
    guard hasEntries, stream.next.isWord("fault") || stream.next.isWord("Fault"),
      stream.peek(1).isSymbol("(")
    else { return nil }
    let line = stream.line
    stream.take()
    stream.take()
    let name = try stream.expectWord("a process such as P0")
    guard name.hasPrefix("P"), let number = UInt64(name.dropFirst()) else {
      throw LitmusError(line, "a process such as P0 expected, and not '\(name.excerpt(20))'")
    }
    let index = try process(number, line)
    var label: String?
    if stream.takeIf(":") { label = try stream.expectWord("a label") }
    let instruction = label.flatMap { processes[index].process.labels[$0] }
    if let label, instruction == nil {
      throw LitmusError(line, "there is no label '\(label.excerpt(40))' in \(name)")
    }
    try stream.expect(",")
    let page = try stream.expectWord("a name")
    if stream.takeIf(",") { try skipKind(line) }
    try stream.expect(")")
    let observable = Observable.fault(
      process: index, label: label, instruction: instruction, page: try test.word(page, line),
      name: page)
    return .compare(.observed(condition.number(of: observable)), .equal, .constant(1))
  }

  /// `MMU:Translation`: there are no other faults.
  private mutating func skipKind(_ line: Int) throws(LitmusError) {
    guard stream.takeIf(word: "MMU"), stream.takeIf(":"), stream.takeIf(word: "Translation") else {
      throw LitmusError(line, "of faults, MMU:Translation is supported")
    }
  }

  /// Reads `PTE(x)`, `pte_x` and the same in brackets; nil if something else follows.
  private mutating func readEntryName() throws(LitmusError) -> Observable? {
    let line = stream.line
    guard let name = try stream.takeEntryNameIfAny() else { return nil }
    return .word(try test.entry(of: name, line), name: "PTE(\(name))")
  }

  /// Reads an entry, or the address of one; nil if something else follows.
  private mutating func readEntryValue() throws(LitmusError) -> UInt64? {
    if stream.beginsEntryName {
      let line = stream.line
      return LitmusTest.address(ofWord: try test.entry(of: try stream.takeEntryName(), line))
    }
    guard stream.next.isSymbol("("), stream.beginsEntry(behind: 1) else { return nil }
    stream.take()
    return try stream.takeEntry(&test, page: nil).bits
  }
}

extension Token {
  var number: UInt64? {
    if case .number(let number) = kind { number } else { nil }
  }
}
