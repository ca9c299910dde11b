// From the text of a litmus test to the test as a value.

import GracewalkSupport

extension LitmusTest {
  /// Bytes of the largest test that is read.
  package static let sizeMax = 1 << 20

  /// Reads a test.
  ///
  /// - Throws: what is wrong with it, or not understood, and in which line.
  package init(reading text: String) throws(LitmusError) {
    guard text.utf8.count <= Self.sizeMax else {
      throw LitmusError(1, "a test has at most \(Self.sizeMax >> 20) MiB")
    }
    var lexer = try Lexer(text)
    let tokens = try lexer.tokens()
    var stream = TokenStream(tokens, endLine: lexer.lastLine)
    let registers: (String) -> String? =
      switch lexer.dialect {
      case .kernelC: { $0 }
      case .x86, .x86In64Bits: X86Registers.name
      case .aarch64: ArmRegisters.name
      }
    var builder = TestBuilder()
    var state = StateReader(
      try stream.takeBlock("{", "}"), hasEntries: lexer.dialect == .aarch64,
      variants: lexer.variants, register: registers)
    try state.read(into: &builder)
    var processes: [ProcessBuilder]
    switch lexer.dialect {
    case .kernelC: processes = try CReader.read(&stream, &builder)
    case .x86: processes = try AssemblyTable.read(&stream, &builder, X86Reader(isATT: false))
    case .x86In64Bits: processes = try AssemblyTable.read(&stream, &builder, X86Reader(isATT: true))
    case .aarch64: processes = try AssemblyTable.read(&stream, &builder, ArmReader())
    }
    guard !processes.isEmpty else { throw LitmusError(stream.line, "the test has no process") }
    processes.sort { $0.process.number < $1.process.number }
    var reader = ConditionReader(
      stream, builder, processes, hasEntries: lexer.dialect == .aarch64, register: registers)
    let condition: Condition
    (condition, builder, processes) = try reader.read()
    self.init(name: lexer.name, dialect: lexer.dialect)
    words = builder.words
    domains = builder.domains
    sections = builder.sections
    self.processes = processes.map(\.process)
    self.condition = condition
    hasETS2 = lexer.variants.contains("ets2")
    try refuseWhatCannotRun(stream.line)
  }

  /// Most processes: as many CPUs as a machine has.
  private static let processesMax = 60

  private func refuseWhatCannotRun(_ line: Int) throws(LitmusError) {
    guard processes.count <= Self.processesMax else {
      throw LitmusError(line, "a test has at most \(Self.processesMax) processes")
    }
    let locks = locks
    for process in processes {
      for (instruction, line) in zip(process.instructions, process.lines) {
        if let lock = instruction.lockOperand {
          guard case .constant(let address) = lock, Self.word(at: address, of: words.count) != nil
          else { throw LitmusError(line, "a lock is named where it is used") }
        }
        if case .store(_, .constant(let address), _) = instruction,
          let word = Self.word(at: address, of: words.count), locks.contains(word)
        {
          throw LitmusError(line, "a store to the lock '\(words[word].name.excerpt(40))'")
        }
      }
    }
    if let lock = locks.sorted().first(where: { words[$0].initial != 0 }) {
      throw LitmusError(line, "the lock '\(words[lock].name.excerpt(40))' is held at the start")
    }
  }
}
