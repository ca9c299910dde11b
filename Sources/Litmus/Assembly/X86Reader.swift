// Instructions of x86, with the destination first (Intel) or last (AT&T).

import GracewalkSupport

struct X86Reader: InstructionReader {
  let isATT: Bool

  /// What an instruction works on.
  enum Place {
    case register(Int)
    case immediate(UInt64)
    case memory(Operand)
  }

  static let flags = "%flags"

  private static let withoutOperands: Set<String> = [
    "mfence", "lfence", "sfence", "nop", "endbr64", "endbr32", "ret", "pause",
  ]
  private static let withTwo: Set<String> = [
    "mov", "xchg", "add", "sub", "and", "or", "xor", "cmp", "test", "xadd", "cmpxchg", "shl",
    "sal", "shr", "lea",
  ]
  private static let withOne: Set<String> = ["inc", "dec", "neg", "not"]

  func read(
    _ cell: inout TokenStream, into process: inout AssemblyProcess, _ test: inout TestBuilder
  ) throws(LitmusError) {
    let line = cell.line
    var written = try cell.expectWord("an instruction")
    var isLocked = false
    if written.lowercased() == "lock" {
      isLocked = true
      written = try cell.expectWord("an instruction")
    }
    let lower = written.lowercased()
    if lower.hasPrefix("nop") {
      // One with operands does nothing either.
      while !cell.isAtEnd { cell.take() }
      return
    }
    if Self.withoutOperands.contains(lower) { return try readSimple(lower, &process) }
    if lower == "jmp" || X86Reader.conditions[lower] != nil {
      let label = try cell.expectWord("a label")
      return try jump(lower, label, line, &process)
    }
    let name = try mnemonic(lower, written, line)
    var places: [Place] = []
    repeat {
      places.append(try readPlace(&cell, &process, &test))
    } while cell.takeIf(",")
    if Self.withOne.contains(name) {
      guard places.count == 1 else { throw LitmusError(line, "'\(written)' takes one operand") }
      return try readUnary(name, places[0], isLocked, line, &process)
    }
    guard places.count == 2 else { throw LitmusError(line, "'\(written)' takes two operands") }
    if isATT { places.swapAt(0, 1) }
    try readBinary(name, places[0], places[1], isLocked, line, &process)
  }

  /// The name of an instruction without the width of its operands.
  private func mnemonic(
    _ lower: String, _ written: String, _ line: Int
  ) throws(LitmusError) -> String {
    func isKnown(_ name: String) -> Bool {
      Self.withTwo.contains(name) || Self.withOne.contains(name)
    }
    if isKnown(lower) { return lower }
    let stem = String(lower.dropLast())
    guard isATT || lower.hasSuffix("l") || lower.hasSuffix("q"), isKnown(stem) else {
      throw LitmusError(line, "the instruction '\(written.excerpt(40))' is not known")
    }
    switch lower.last {
    case "l", "q": return stem
    case "b", "w":
      throw LitmusError(line, "'\(written)': accesses to a part of a word are not modelled")
    default: throw LitmusError(line, "the instruction '\(written.excerpt(40))' is not known")
    }
  }

  private func readSimple(
    _ name: String, _ process: inout AssemblyProcess
  ) throws(LitmusError) {
    switch name {
    case "mfence": try process.emit(.fence(.full))
    case "ret": try process.emitReturn()
    default: break  // Loads stay in order anyway, and so do stores.
    }
  }

  // MARK: Operands

  private func readPlace(
    _ cell: inout TokenStream, _ process: inout AssemblyProcess, _ test: inout TestBuilder
  ) throws(LitmusError) -> Place {
    let line = cell.line
    if cell.takeIf("$") {
      if let name = cell.next.word {
        cell.take()
        return .immediate(try test.address(name, line))
      }
      return .immediate(try cell.expectNumber("a number"))
    }
    if cell.next.isSymbol("-") || cell.next.number != nil {
      let number = try cell.expectNumber("a number")
      guard cell.next.isSymbol("(") || cell.next.isSymbol("[") else { return .immediate(number) }
      guard number == 0 else {
        throw LitmusError(line, "an access \(Int64(bitPattern: number)) bytes behind an address")
      }
    }
    if cell.next.isSymbol("(") || cell.next.isSymbol("[") {
      let close = cell.take().isSymbol("(") ? ")" : "]"
      let address = try readAddress(&cell, &process, &test)
      try cell.expect(close)
      return .memory(address)
    }
    let isRegister = cell.takeIf("%")
    let name = try cell.expectWord("an operand")
    if let register = X86Registers.name(name) {
      return .register(try process.builder.register(register))
    }
    guard !isRegister, test.hasWord(name) else {
      throw LitmusError(line, "'\(name.excerpt(40))' is no register")
    }
    if cell.takeIf("(") {
      _ = cell.takeIf("%")
      guard try cell.expectWord("rip").lowercased() == "rip" else {
        throw LitmusError(line, "addresses with an offset are not supported")
      }
      try cell.expect(")")
    }
    return .memory(.constant(try test.address(name, line)))
  }

  private func readAddress(
    _ cell: inout TokenStream, _ process: inout AssemblyProcess, _ test: inout TestBuilder
  ) throws(LitmusError) -> Operand {
    let line = cell.line
    _ = cell.takeIf("%")
    let name = try cell.expectWord("a register or a word")
    if let register = X86Registers.name(name) {
      return .register(try process.builder.register(register))
    }
    return .constant(try test.address(name, line))
  }
}
