// Reads calls.

extension IRReader {
  func readCall() throws(IRError) -> IRInstruction.Operation {
    if !isAt("call") { advance() }
    try expect("call")
    skipFlags()
    try skipConvention()
    let returns = try readType()
    skipAddressSpace()
    _ = returns.layOut()
    resultType = returns.kind == .void ? .none : returns
    let callee = try readCallee()
    try expect("(")
    var arguments: [IRArgument] = []
    while !isAt(")") {
      guard let argument = try readArgument() else {
        return .unsupported("an argument that is no scalar")
      }
      arguments.append(argument)
      guard accept(",") else { break }
    }
    try expect(")")
    return .call(callee, arguments, returns: returns)
  }

  /// Reads assembly that may jump, which is an error only when it is reached.
  func readJumpingCall() throws(IRError) -> IRInstruction.Operation {
    advance()
    skipFlags()
    try skipConvention()
    let returns = try readType()
    _ = returns.layOut()
    resultType = returns.kind == .void ? .none : returns
    while !isAt("to"), !token.startsLine, token.kind != .end { advance() }
    try expect("to")
    _ = try readBlock()
    try expect("[")
    while isAt("label") {
      _ = try readBlock()
      _ = accept(",")
    }
    try expect("]")
    return .unsupported("assembly that may jump")
  }

  private func readCallee() throws(IRError) -> IRCallee {
    if accept("asm") {
      while token.kind == .word { advance() }
      let template = String(decoding: unescaped(token), as: UTF8.self)
      advance()
      try expect(",")
      let constraints = String(decoding: unescaped(token), as: UTF8.self)
      advance()
      return .assembly(template: template, constraints: constraints)
    }
    if token.kind == .global {
      let number = symbol(String(text))
      advance()
      return .symbol(number)
    }
    let value = try readValue(types.pointer)
    if case .constant(.address(let number, 0)) = value { return .symbol(number) }
    return .value(value)
  }

  /// Nil for one that cannot be passed.
  private func readArgument() throws(IRError) -> IRArgument? {
    let type = try readType()
    skipAddressSpace()
    if type.kind == .metadata {
      var open = 0
      while token.kind != .end, open > 0 || !(isAt(",") || isAt(")")) {
        if isAt("(") { open += 1 }
        if isAt(")") { open -= 1 }
        advance()
      }
      return IRArgument(type: type, value: .constant(.zero), copied: nil)
    }
    guard type.layOut() else { throw error("the type of an argument is unknown") }
    let copied = try skipAttributes()
    return IRArgument(type: type, value: try readValue(type), copied: copied)
  }
}
