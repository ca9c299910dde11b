// Reads globals, and the headers of functions.

extension IRReader {
  private struct Linkage {
    var isLocal = false
    var isWeak = false
    var isExternal = false
    var isThreadLocal = false
  }

  /// Skips what stands before a type: linkage, visibility, attributes of what is returned.
  private func readLinkage() -> Linkage {
    var linkage = Linkage()
    while token.kind == .word || token.kind == .string {
      switch text {
      case "private", "internal": linkage.isLocal = true
      case "linkonce", "linkonce_odr", "weak", "weak_odr", "common": linkage.isWeak = true
      case "external", "extern_weak", "available_externally": linkage.isExternal = true
      case "thread_local":
        linkage.isThreadLocal = true
        advance()
        skipParentheses()
        continue
      case "addrspace":
        advance()
        skipParentheses()
        continue
      case "default", "hidden", "protected", "dllimport", "dllexport", "dso_local",
        "dso_preemptable", "unnamed_addr", "local_unnamed_addr", "externally_initialized",
        "appending":
        break
      default: return linkage
      }
      advance()
    }
    return linkage
  }

  func readGlobal() throws(IRError) {
    let name = String(text)
    _ = symbol(name)
    advance()
    try expect("=")
    let linkage = readLinkage()
    if accept("alias") {
      _ = try readType()
      try expect(",")
      let value = try readConstant(try readType())
      module.aliases.append((name, value))
      return token.startsLine ? () : skipLine()
    }
    if isAt("ifunc") { return skipLine() }
    let isConstant = isAt("constant")
    guard accept("global") || accept("constant") else { throw unexpected("'global'") }
    let line = token.line
    let type = try readType()
    skipAddressSpace()
    var initial: IRConstant?
    if !linkage.isExternal {
      guard type.layOut() || token.kind == .end else {
        throw error("the type of @\(name) is too large, contains itself or is unknown", line: line)
      }
      initial = try readConstant(type)
    } else {
      _ = type.layOut()
    }
    var alignment = type.alignment
    while accept(",") {
      guard accept("align") else { break }
      alignment = max(1, try expectInteger())
    }
    module.globals.append(
      IRGlobal(
        name: name, type: type, initial: initial, isConstant: isConstant,
        isThreadLocal: linkage.isThreadLocal, isLocal: linkage.isLocal, isWeak: linkage.isWeak,
        alignment: alignment))
    if !token.startsLine { skipLine() }
  }

  // MARK: Functions

  /// Skips attributes of a parameter or a result; returns the type of a copied structure.
  @discardableResult
  func skipAttributes() throws(IRError) -> IRType? {
    var copied: IRType?
    while true {
      switch token.kind {
      case .attribute: advance()
      case .string:
        advance()
        if accept("=") { advance() }
      case .word:
        let word = text
        if word == "align" {
          advance()
          if isAt("(") { skipParentheses() } else { advance() }
        } else if word == "byval" {
          advance()
          try expect("(")
          copied = try readSizedType()
          try expect(")")
        } else if Self.attributes.contains(String(word)) {
          advance()
          skipParentheses()
        } else {
          return copied
        }
      default: return copied
      }
    }
  }

  private static let attributes: Set<String> = [
    "noundef", "nonnull", "nocapture", "readonly", "readnone", "writeonly", "noalias", "signext",
    "zeroext", "returned", "immarg", "inreg", "allocptr", "allocalign", "nofree", "nest", "sret",
    "swiftself", "swifterror", "swiftasync", "dereferenceable", "dereferenceable_or_null",
    "captures", "range", "initializes", "memory", "nofpclass", "elementtype", "preallocated",
    "inalloca", "byref", "writable", "dead_on_unwind", "noext", "alignstack", "fastcc", "ccc",
    "coldcc", "tailcc", "swiftcc", "preserve_mostcc", "preserve_allcc", "noreturn", "nounwind",
    "allocsize", "dead_on_return",
  ]

  /// Skips a calling convention and attributes before the type of a result.
  func skipConvention() throws(IRError) {
    while true {
      try skipAttributes()
      if accept("cc") {
        advance()
      } else if token.kind == .word, text.hasSuffix("cc"), text != "ccc" {
        advance()
      } else {
        return
      }
    }
  }

  func readFunction() throws(IRError) {
    let isDefinition = isAt("define")
    advance()
    // `declare !dbg !5 …`
    while token.kind == .metadata { advance() }
    let linkage = readLinkage()
    try skipConvention()
    let returns = try readType()
    skipAddressSpace()
    guard token.kind == .global else { throw unexpected("the name of a function") }
    let function = IRFunction(String(text), returns: returns, line: Int(token.line))
    function.isLocal = linkage.isLocal
    function.isWeak = linkage.isWeak || linkage.isExternal
    _ = symbol(function.name)
    advance()
    guard isDefinition else { return skipDeclaration() }
    scope = IRFunctionScope()
    try readParameters(of: function)
    while !isAt("{") {
      if token.kind == .metadata, text == "dbg" {
        advance()
        debug.subprogramOfFunction = Int(text)
      }
      if token.kind == .end { throw unexpected("'{'") }
      advance()
    }
    advance()
    _ = returns.layOut()
    try readBody(of: function)
    module.functions.append(function)
  }

  /// A declaration is on one line.
  private func skipDeclaration() {
    if !token.startsLine { skipLine() }
  }

  private func readParameters(of function: IRFunction) throws(IRError) {
    try expect("(")
    while !isAt(")") {
      if accept(".") || isAt("...") {
        while isAt(".") || isAt("...") { advance() }
        function.isVariadic = true
        continue
      }
      let type = try readSizedType()
      try skipAttributes()
      var name = String(scope.unnamedCount)
      if token.kind == .register {
        name = String(text)
        advance()
      }
      if name == String(scope.unnamedCount) { scope.unnamedCount += 1 }
      let register = scope.register(name)
      try define(register, as: type)
      function.parameters.append(register)
      function.parameterTypes.append(type)
      guard accept(",") else { break }
    }
    try expect(")")
  }

  private func readBody(of function: IRFunction) throws(IRError) {
    var block = -1
    while !isAt("}") {
      if token.kind == .end { throw unexpected("'}'") }
      if token.kind == .label {
        block = scope.block(String(text))
        guard scope.isDefined.insert(block).inserted else {
          throw error("block '\(text.prefix(40))' is defined twice")
        }
        advance()
        continue
      }
      // `#dbg_declare(…)`
      if token.kind == .attribute {
        skipLine()
        continue
      }
      if block < 0 {
        block = scope.block(String(scope.unnamedCount))
        scope.isDefined.insert(block)
      }
      let instruction = try readInstruction()
      scope.append(instruction, to: block)
    }
    advance()
    let line = Int32(function.line)
    guard !scope.blocks.isEmpty, scope.isDefined.count == scope.blocks.count else {
      throw error("a block of @\(function.name) is used and not defined", line: line)
    }
    for block in scope.blocks {
      guard block.instructions.last?.operation.endsBlock == true else {
        throw error("a block of @\(function.name) does not end as blocks end", line: line)
      }
    }
    function.blocks = scope.blocks
    var types: [IRType] = []
    for (register, type) in scope.types.enumerated() {
      guard let type else {
        throw error(
          "%\(scope.names[register]) is used and not defined in @\(function.name)", line: line)
      }
      types.append(type)
    }
    function.registerTypes = types
  }

  func define(_ register: Int, as type: IRType) throws(IRError) {
    guard scope.types[register] == nil else {
      throw error("%\(scope.names[register]) is defined twice")
    }
    scope.types[register] = type
  }
}

/// The names of one function's registers and blocks, while it is read.
struct IRFunctionScope {
  private var registers: [String: Int] = [:]
  private(set) var names: [String] = []
  var types: [IRType?] = []
  private var blockNumbers: [String: Int] = [:]
  private(set) var blocks: [IRBlock] = []
  var isDefined: Set<Int> = []
  /// The next number of what has no name.
  var unnamedCount = 0

  init() {}

  mutating func register(_ name: String) -> Int {
    if let known = registers[name] { return known }
    registers[name] = names.count
    names.append(name)
    types.append(nil)
    return names.count - 1
  }

  mutating func block(_ name: String) -> Int {
    if let known = blockNumbers[name] { return known }
    blockNumbers[name] = blocks.count
    blocks.append(IRBlock())
    return blocks.count - 1
  }

  mutating func append(_ instruction: IRInstruction, to block: Int) {
    blocks[block].instructions.append(instruction)
  }
}

extension IRInstruction.Operation {
  var endsBlock: Bool {
    switch self {
    case .branch, .branchIf, .choose, .return, .unreachable: true
    default: false
    }
  }
}
