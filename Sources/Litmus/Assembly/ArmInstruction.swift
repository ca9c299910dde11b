// What instructions of AArch64 are in the small instruction set.

import GracewalkSupport

/// An instruction with its operands.
struct ArmInstruction {
  let name: String
  let places: [ArmReader.Place]
  let line: Int

  // MARK: Operands

  private func require(_ count: Int) throws(LitmusError) {
    guard places.count == count else {
      throw LitmusError(line, "'\(name)' is supported with \(count) operands")
    }
  }

  private func value(_ index: Int) throws(LitmusError) -> Operand {
    switch places[index] {
    case .register(let register): return .register(register)
    case .zero: return .constant(0)
    case .immediate(let number): return .constant(number)
    case .memory, .word: throw LitmusError(line, "'\(name)' takes a register or a number here")
    }
  }

  /// The register that is written; nil for the one that is always zero.
  private func target(_ index: Int) throws(LitmusError) -> Int? {
    switch places[index] {
    case .register(let register): return register
    case .zero: return nil
    case .immediate, .memory, .word: throw LitmusError(line, "'\(name)' takes a register here")
    }
  }

  /// True if the last of four operands says how a register is extended: words have 64 bits anyway.
  private var isExtended: Bool {
    guard places.count == 4, case .word(let word) = places[3] else { return false }
    return ["SXTW", "UXTW", "SXTX", "UXTX"].contains(word.uppercased())
  }

  private func address(_ index: Int) throws(LitmusError) -> Operand {
    guard case .memory(let address) = places[index] else {
      throw LitmusError(line, "'\(name)' takes an address in brackets here")
    }
    return address
  }

  private func word(_ index: Int) throws(LitmusError) -> String {
    guard case .word(let word) = places[index] else {
      throw LitmusError(line, "'\(name)' takes a name here")
    }
    return word
  }

  // MARK: Accesses and fences

  private static let loads: [String: (AccessOrder, isExclusive: Bool)] = [
    "LDR": (.relaxed, false), "LDAR": (.acquire, false), "LDAPR": (.acquireLocally, false),
    "LDXR": (.relaxed, true), "LDAXR": (.acquire, true),
  ]

  /// False if it is no access, and no fence.
  func emitAccess(_ process: inout AssemblyProcess) throws(LitmusError) -> Bool {
    if let (order, isExclusive) = Self.loads[name] {
      try require(2)
      try process.emit(
        .load(try target(0), at: try address(1), order, isExclusive: isExclusive))
      return true
    }
    switch name {
    case "STR", "STLR":
      try require(2)
      try process.emit(
        .store(try value(0), at: try address(1), name == "STLR" ? .release : .relaxed))
    case "STXR", "STLXR":
      try require(3)
      let order = name == "STLXR" ? AccessOrder.release : .relaxed
      try process.emit(
        .storeExclusive(try value(1), at: try address(2), order, status: try target(0)))
    case "DMB", "DSB": try emitBarrier(&process)
    case "TLBI": try emitInvalidation(&process)
    case "ISB": try process.emit(.fence(.instructions))
    case "NOP": try require(0)
    default: return try emitUpdate(&process)
    }
    return true
  }

  private func emitBarrier(_ process: inout AssemblyProcess) throws(LitmusError) {
    try require(1)
    let kind = try word(0).uppercased()
    let waits = name == "DSB"
    switch kind {
    case "SY", "ISH", "OSH", "NSH": try process.emit(.fence(waits ? .synchroniseAll : .full))
    case "LD", "ISHLD", "OSHLD", "NSHLD":
      try process.emit(.fence(waits ? .synchroniseLoads : .loads))
    case "ST", "ISHST", "OSHST", "NSHST":
      try process.emit(.fence(waits ? .synchroniseStores : .stores))
    default: throw LitmusError(line, "'\(name) \(kind.excerpt(20))' is not known")
    }
  }

  // MARK: Read-modify-writes

  /// `CAS`, `SWP`, `LDADD` and so on, with the letters for acquire and release behind them.
  private func emitUpdate(_ process: inout AssemblyProcess) throws(LitmusError) -> Bool {
    let stems = [
      "CAS", "SWP", "LDADD", "LDEOR", "LDSET", "LDCLR", "STADD", "STEOR", "STSET", "STCLR",
    ]
    guard let stem = stems.first(where: { name.hasPrefix($0) }) else { return false }
    let isStore = stem.hasPrefix("ST")
    let isCompare = stem == "CAS"
    let letters = String(name.dropFirst(stem.count))
    guard ["", "A", "L", "AL"].contains(letters), !isStore || !letters.contains("A") else {
      return false
    }
    try require(isStore ? 2 : 3)
    let result = isStore ? nil : try target(isCompare ? 0 : 1)
    // One whose result goes nowhere is no acquire.
    let acquires = letters.contains("A") && result != nil
    let releases = letters.contains("L")
    let order: AccessOrder =
      acquires ? (releases ? .acquireRelease : .acquire) : releases ? .release : .relaxed
    var operand = try value(isCompare ? 1 : 0)
    let modification: Modification
    switch stem.dropFirst(isCompare || stem == "SWP" ? 0 : 2) {
    case "CAS": modification = .compareExchange(expected: try value(0))
    case "SWP": modification = .exchange
    case "ADD": modification = .add
    case "EOR": modification = .xor
    case "SET": modification = .or
    default:
      modification = .and
      operand = try process.builder.compute(.complement, operand)
    }
    let address = try address(isStore ? 1 : 2)
    try process.emit(.update(result, modification, at: address, by: operand, order))
    return true
  }

  // MARK: Computations

  private static let computations: [String: Computation] = [
    "EOR": .xor, "ADD": .add, "AND": .and, "ORR": .or, "SUB": .subtract, "LSR": .shiftRight,
    "LSL": .shiftLeft, "BIC": .clear, "MUL": .multiply, "SUBS": .subtract, "ADDS": .add,
    "ANDS": .and,
  ]

  /// False if it computes nothing.
  func emitComputation(_ process: inout AssemblyProcess) throws(LitmusError) -> Bool {
    if let computation = Self.computations[name] {
      if !isExtended { try require(3) }
      let result = try process.builder.compute(computation, try value(1), try value(2))
      try write(result, &process)
      if name.hasSuffix("S"), name.count == 4 { try setFlags(result, &process) }
      return true
    }
    switch name {
    case "MOV":
      try require(2)
      try write(try value(1), &process)
    case "MVN":
      try require(2)
      try write(try process.builder.compute(.complement, try value(1)), &process)
    case "CMP", "TST":
      try require(2)
      let computation: Computation = name == "CMP" ? .subtract : .and
      try setFlags(
        try process.builder.compute(computation, try value(0), try value(1)), &process)
    case "CSEL", "CSET":
      try require(name == "CSEL" ? 4 : 2)
      let isTrue = try emitCondition(try word(name == "CSEL" ? 3 : 1), &process)
      let isSelect = name == "CSEL"
      let (first, second) =
        isSelect ? (try value(1), try value(2)) : (.constant(1), .constant(0))
      guard let target = try target(0) else { return true }
      try process.emit(.compute(target, .select, first, second, isTrue))
    default: return false
    }
    return true
  }

  private func write(
    _ value: Operand, _ process: inout AssemblyProcess
  ) throws(LitmusError) {
    guard let target = try target(0) else { return }
    try process.emit(.compute(target, .copy, value))
  }

  private func setFlags(
    _ value: Operand, _ process: inout AssemblyProcess
  ) throws(LitmusError) {
    try process.emit(.compute(try process.builder.register(ArmReader.flags), .copy, value))
  }

  // MARK: Branches

  /// Emits what tells whether a condition holds of what was compared last.
  private func emitCondition(
    _ condition: String, _ process: inout AssemblyProcess
  ) throws(LitmusError) -> Operand {
    let flags = Operand.register(try process.builder.register(ArmReader.flags))
    let zero = Operand.constant(0)
    switch condition.uppercased() {
    case "EQ": return try process.builder.compute(.isZero, flags)
    case "NE": return try process.builder.compute(.unequal, flags, zero)
    case "LT", "MI": return try process.builder.compute(.less, flags, zero)
    case "LE": return try process.builder.compute(.lessOrEqual, flags, zero)
    case "GT": return try process.builder.compute(.less, zero, flags)
    case "GE", "PL": return try process.builder.compute(.lessOrEqual, zero, flags)
    default: throw LitmusError(line, "the condition '\(condition.excerpt(20))' is not known")
    }
  }

  /// False if it is no branch.
  func emitBranch(_ process: inout AssemblyProcess) throws(LitmusError) -> Bool {
    switch name {
    case "CBZ", "CBNZ":
      try require(2)
      let operand = try value(0)
      let branch: Instruction =
        name == "CBZ" ? .branch(ifZero: operand, to: 0) : .branchUnless(zero: operand, to: 0)
      try process.emit(branch, to: try word(1), line)
    case "B":
      try require(1)
      try process.emit(.jump(to: 0), to: try word(0), line)
    case "RET":
      try process.emitReturn()
    default:
      guard name.hasPrefix("B."), name.count == 4 || name.count == 3 else {
        guard name.count == 3, ["BEQ", "BNE"].contains(name) else { return false }
        return try emitConditional(String(name.dropFirst()), &process)
      }
      return try emitConditional(String(name.dropFirst(2)), &process)
    }
    return true
  }

  private func emitConditional(
    _ condition: String, _ process: inout AssemblyProcess
  ) throws(LitmusError) -> Bool {
    try require(1)
    let isTrue = try emitCondition(condition, &process)
    try process.emit(.branchUnless(zero: isTrue, to: 0), to: try word(0), line)
    return true
  }
}
