// Expressions of the kernel's C dialect.

import GracewalkSupport

extension CBody {
  mutating func readExpression() throws(LitmusError) -> Operand {
    try enter()
    defer { leave() }
    if let value = try readAssignment() { return value }
    let condition = try readBinary(0)
    guard stream.takeIf("?") else { return condition }
    let result = try process.temporary()
    let skip = try process.emit(.branch(ifZero: condition, to: 0))
    try emit(.compute(result, .copy, try readExpression()))
    let end = try process.emit(.jump(to: 0))
    process.patch(skip)
    try stream.expect(":")
    try emit(.compute(result, .copy, try readExpression()))
    process.patch(end)
    return .register(result)
  }

  // MARK: Assignments

  private static let assignments = ["=", "+=", "-=", "++", "--"]

  /// Reads an assignment to a variable, or to what a pointer leads to; nil if none begins here.
  private mutating func readAssignment() throws(LitmusError) -> Operand? {
    if stream.next.isSymbol("*") {
      // Whether it is one is known only behind what is written to.
      let (before, code) = (stream, process)
      stream.take()
      let address = try readUnary()
      if stream.next.isSymbol("++") || stream.next.isSymbol("--") {
        throw LitmusError(
          stream.line, "'*p++' changes the pointer: to change what it leads to, write '*p += 1'")
      }
      guard
        let value = try readNewValue({ body throws(LitmusError) in
          let old = try body.process.temporary()
          try body.emit(.load(old, at: address, .relaxed, isExclusive: false))
          return .register(old)
        })
      else {
        (stream, process) = (before, code)
        return nil
      }
      try emit(.store(value, at: address, .relaxed))
      return value
    }
    guard let name = stream.next.word,
      Self.assignments.contains(where: { stream.peek(1).isSymbol($0) })
    else { return nil }
    guard !parameters.contains(name), process.hasRegister(name) || !test.hasWord(name) else {
      throw LitmusError(stream.line, "'\(name.excerpt(40))' is shared: write to '*\(name)'")
    }
    stream.take()
    let register = try process.register(name)
    for (symbol, computation) in [("++", Computation.add), ("--", .subtract)]
    where stream.takeIf(symbol) {
      // Its value is the old one.
      let old = try process.compute(.copy, .register(register))
      try emit(.compute(register, .copy, try process.compute(computation, old, .constant(1))))
      return old
    }
    let value = try readNewValue { _ throws(LitmusError) in .register(register) }
    guard let value else { return nil }
    try emit(.compute(register, .copy, value))
    return .register(register)
  }

  /// Reads what is assigned; nil if nothing is.
  private mutating func readNewValue(
    _ old: (inout CBody) throws(LitmusError) -> Operand
  ) throws(LitmusError) -> Operand? {
    if stream.takeIf("=") { return try readExpression() }
    for (symbol, computation) in [("+=", Computation.add), ("-=", .subtract)]
    where stream.takeIf(symbol) {
      let before = try old(&self)
      return try process.compute(computation, before, try readExpression())
    }
    return nil
  }

  // MARK: Operators

  /// Operators by how tightly they bind, the loosest first.
  private static let operators: [[(symbol: String, computation: Computation, isSwapped: Bool)]] = [
    [("||", .or, false)], [("&&", .and, false)], [("|", .or, false)], [("^", .xor, false)],
    [("&", .and, false)], [("==", .equal, false), ("!=", .unequal, false)],
    [
      ("<", .less, false), (">", .less, true), ("<=", .lessOrEqual, false),
      (">=", .lessOrEqual, true),
    ],
    [("<<", .shiftLeft, false), (">>", .shiftRight, false)],
    [("+", .add, false), ("-", .subtract, false)],
    [("*", .multiply, false), ("/", .divide, false), ("%", .remainder, false)],
  ]

  private mutating func readBinary(_ level: Int) throws(LitmusError) -> Operand {
    guard level < Self.operators.count else { return try readUnary() }
    var left = try readBinary(level + 1)
    while let found = Self.operators[level].first(where: { stream.next.isSymbol($0.symbol) }) {
      stream.take()
      if level < 2 {
        left = try readLogical(left, isOr: level == 0, level + 1)
        continue
      }
      let right = try readBinary(level + 1)
      left =
        found.isSwapped
        ? try process.compute(found.computation, right, left)
        : try process.compute(found.computation, left, right)
    }
    return left
  }

  /// The right side is evaluated only if it matters, unless nobody could tell.
  private mutating func readLogical(
    _ left: Operand, isOr: Bool, _ level: Int
  ) throws(LitmusError) -> Operand {
    let branch: Instruction =
      isOr ? .branchUnless(zero: left, to: 0) : .branch(ifZero: left, to: 0)
    let skip = try process.emit(branch)
    let right = try readBinary(level)
    if process.removeBranch(skip) {
      let operands = (
        try process.compute(.unequal, left, .constant(0)),
        try process.compute(.unequal, right, .constant(0))
      )
      return try process.compute(isOr ? .or : .and, operands.0, operands.1)
    }
    let result = try process.temporary()
    try emit(.compute(result, .unequal, right, .constant(0)))
    let end = try process.emit(.jump(to: 0))
    process.patch(skip)
    try emit(.compute(result, .copy, .constant(isOr ? 1 : 0)))
    process.patch(end)
    return .register(result)
  }

  mutating func readUnary() throws(LitmusError) -> Operand {
    try enter()
    defer { leave() }
    if stream.takeIf("!") { return try process.compute(.isZero, try readUnary()) }
    if stream.takeIf("~") { return try process.compute(.complement, try readUnary()) }
    if stream.takeIf("-") { return try process.compute(.negate, try readUnary()) }
    if stream.takeIf("+") { return try readUnary() }
    if stream.takeIf("*") { return try load(try readUnary(), .relaxed) }
    if stream.takeIf("&") { return try readPlace() }
    guard stream.next.isSymbol("(") else { return try readPrimary() }
    let line = stream.take().line
    if stream.next.word.map(Self.types.contains) == true {
      while !stream.takeIf(")") {
        guard stream.next.word != nil || stream.next.isSymbol("*") else {
          throw LitmusError(line, "a cast to a type with \(stream.next.text) is not supported")
        }
        stream.take()
      }
      return try readUnary()
    }
    let value = try readExpression()
    try stream.expect(")")
    return value
  }

  mutating func load(
    _ address: Operand, _ order: AccessOrder
  ) throws(LitmusError) -> Operand {
    let result = try process.temporary()
    try emit(.load(result, at: address, order, isExclusive: false))
    return .register(result)
  }

  /// Reads what names a place in memory, such as `*x`; returns its address.
  mutating func readPlace() throws(LitmusError) -> Operand {
    try enter()
    defer { leave() }
    if stream.takeIf("*") { return try readUnary() }
    if stream.takeIf("(") {
      let address = try readPlace()
      try stream.expect(")")
      return address
    }
    let line = stream.line
    let name = try stream.expectWord("what is read or written")
    guard parameters.contains(name) || (test.hasWord(name) && !process.hasRegister(name)) else {
      throw LitmusError(line, "'\(name.excerpt(40))' is not shared")
    }
    return .constant(try test.address(name, line))
  }

  private mutating func readPrimary() throws(LitmusError) -> Operand {
    let token = stream.take()
    switch token.kind {
    case .number(let number): return .constant(number)
    case .word(let name):
      if stream.next.isSymbol("(") { return try readCall(of: name, token.line) }
      if ["->", "[", "."].contains(where: { stream.next.isSymbol($0) }) {
        throw LitmusError(token.line, "'\(name.excerpt(40))\(stream.next.source)' is not supported")
      }
      if name == "NULL" { return .constant(0) }
      let isShared = parameters.contains(name) || test.hasWord(name)
      if isShared, !process.hasRegister(name) {
        return .constant(try test.address(name, token.line))
      }
      return .register(try process.register(name))
    case .symbol, .end:
      throw LitmusError(token.line, "a value expected, and not \(token.text)")
    }
  }
}
