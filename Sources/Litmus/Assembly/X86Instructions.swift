// What instructions of x86 are in the small instruction set.

import GracewalkSupport

extension X86Reader {
  /// How conditional jumps follow from what was computed last, as a signed number.
  enum JumpCondition {
    case zero, less, lessOrEqual
  }

  static let conditions: [String: (condition: JumpCondition, isNegated: Bool)] = [
    "je": (.zero, false), "jz": (.zero, false), "jne": (.zero, true), "jnz": (.zero, true),
    "jl": (.less, false), "jnge": (.less, false), "js": (.less, false), "jge": (.less, true),
    "jnl": (.less, true), "jns": (.less, true), "jle": (.lessOrEqual, false),
    "jng": (.lessOrEqual, false), "jg": (.lessOrEqual, true), "jnle": (.lessOrEqual, true),
  ]

  func jump(
    _ name: String, _ label: String, _ line: Int, _ process: inout AssemblyProcess
  ) throws(LitmusError) {
    guard let (condition, isNegated) = Self.conditions[name] else {
      return try process.emit(.jump(to: 0), to: label, line)
    }
    let flags = Operand.register(try process.builder.register(Self.flags))
    let isTaken: Operand =
      switch condition {
      case .zero: try process.builder.compute(.isZero, flags)
      case .less: try process.builder.compute(.less, flags, .constant(0))
      case .lessOrEqual: try process.builder.compute(.lessOrEqual, flags, .constant(0))
      }
    let branch: Instruction =
      isNegated ? .branch(ifZero: isTaken, to: 0) : .branchUnless(zero: isTaken, to: 0)
    try process.emit(branch, to: label, line)
  }

  /// The value of a place that is read.
  private func value(
    of place: Place, _ process: inout AssemblyProcess
  ) throws(LitmusError) -> Operand {
    switch place {
    case .register(let register): return .register(register)
    case .immediate(let number): return .constant(number)
    case .memory(let address):
      let result = try process.builder.temporary()
      try process.emit(.load(result, at: address, .relaxed, isExclusive: false))
      return .register(result)
    }
  }

  private func write(
    _ value: Operand, to place: Place, _ line: Int, _ process: inout AssemblyProcess
  ) throws(LitmusError) {
    switch place {
    case .register(let register): try process.emit(.compute(register, .copy, value))
    case .memory(let address): try process.emit(.store(value, at: address, .relaxed))
    case .immediate: throw LitmusError(line, "a number cannot be written to")
    }
  }

  private func setFlags(
    _ value: Operand, _ process: inout AssemblyProcess
  ) throws(LitmusError) {
    try process.emit(.compute(try process.builder.register(Self.flags), .copy, value))
  }

  // MARK: One operand

  func readUnary(
    _ name: String, _ place: Place, _ isLocked: Bool, _ line: Int,
    _ process: inout AssemblyProcess
  ) throws(LitmusError) {
    switch name {
    case "inc": try readBinary("add", place, .immediate(1), isLocked, line, &process)
    case "dec": try readBinary("sub", place, .immediate(1), isLocked, line, &process)
    case "not":
      // It alone leaves the flags as they are.
      try compute(.xor, place, .immediate(~0), isLocked, line, &process, setsFlags: false)
    default:
      guard !isLocked else { throw LitmusError(line, "'lock neg' is not supported") }
      let negated = try process.builder.compute(.negate, try value(of: place, &process))
      try write(negated, to: place, line, &process)
      try setFlags(negated, &process)
    }
  }

  // MARK: Two operands

  private static let computations: [String: Computation] = [
    "add": .add, "sub": .subtract, "and": .and, "or": .or, "xor": .xor, "shl": .shiftLeft,
    "sal": .shiftLeft, "shr": .shiftRight,
  ]

  func readBinary(
    _ name: String, _ target: Place, _ source: Place, _ isLocked: Bool, _ line: Int,
    _ process: inout AssemblyProcess
  ) throws(LitmusError) {
    if case .memory = target, case .memory = source {
      throw LitmusError(line, "one of two operands is a register or a number")
    }
    switch name {
    case "mov":
      if case .register(let register) = target, case .memory(let address) = source {
        return try process.emit(.load(register, at: address, .relaxed, isExclusive: false))
      }
      try write(try value(of: source, &process), to: target, line, &process)
    case "lea":
      guard case .memory(let address) = source else {
        throw LitmusError(line, "'lea' takes an address")
      }
      try write(address, to: target, line, &process)
    case "xchg": try exchange(target, source, line, &process)
    case "xadd": try exchangeAndAdd(target, source, isLocked, line, &process)
    case "cmpxchg": try compareExchange(target, source, isLocked, line, &process)
    case "cmp", "test":
      let left = try value(of: target, &process)
      let right = try value(of: source, &process)
      try setFlags(
        try process.builder.compute(name == "cmp" ? .subtract : .and, left, right), &process)
    default:
      guard let computation = Self.computations[name] else {
        throw LitmusError(line, "the instruction '\(name)' is not known")
      }
      try compute(computation, target, source, isLocked, line, &process)
    }
  }

  private func compute(
    _ computation: Computation, _ target: Place, _ source: Place, _ isLocked: Bool, _ line: Int,
    _ process: inout AssemblyProcess, setsFlags: Bool = true
  ) throws(LitmusError) {
    let operand = try value(of: source, &process)
    guard isLocked, case .memory(let address) = target else {
      if isLocked { throw LitmusError(line, "'lock' is for what writes to memory") }
      let old = try value(of: target, &process)
      let new = try process.builder.compute(computation, old, operand)
      try write(new, to: target, line, &process)
      return setsFlags ? try setFlags(new, &process) : ()
    }
    let modification: Modification
    var by = operand
    switch computation {
    case .add: modification = .add
    case .subtract:
      modification = .add
      by = try process.builder.compute(.negate, operand)
    case .and: modification = .and
    case .or: modification = .or
    case .xor: modification = .xor
    default: throw LitmusError(line, "'lock' does not go with this instruction")
    }
    let old = try process.builder.temporary()
    try process.emit(.update(old, modification, at: address, by: by, .full))
    guard setsFlags else { return }
    try setFlags(try process.builder.compute(computation, .register(old), operand), &process)
  }

  private func exchange(
    _ target: Place, _ source: Place, _ line: Int, _ process: inout AssemblyProcess
  ) throws(LitmusError) {
    switch (target, source) {
    case (.memory(let address), .register(let register)),
      (.register(let register), .memory(let address)):
      // It locks its word even without the prefix.
      try process.emit(
        .update(register, .exchange, at: address, by: .register(register), .full))
    case (.register(let a), .register(let b)):
      let between = try process.builder.temporary()
      try process.emit(.compute(between, .copy, .register(a)))
      try process.emit(.compute(a, .copy, .register(b)))
      try process.emit(.compute(b, .copy, .register(between)))
    default: throw LitmusError(line, "'xchg' takes a register and a register or an address")
    }
  }

  private func exchangeAndAdd(
    _ target: Place, _ source: Place, _ isLocked: Bool, _ line: Int,
    _ process: inout AssemblyProcess
  ) throws(LitmusError) {
    guard case .register(let register) = source else {
      throw LitmusError(line, "'xadd' takes a register")
    }
    let addend = Operand.register(register)
    if case .memory(let address) = target, isLocked {
      let old = try process.builder.temporary()
      try process.emit(.update(old, .add, at: address, by: addend, .full))
      try setFlags(try process.builder.compute(.add, .register(old), addend), &process)
      return try process.emit(.compute(register, .copy, .register(old)))
    }
    let old = try value(of: target, &process)
    let sum = try process.builder.compute(.add, old, addend)
    let kept = try process.builder.temporary()
    try process.emit(.compute(kept, .copy, old))
    try process.emit(.compute(register, .copy, .register(kept)))
    try write(sum, to: target, line, &process)
    try setFlags(sum, &process)
  }

  private func compareExchange(
    _ target: Place, _ source: Place, _ isLocked: Bool, _ line: Int,
    _ process: inout AssemblyProcess
  ) throws(LitmusError) {
    guard case .register(let register) = source, case .memory(let address) = target, isLocked
    else {
      throw LitmusError(line, "'cmpxchg' is supported with 'lock', an address and a register")
    }
    let accumulator = try process.builder.register("RAX")
    let old = try process.builder.temporary()
    try process.emit(
      .update(
        old, .compareExchange(expected: .register(accumulator)), at: address,
        by: .register(register), .full))
    let difference = try process.builder.compute(
      .subtract, .register(accumulator), .register(old))
    try setFlags(difference, &process)
    try process.emit(.compute(accumulator, .copy, .register(old)))
  }
}
