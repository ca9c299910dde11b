// Instructions of AArch64.

import GracewalkSupport

struct ArmReader: InstructionReader {
  /// What an instruction works on.
  enum Place {
    case register(Int)
    case zero
    case immediate(UInt64)
    case memory(Operand)
    case word(String)
  }

  static let flags = "%flags"

  func read(
    _ cell: inout TokenStream, into process: inout AssemblyProcess, _ test: inout TestBuilder
  ) throws(LitmusError) {
    let line = cell.line
    let written = try cell.expectWord("an instruction")
    let name = written.uppercased()
    var places: [Place] = []
    if !cell.isAtEnd {
      repeat {
        places.append(try readPlace(&cell, &process, &test))
      } while cell.takeIf(",")
    }
    let instruction = ArmInstruction(name: name, places: places, line: line)
    if try instruction.emitAccess(&process) { return }
    if try instruction.emitComputation(&process) { return }
    if try instruction.emitBranch(&process) { return }
    throw LitmusError(line, "the instruction '\(written.excerpt(40))' is not known")
  }

  private func readPlace(
    _ cell: inout TokenStream, _ process: inout AssemblyProcess, _ test: inout TestBuilder
  ) throws(LitmusError) -> Place {
    let line = cell.line
    if cell.takeIf("#") || cell.next.number != nil || cell.next.isSymbol("-") {
      return .immediate(try cell.expectNumber("a number"))
    }
    if cell.takeIf("[") {
      let address = try readAddress(&cell, &process)
      try cell.expect("]")
      guard !cell.next.isSymbol("!") else {
        throw LitmusError(line, "addresses that are written back are not supported")
      }
      return .memory(address)
    }
    let name = try cell.expectWord("an operand")
    if ArmRegisters.isZero(name) { return .zero }
    if let register = ArmRegisters.name(name) {
      return .register(try process.builder.register(register))
    }
    return .word(name)
  }

  private func readAddress(
    _ cell: inout TokenStream, _ process: inout AssemblyProcess
  ) throws(LitmusError) -> Operand {
    let line = cell.line
    let base = try readRegister(&cell, &process)
    guard cell.takeIf(",") else { return base }
    if cell.takeIf("#") || cell.next.number != nil {
      guard try cell.expectNumber("a number") == 0 else {
        throw LitmusError(line, "addresses with an offset are not supported")
      }
      return base
    }
    let offset = try readRegister(&cell, &process)
    if cell.takeIf(",") {
      let kind = try cell.expectWord("how a register is extended")
      guard ["SXTW", "UXTW", "SXTX", "LSL"].contains(kind.uppercased()) else {
        throw LitmusError(line, "'\(kind.excerpt(40))' is not known")
      }
      if cell.takeIf("#"), try cell.expectNumber("a number") != 0 {
        throw LitmusError(line, "shifted registers are not supported")
      }
    }
    return try process.builder.compute(.add, base, offset)
  }

  private func readRegister(
    _ cell: inout TokenStream, _ process: inout AssemblyProcess
  ) throws(LitmusError) -> Operand {
    let line = cell.line
    let name = try cell.expectWord("a register")
    if ArmRegisters.isZero(name) { return .constant(0) }
    guard let register = ArmRegisters.name(name) else {
      throw LitmusError(line, "'\(name.excerpt(40))' is no register")
    }
    return .register(try process.builder.register(register))
  }
}
