// Reads constants, and folds expressions of them.

extension IRReader {
  /// Reads a constant of a type.
  func readConstant(_ type: IRType) throws(IRError) -> IRConstant {
    guard depth < Self.depthMax else { throw error("constants nest too deeply") }
    depth += 1
    defer { depth -= 1 }
    switch token.kind {
    case .number: return try readNumber(type)
    case .global:
      let number = symbol(String(text))
      advance()
      return .address(symbol: number, offset: 0)
    case .bytes:
      let bytes = unescaped(token)
      advance()
      return .bytes(bytes)
    case .punctuation: return try readAggregate()
    case .word: return try readNamedConstant(type)
    default: throw unexpected("a constant")
    }
  }

  private func readNumber(_ type: IRType) throws(IRError) -> IRConstant {
    let word = text
    defer { advance() }
    if type.kind == .float {
      if word.hasPrefix("0x") {
        let digits = word.dropFirst(2).drop { !$0.isHexDigit }
        guard type.bits <= 64, let bits = UInt64(digits, radix: 16) else { return .undefined }
        return .integer(floatBits(Double(bitPattern: bits), type))
      }
      guard let value = Double(word) else { throw unexpected("a number") }
      return .integer(floatBits(value, type))
    }
    if let value = Int64(word) { return .integer(UInt64(bitPattern: value) & mask(type.bits)) }
    if let value = UInt64(word) { return .integer(value & mask(type.bits)) }
    // A constant of more than 64 bits: its lowest and highest halves.
    guard type.bits > 64, word.allSatisfy({ $0.isNumber || $0 == "-" }), word.utf8.count < 50 else {
      throw unexpected("a number of \(type.bits) bits")
    }
    return wide(word)
  }

  private func wide(_ word: Substring) -> IRConstant {
    var (low, high): (UInt64, UInt64) = (0, 0)
    for digit in word.utf8 where digit != 0x2D {
      let product = low.multipliedFullWidth(by: 10)
      let (sum, carries) = product.low.addingReportingOverflow(UInt64(digit &- 0x30))
      high = high &* 10 &+ product.high &+ (carries ? 1 : 0)
      low = sum
    }
    if word.hasPrefix("-") {
      (low, high) = (0 &- low, ~high &+ (low == 0 ? 1 : 0))
    }
    return .aggregate([.integer(low), .integer(high)])
  }

  private func floatBits(_ value: Double, _ type: IRType) -> UInt64 {
    type.bits == 32 ? UInt64(Float(value).bitPattern) : value.bitPattern
  }

  func mask(_ bits: Int) -> UInt64 { bits >= 64 || bits <= 0 ? ~0 : (1 << UInt64(bits)) - 1 }

  private func readAggregate() throws(IRError) -> IRConstant {
    let isPacked = accept("<")
    let isStructure = isAt("{")
    guard isStructure || isAt("[") || isPacked else { throw unexpected("a constant") }
    if isStructure || isAt("[") { advance() }
    var elements: [IRConstant] = []
    while !isAt("}"), !isAt("]"), !isAt(">") {
      let type = try readSizedType()
      elements.append(try readConstant(type))
      guard accept(",") else { break }
    }
    if isStructure { try expect("}") } else if !isPacked { try expect("]") }
    if isPacked { try expect(">") }
    return .aggregate(elements)
  }

  private func readNamedConstant(_ type: IRType) throws(IRError) -> IRConstant {
    let line = token.line
    for word: StaticString in ["null", "zeroinitializer", "none", "false"] where accept(word) {
      return .zero
    }
    if accept("true") { return .integer(1) }
    if accept("undef") || accept("poison") { return .undefined }
    if accept("dso_local_equivalent") || accept("no_cfi") { return try readConstant(type) }
    if accept("blockaddress") {
      skipParentheses()
      return .undefined
    }
    if accept("getelementptr") { return try readElementConstant() }
    if accept("splat") {
      skipParentheses()
      return .undefined
    }
    if let cast = IRCast(rawValue: String(text)) { return try readCast(cast) }
    if let operation = IRBinary(rawValue: String(text)) {
      advance()
      skipFlags()
      try expect("(")
      let first = try readSizedType()
      let a = try readConstant(first)
      try expect(",")
      let b = try readConstant(try readSizedType())
      try expect(")")
      return fold(operation, first.bits, a, b)
    }
    throw error("the constant '\(text.prefix(40))' is not known", line: line)
  }

  private func readCast(_ cast: IRCast) throws(IRError) -> IRConstant {
    advance()
    skipFlags()
    try expect("(")
    let from = try readSizedType()
    let value = try readConstant(from)
    try expect("to")
    let to = try readSizedType()
    try expect(")")
    guard to.bits < from.bits, to.kind == .integer else { return value }
    if case .integer(let bits) = value { return .integer(bits & mask(to.bits)) }
    return .truncated(bits: to.bits, value)
  }

  private func fold(_ operation: IRBinary, _ bits: Int, _ a: IRConstant, _ b: IRConstant)
    -> IRConstant
  {
    switch (operation, a, b) {
    case (.add, .address(let symbol, let offset), .integer(let more)):
      .address(symbol: symbol, offset: offset &+ Int(bitPattern: UInt(more)))
    case (.sub, .address(let symbol, let offset), .integer(let less)):
      .address(symbol: symbol, offset: offset &- Int(bitPattern: UInt(less)))
    default: .binary(operation, bits: bits, a, b)
    }
  }

  /// Reads what follows `getelementptr` in a constant.
  private func readElementConstant() throws(IRError) -> IRConstant {
    skipFlags()
    try expect("(")
    let source = try readSizedType()
    try expect(",")
    let base = try readConstant(try readSizedType())
    var offset = 0
    var type = source
    var isFirst = true
    while accept(",") {
      let indexType = try readSizedType()
      guard case .integer(let bits)? = try integer(readConstant(indexType)) else {
        throw error("an index of a constant address is no number")
      }
      let index = signed(bits, indexType.bits)
      offset = offset &+ (try step(into: &type, index, isFirst))
      isFirst = false
    }
    try expect(")")
    switch base {
    case .address(let symbol, let start): return .address(symbol: symbol, offset: start &+ offset)
    case .zero: return .integer(UInt64(bitPattern: Int64(offset)))
    case .integer(let start): return .integer(start &+ UInt64(bitPattern: Int64(offset)))
    default:
      return .binary(.add, bits: 64, base, .integer(UInt64(bitPattern: Int64(offset))))
    }
  }

  private func integer(_ constant: IRConstant) -> IRConstant? {
    switch constant {
    case .integer: constant
    case .zero: .integer(0)
    default: nil
    }
  }

  func signed(_ bits: UInt64, _ width: Int) -> Int {
    guard width < 64, width > 0 else { return Int(bitPattern: UInt(bits)) }
    let shift = UInt64(64 - width)
    return Int(Int64(bitPattern: bits << shift) >> Int64(shift))
  }

  /// The bytes that an index of `getelementptr` adds, and the type it leads to.
  func step(into type: inout IRType, _ index: Int, _ isFirst: Bool) throws(IRError) -> Int {
    if isFirst { return index &* type.size }
    switch type.kind {
    case .structure:
      guard type.elements.indices.contains(index) else {
        throw error("a structure has no field \(index)")
      }
      defer { type = type.elements[index] }
      return type.offsets[index]
    case .array, .vector:
      type = type.elements[0]
      return index &* type.size
    default: throw error("an index does not fit the type of an address")
    }
  }

  /// Skips words that promise something of an instruction; true if `nsw` is among them.
  @discardableResult
  func skipFlags() -> Bool {
    var isSigned = false
    while token.kind == .word {
      switch text {
      case "nsw": isSigned = true
      case "nuw", "nusw", "inbounds", "exact", "disjoint", "nneg", "samesign", "fast", "nnan",
        "ninf", "nsz", "arcp", "contract", "afn", "reassoc":
        break
      case "inrange":
        advance()
        skipParentheses()
        continue
      default: return isSigned
      }
      advance()
    }
    return isSigned
  }
}
