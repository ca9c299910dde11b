// Reads instructions.

extension IRReader {
  func readInstruction() throws(IRError) -> IRInstruction {
    let line = token.line
    var result: Int?
    if token.kind == .register {
      result = scope.register(String(text))
      advance()
      try expect("=")
    }
    resultType = nil
    let operation = try readOperation()
    if let result {
      guard let type = resultType else {
        throw error("an instruction that has no result is given a name", line: line)
      }
      try define(result, as: type)
    }
    let place = try readAttachments(line)
    return IRInstruction(operation: operation, result: result, line: Int(line), place: place)
  }

  /// Reads `, !dbg !5, !tbaa !7` to the end of the instruction; returns the number of its place.
  private func readAttachments(_ line: Int32) throws(IRError) -> Int {
    var place = -1
    while !token.startsLine, token.kind != .end, !isAt("}") {
      if token.kind == .metadata, text == "dbg" {
        advance()
        if token.kind == .metadata, let number = Int(text) { place = number }
      }
      advance()
    }
    return place
  }

  // MARK: Operands

  func readValue(_ type: IRType) throws(IRError) -> IRValue {
    if token.kind == .register {
      let register = scope.register(String(text))
      advance()
      return .register(register)
    }
    return .constant(try readConstant(type))
  }

  private func readTypedValue() throws(IRError) -> (IRType, IRValue) {
    let type = try readSizedType()
    return (type, try readValue(type))
  }

  private func readPointer() throws(IRError) -> IRValue {
    let (type, value) = try readTypedValue()
    guard type.kind == .pointer else { throw error("a pointer is expected") }
    return value
  }

  func readBlock() throws(IRError) -> Int {
    try expect("label")
    guard token.kind == .register else { throw unexpected("the name of a block") }
    let block = scope.block(String(text))
    advance()
    return block
  }

  private func readOrdering() throws(IRError) -> IROrdering {
    skipSyncScope()
    guard token.kind == .word, let ordering = IROrdering(keyword: text) else {
      throw unexpected("a memory ordering")
    }
    advance()
    return ordering
  }

  /// True if it is the scope of a single thread.
  @discardableResult
  private func skipSyncScope() -> Bool {
    guard accept("syncscope") else { return false }
    let isSingle = token.kind == .punctuation
    skipParentheses()
    return isSingle
  }

  private func readAlignment(_ standard: Int) throws(IRError) -> Int {
    var alignment = standard
    while isAt(",") {
      advance()
      guard accept("align") else {
        break
      }
      alignment = max(1, try expectInteger())
    }
    return alignment
  }

  // MARK: Operations

  private func readOperation() throws(IRError) -> IRInstruction.Operation {
    guard token.kind == .word else { throw unexpected("an instruction") }
    let word = String(text)
    if let operation = try readMemory(word) { return operation }
    if let operation = try readControl(word) { return operation }
    if let operation = try readData(word) { return operation }
    if let binary = IRBinary(rawValue: word) {
      advance()
      let isSigned = skipFlags()
      let (type, a) = try readTypedValue()
      try expect(",")
      let b = try readValue(type)
      resultType = type
      return .binary(binary, type, a, b, noSignedWrap: isSigned)
    }
    if let cast = IRCast(rawValue: word) {
      advance()
      skipFlags()
      let (from, value) = try readTypedValue()
      try expect("to")
      let to = try readSizedType()
      resultType = to
      return .cast(cast, from, value, to)
    }
    throw error("the instruction '\(word.prefix(40))' is not known")
  }

  private func readMemory(_ word: String) throws(IRError) -> IRInstruction.Operation? {
    switch word {
    case "alloca":
      advance()
      _ = accept("inalloca")
      let type = try readSizedType()
      var count = IRValue.constant(.integer(1))
      if isAt(",") {
        advance()
        if !isAt("align"), !isAt("addrspace") { (_, count) = try readTypedValue() }
      }
      resultType = types.pointer
      return .allocate(type, count: count)
    case "load":
      advance()
      var access = readAccess()
      let type = try readSizedType()
      try expect(",")
      let pointer = try readPointer()
      if access.ordering != .none { access.ordering = try readOrdering() }
      access.alignment = try readAlignment(type.alignment)
      resultType = type
      return .load(type, from: pointer, access)
    case "store":
      advance()
      var access = readAccess()
      let (type, value) = try readTypedValue()
      try expect(",")
      let pointer = try readPointer()
      if access.ordering != .none { access.ordering = try readOrdering() }
      access.alignment = try readAlignment(type.alignment)
      return .store(type, value, to: pointer, access)
    case "cmpxchg": return try readCompareExchange()
    case "atomicrmw": return try readUpdate()
    case "fence":
      advance()
      let isLocal = skipSyncScope()
      return .fence(try readOrdering(), isLocal: isLocal)
    default: return nil
    }
  }

  private func readAccess() -> IRAccess {
    var access = IRAccess()
    if accept("atomic") { access.ordering = .relaxed }
    access.isVolatile = accept("volatile")
    return access
  }

  private func readCompareExchange() throws(IRError) -> IRInstruction.Operation {
    advance()
    _ = accept("weak")
    var access = IRAccess()
    access.isVolatile = accept("volatile")
    let pointer = try readPointer()
    try expect(",")
    let (type, expected) = try readTypedValue()
    try expect(",")
    let (_, desired) = try readTypedValue()
    access.ordering = try readOrdering()
    let failure = try readOrdering()
    access.alignment = try readAlignment(type.size)
    let pair = IRType.structure([type, types.integer(1)], isPacked: false)
    guard pair.layOut() else { throw error("a type is too large") }
    resultType = pair
    return .compareExchange(
      type, pointer, expected: expected, desired: desired, access, failure: failure)
  }

  private func readUpdate() throws(IRError) -> IRInstruction.Operation {
    advance()
    var access = IRAccess()
    access.isVolatile = accept("volatile")
    let name = String(text)
    advance()
    let pointer = try readPointer()
    try expect(",")
    let (type, value) = try readTypedValue()
    access.ordering = try readOrdering()
    access.alignment = try readAlignment(type.size)
    resultType = type
    guard let update = IRUpdate(rawValue: name) else { return .unsupported("atomicrmw \(name)") }
    return .update(update, type, pointer, by: value, access)
  }

  private func readControl(_ word: String) throws(IRError) -> IRInstruction.Operation? {
    switch word {
    case "br":
      advance()
      if isAt("label") { return .branch(try readBlock()) }
      let (_, condition) = try readTypedValue()
      try expect(",")
      let yes = try readBlock()
      try expect(",")
      return .branchIf(condition, yes, try readBlock())
    case "switch": return try readSwitch()
    case "ret":
      advance()
      let type = try readSizedType()
      return .return(type, type.kind == .void ? nil : try readValue(type))
    case "unreachable":
      advance()
      return .unreachable
    case "phi":
      advance()
      skipFlags()
      let type = try readSizedType()
      var sources: [(value: IRValue, block: Int)] = []
      repeat {
        try expect("[")
        let value = try readValue(type)
        try expect(",")
        guard token.kind == .register else { throw unexpected("the name of a block") }
        sources.append((value, scope.block(String(text))))
        advance()
        try expect("]")
      } while accept(",") && isAt("[")
      resultType = type
      return .phi(type, sources)
    case "call", "tail", "musttail", "notail": return try readCall()
    case "callbr": return try readJumpingCall()
    case "indirectbr", "invoke", "resume", "cleanupret", "catchret", "catchswitch":
      throw error("the instruction '\(word)' is not supported")
    default: return nil
    }
  }

  private func readSwitch() throws(IRError) -> IRInstruction.Operation {
    advance()
    let (type, value) = try readTypedValue()
    try expect(",")
    let otherwise = try readBlock()
    try expect("[")
    var cases: [(value: UInt64, block: Int)] = []
    while !isAt("]") {
      let caseType = try readSizedType()
      let constant = try readConstant(caseType)
      try expect(",")
      let block = try readBlock()
      switch constant {
      case .integer(let bits): cases.append((bits, block))
      case .zero: cases.append((0, block))
      default: throw error("a case of a switch is no number")
      }
    }
    advance()
    return .choose(type, value, otherwise: otherwise, cases)
  }

  private func readComparison<Predicate: RawRepresentable<String>>() throws(IRError)
    -> (Predicate, IRType, IRValue, IRValue)
  {
    advance()
    skipFlags()
    guard let predicate = Predicate(rawValue: String(text)) else {
      throw unexpected("a comparison")
    }
    advance()
    let (type, a) = try readTypedValue()
    try expect(",")
    let b = try readValue(type)
    resultType = types.integer(1)
    return (predicate, type, a, b)
  }

  private func readData(_ word: String) throws(IRError) -> IRInstruction.Operation? {
    switch word {
    case "getelementptr": return try readElement()
    case "icmp":
      let (predicate, type, a, b): (IRPredicate, _, _, _) = try readComparison()
      return type.isFirstClassScalar ? .compare(predicate, type, a, b) : .unsupported("icmp")
    case "fcmp":
      let (predicate, type, a, b): (IRFloatPredicate, _, _, _) = try readComparison()
      return .compareFloats(predicate, type, a, b)
    case "fneg":
      advance()
      skipFlags()
      let (type, value) = try readTypedValue()
      resultType = type
      return .negate(type, value)
    case "select":
      advance()
      skipFlags()
      let (condition, chosen) = try readTypedValue()
      try expect(",")
      let (type, a) = try readTypedValue()
      try expect(",")
      let (_, b) = try readTypedValue()
      resultType = type
      return condition.kind == .integer ? .select(type, chosen, a, b) : .unsupported("select")
    case "freeze":
      advance()
      let (type, value) = try readTypedValue()
      resultType = type
      return .copy(type, value)
    case "extractvalue", "insertvalue": return try readAggregateAccess(word == "insertvalue")
    case "va_arg", "extractelement", "insertelement", "shufflevector", "landingpad":
      throw error("the instruction '\(word)' is not supported")
    default: return nil
    }
  }

  private func readElement() throws(IRError) -> IRInstruction.Operation {
    advance()
    skipFlags()
    var type = try readSizedType()
    try expect(",")
    let base = try readPointer()
    var offset = 0
    var indices: [(index: IRValue, bits: Int, stride: Int)] = []
    var isFirst = true
    while isAt(",") {
      advance()
      if token.kind == .metadata { break }
      let (indexType, value) = try readTypedValue()
      switch value {
      case .constant(.zero): offset = offset &+ (try step(into: &type, 0, isFirst))
      case .constant(.integer(let bits)):
        offset = offset &+ (try step(into: &type, signed(bits, indexType.bits), isFirst))
      default:
        guard isFirst || type.kind == .array else {
          throw error("an index does not fit the type of an address")
        }
        if !isFirst { type = type.elements[0] }
        indices.append((value, indexType.bits, type.size))
      }
      isFirst = false
    }
    resultType = types.pointer
    return .element(base, offset: offset, indices)
  }

  private func readAggregateAccess(_ isInsertion: Bool) throws(IRError) -> IRInstruction.Operation {
    advance()
    let (whole, value) = try readTypedValue()
    var part: (type: IRType, value: IRValue)?
    if isInsertion {
      try expect(",")
      part = try readTypedValue()
    }
    var type = whole
    var slot = 0
    while isAt(",") {
      advance()
      guard token.kind == .number else { break }
      let index = try expectInteger()
      let limit = type.kind == .structure ? type.elements.count : type.count
      guard type.isAggregate, index >= 0, index < limit else {
        throw error("an aggregate has no element \(index)")
      }
      slot += type.firstSlot(of: index)
      type = type.kind == .structure ? type.elements[index] : type.elements[0]
    }
    if let part {
      resultType = whole
      return .insert(whole, value, part.value, first: slot, type)
    }
    resultType = type
    return .extract(whole, value, first: slot, type)
  }
}
