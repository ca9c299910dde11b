// Statements of the kernel's C dialect.

import GracewalkSupport

extension CBody {
  static let types: Set<String> = [
    "int", "long", "unsigned", "signed", "char", "short", "void", "volatile", "const", "struct",
    "union", "enum", "intptr_t", "uintptr_t", "int64_t", "uint64_t", "int32_t", "uint32_t",
    "atomic_t", "atomic64_t", "atomic_long_t", "spinlock_t", "bool", "u64", "u32", "s64", "s32",
    "size_t", "atomic_int", "raw_spinlock_t", "srcu_struct", "_Bool", "__rcu", "rwlock_t",
    "register", "static", "__iomem",
  ]

  private var beginsDeclaration: Bool {
    guard let word = stream.next.word else { return false }
    // Two names in a row are a type that is not known, and what has it.
    return Self.types.contains(word) || stream.peek(1).word != nil
  }

  mutating func readStatement() throws(LitmusError) {
    try enter()
    defer { leave() }
    process.line = stream.line
    if stream.takeIf(";") { return }
    if stream.next.isSymbol("{") { return try readBlock() }
    switch stream.next.word {
    case "if": return try readIf()
    case "while": return try readWhile()
    case "do": return try readDo()
    case "for": return try readFor()
    case "break": return try readBreak()
    case "continue": return try readContinue()
    case "return":
      stream.take()
      if !stream.next.isSymbol(";") { _ = try readExpression() }
      returns.append(try process.emit(.jump(to: 0)))
      return try stream.expect(";")
    case "goto", "switch", "asm":
      throw LitmusError(stream.line, "\(stream.next.text) is not supported")
    default: break
    }
    if beginsDeclaration {
      try readDeclaration()
    } else {
      _ = try readExpression()
    }
    try stream.expect(";")
  }

  private mutating func readBlock() throws(LitmusError) {
    try stream.expect("{")
    while !stream.takeIf("}") {
      guard !stream.isAtEnd else { throw LitmusError(stream.line, "'}' expected") }
      try readStatement()
    }
  }

  private mutating func readDeclaration() throws(LitmusError) {
    if stream.next.word.map(Self.types.contains) != true { stream.take() }
    skipType()
    while true {
      skipType()
      let line = stream.line
      let name = try stream.expectWord("a variable")
      guard !parameters.contains(name) else {
        throw LitmusError(line, "'\(name.excerpt(40))' is a parameter already")
      }
      let register = try process.register(name)
      if stream.takeIf("=") {
        try emit(.compute(register, .copy, try readExpression()))
      }
      guard stream.takeIf(",") else { return }
    }
  }

  /// Skips words of types and asterisks.
  private mutating func skipType() {
    while true {
      if stream.takeIf("*") { continue }
      guard let word = stream.next.word, Self.types.contains(word) else { return }
      stream.take()
      // A tag follows, unless it is the name of the type that is known anyway.
      if ["struct", "union", "enum"].contains(word),
        stream.peek(1).word != nil
          || stream.peek(1).isSymbol("*")
      {
        stream.take()
      }
    }
  }

  private mutating func readIf() throws(LitmusError) {
    stream.take()
    let condition = try readCondition()
    let skip = try process.emit(.branch(ifZero: condition, to: 0))
    try readStatement()
    guard stream.takeIf(word: "else") else { return process.patch(skip) }
    let end = try process.emit(.jump(to: 0))
    process.patch(skip)
    try readStatement()
    process.patch(end)
  }

  private mutating func readCondition() throws(LitmusError) -> Operand {
    try stream.expect("(")
    let condition = try readExpression()
    try stream.expect(")")
    return condition
  }

  // MARK: Loops

  /// Reads the body of a loop; its branches go on at places that are known afterwards.
  private mutating func readBody() throws(LitmusError) -> (breaks: [Int], continues: [Int]) {
    let outer = (breaks, continues)
    (breaks, continues) = ([], [])
    try readStatement()
    let own = (breaks ?? [], continues ?? [])
    (breaks, continues) = outer
    return own
  }

  private mutating func readWhile() throws(LitmusError) {
    stream.take()
    let start = process.here
    let leave = try process.emit(.branch(ifZero: try readCondition(), to: 0))
    let (breaks, continues) = try readBody()
    try emit(.jump(to: start))
    for index in continues { process.patch(index, to: start) }
    for index in breaks + [leave] { process.patch(index) }
  }

  private mutating func readDo() throws(LitmusError) {
    stream.take()
    let start = process.here
    let (breaks, continues) = try readBody()
    guard stream.takeIf(word: "while") else {
      throw LitmusError(stream.line, "'while' expected, and not \(stream.next.text)")
    }
    for index in continues { process.patch(index) }
    try emit(.branchUnless(zero: try readCondition(), to: start))
    for index in breaks { process.patch(index) }
    try stream.expect(";")
  }

  private mutating func readFor() throws(LitmusError) {
    stream.take()
    try stream.expect("(")
    if beginsDeclaration {
      try readDeclaration()
    } else if !stream.next.isSymbol(";") {
      _ = try readExpression()
    }
    try stream.expect(";")
    let start = process.here
    var leave: Int?
    if !stream.next.isSymbol(";") {
      leave = try process.emit(.branch(ifZero: try readExpression(), to: 0))
    }
    try stream.expect(";")
    // What is done after each turn stands before its body.
    var step = stream
    var depth = 0
    while depth > 0 || !stream.next.isSymbol(")") {
      guard !stream.isAtEnd else { throw LitmusError(stream.line, "')' expected") }
      let token = stream.take()
      if token.isSymbol("(") { depth += 1 }
      if token.isSymbol(")") { depth -= 1 }
    }
    try stream.expect(")")
    let (breaks, continues) = try readBody()
    for index in continues { process.patch(index) }
    if !step.next.isSymbol(")") {
      swap(&stream, &step)
      _ = try readExpression()
      try stream.expect(")")
      swap(&stream, &step)
    }
    try emit(.jump(to: start))
    for index in breaks { process.patch(index) }
    if let leave { process.patch(leave) }
  }

  private mutating func readBreak() throws(LitmusError) {
    let line = stream.take().line
    guard breaks != nil else { throw LitmusError(line, "'break' outside of a loop") }
    breaks?.append(try process.emit(.jump(to: 0)))
    try stream.expect(";")
  }

  private mutating func readContinue() throws(LitmusError) {
    let line = stream.take().line
    guard continues != nil else { throw LitmusError(line, "'continue' outside of a loop") }
    continues?.append(try process.emit(.jump(to: 0)))
    try stream.expect(";")
  }
}
