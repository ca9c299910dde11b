// Reads types.

/// The types that are used: one object per integer width and per name.
struct IRTypes {
  let pointer = IRType.scalar(.pointer, bits: 64)
  let void = IRType.scalar(.void, bits: 0)
  private var integers: [Int: IRType] = [:]
  private var floats: [Int: IRType] = [:]
  private(set) var named: [String: IRType] = [:]

  mutating func integer(_ bits: Int) -> IRType {
    if let known = integers[bits] { return known }
    let type = IRType.scalar(.integer, bits: bits)
    integers[bits] = type
    return type
  }

  mutating func float(_ bits: Int) -> IRType {
    if let known = floats[bits] { return known }
    let type = IRType.scalar(.float, bits: bits)
    floats[bits] = type
    return type
  }

  mutating func type(named name: String) -> IRType {
    if let known = named[name] { return known }
    let type = IRType(.opaque)
    named[name] = type
    return type
  }
}

extension IRReader {
  /// Reads a type that values can have.
  func readType() throws(IRError) -> IRType {
    guard depth < Self.depthMax else { throw error("types nest too deeply") }
    depth += 1
    defer { depth -= 1 }
    let type = try readPlainType()
    // The type of a function, as calls of variadic functions have it.
    guard isAt("(") else { return type }
    skipParentheses()
    while accept("*") {}
    return type
  }

  private func readPlainType() throws(IRError) -> IRType {
    switch token.kind {
    case .register:
      let name = String(text)
      advance()
      return types.type(named: name)
    case .punctuation:
      if accept("[") { return try readArray(end: "]", .array) }
      if accept("<") {
        if isAt("{") { return try readStructure(isPacked: true) }
        return try readArray(end: ">", .vector)
      }
      if isAt("{") { return try readStructure(isPacked: false) }
      throw unexpected("a type")
    case .word:
      defer { advance() }
      let word = text
      if word.first == "i", let bits = Int(word.dropFirst()), bits > 0, bits <= 4_096 {
        return types.integer(bits)
      }
      if let type = keywordType(word) { return type }
      throw unexpected("a type")
    default: throw unexpected("a type")
    }
  }

  private func keywordType(_ word: Substring) -> IRType? {
    switch word {
    case "ptr":
      // The token after it is read by the caller; an address space changes nothing.
      return types.pointer
    case "void": return types.void
    case "half", "bfloat": return types.float(16)
    case "float": return types.float(32)
    case "double": return types.float(64)
    case "x86_fp80", "fp128", "ppc_fp128": return types.float(128)
    case "label": return IRType.scalar(.label, bits: 0)
    case "metadata": return IRType.scalar(.metadata, bits: 0)
    case "token", "x86_amx": return IRType(.token)
    case "opaque": return IRType(.opaque)
    default: return nil
    }
  }

  private func readArray(end: StaticString, _ kind: IRType.Kind) throws(IRError) -> IRType {
    if accept("vscale") { try expect("x") }
    let count = try expectInteger()
    guard count >= 0 else { throw error("an array has a negative size") }
    try expect("x")
    let element = try readType()
    skipAddressSpace()
    try expect(end)
    return IRType.array(of: element, count: count, kind: kind)
  }

  private func readStructure(isPacked: Bool) throws(IRError) -> IRType {
    try expect("{")
    var fields: [IRType] = []
    while !isAt("}") {
      fields.append(try readType())
      skipAddressSpace()
      guard accept(",") else { break }
    }
    try expect("}")
    if isPacked { try expect(">") }
    return IRType.structure(fields, isPacked: isPacked)
  }

  func skipAddressSpace() {
    if accept("addrspace") { skipParentheses() }
  }

  /// Reads the type of a value in a register or in memory, whose size is known.
  func readSizedType() throws(IRError) -> IRType {
    let type = try readType()
    skipAddressSpace()
    guard type.layOut() else { throw error("a type is too large, contains itself or is unknown") }
    return type
  }
}
