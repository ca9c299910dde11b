// Tests in assembly: a column for each process, a row for each instruction.

import GracewalkSupport

/// What knows the instructions of an architecture.
protocol InstructionReader {
  /// Reads one instruction, which is all that is left of the cell.
  func read(
    _ cell: inout TokenStream, into process: inout AssemblyProcess, _ test: inout TestBuilder
  ) throws(LitmusError)
}

/// A process in assembly while it is read.
struct AssemblyProcess {
  var builder: ProcessBuilder
  private var labels: [String: Int] = [:]
  private var jumps: [(index: Int, label: String, line: Int)] = []
  /// Instructions of the fault handler, which come behind the others.
  var handler: [TokenStream]?

  init(number: Int) { builder = ProcessBuilder(number: number) }

  mutating func emit(_ instruction: Instruction) throws(LitmusError) {
    try builder.emit(instruction)
  }

  mutating func setLabel(_ name: String, _ line: Int) throws(LitmusError) {
    guard labels.updateValue(builder.here, forKey: name) == nil else {
      throw LitmusError(line, "there is a label '\(name.excerpt(40))' already")
    }
  }

  /// Emits a branch to a label, which may follow.
  mutating func emit(
    _ branch: Instruction, to label: String, _ line: Int
  ) throws(LitmusError) {
    jumps.append((try builder.emit(branch), label, line))
  }

  /// Emits a jump to the end.
  mutating func emitReturn() throws(LitmusError) {
    jumps.append((try builder.emit(.jump(to: 0)), "", 0))
  }

  mutating func resolveLabels() throws(LitmusError) {
    for (index, label, line) in jumps {
      let target = label.isEmpty ? builder.here : labels[label]
      guard let target else {
        throw LitmusError(line, "there is no label '\(label.excerpt(40))'")
      }
      builder.patch(index, to: target)
    }
    builder.setLabels(labels)
  }
}

enum AssemblyTable {
  /// Reads all processes.
  static func read(
    _ stream: inout TokenStream, _ test: inout TestBuilder, _ reader: some InstructionReader
  ) throws(LitmusError) -> [ProcessBuilder] {
    var processes: [AssemblyProcess] = []
    /// Per column, a process, or the handler of one.
    var columns: [(process: Int, isHandler: Bool)] = []
    for cell in takeRow(&stream) {
      if let owner = try handlerOwner(cell, processes) {
        processes[owner].handler = []
        columns.append((owner, true))
        continue
      }
      columns.append((processes.count, false))
      let process = try readHeading(cell, test)
      let number = process.builder.process.number
      guard !processes.contains(where: { $0.builder.process.number == number }) else {
        throw LitmusError(cell.line, "there is a P\(number) already")
      }
      processes.append(process)
    }
    while !stream.isAtEnd, !ConditionReader.begins(stream) {
      let line = stream.line
      let row = takeRow(&stream)
      guard row.count <= columns.count else {
        throw LitmusError(line, "a row has more columns than there are processes")
      }
      for (column, cell) in zip(columns, row) {
        var cell = cell
        if column.isHandler {
          processes[column.process].handler?.append(cell)
        } else {
          try read(&cell, into: &processes[column.process], &test, reader)
        }
      }
    }
    for index in processes.indices {
      guard let cells = processes[index].handler else { continue }
      try processes[index].emitReturn()
      processes[index].builder.beginHandler()
      for cell in cells {
        var cell = cell
        try read(&cell, into: &processes[index], &test, reader)
      }
    }
    var builders: [ProcessBuilder] = []
    for index in processes.indices {
      try processes[index].resolveLabels()
      builders.append(processes[index].builder)
    }
    return builders
  }

  /// Takes the cells up to the semicolon that ends a row.
  private static func takeRow(_ stream: inout TokenStream) -> [TokenStream] {
    var cells: [TokenStream] = []
    var cell: [Token] = []
    while !stream.isAtEnd {
      let token = stream.take()
      if token.isSymbol("|") || token.isSymbol(";") {
        cells.append(TokenStream(cell, endLine: token.line))
        cell = []
        if token.isSymbol(";") { return cells }
      } else {
        cell.append(token)
      }
    }
    if !cell.isEmpty { cells.append(TokenStream(cell, endLine: stream.line)) }
    return cells
  }

  /// The process whose fault handler a column is, such as `P1.F`; nil if it is none.
  private static func handlerOwner(
    _ cell: TokenStream, _ processes: [AssemblyProcess]
  ) throws(LitmusError) -> Int? {
    guard let name = cell.next.word, name.hasPrefix("P"), name.hasSuffix(".F"),
      let number = Int(name.dropFirst().dropLast(2))
    else { return nil }
    guard
      let owner = processes.firstIndex(where: { $0.builder.process.number == number }),
      processes[owner].handler == nil
    else { throw LitmusError(cell.line, "'\(name.excerpt(20))' follows its process, once") }
    return owner
  }

  private static func readHeading(
    _ cell: TokenStream, _ test: TestBuilder
  ) throws(LitmusError) -> AssemblyProcess {
    var cell = cell
    let line = cell.line
    let name = try cell.expectWord("a process such as P0")
    guard name.hasPrefix("P"), let number = Int(name.dropFirst()), (0..<1_000).contains(number),
      cell.isAtEnd
    else {
      let rest = cell.isAtEnd ? "" : " \(cell.next.source)…"
      throw LitmusError(
        line, "a process such as P0 expected, and not '\(name.excerpt(40))\(rest.excerpt(20))'")
    }
    var process = AssemblyProcess(number: number)
    process.builder.line = line
    for (register, value) in test.registers[number] ?? [] {
      process.builder.setInitial(value, of: try process.builder.register(register))
    }
    return process
  }

  private static func read(
    _ cell: inout TokenStream, into process: inout AssemblyProcess, _ test: inout TestBuilder,
    _ reader: some InstructionReader
  ) throws(LitmusError) {
    while let label = cell.next.word, cell.peek(1).isSymbol(":") {
      try process.setLabel(label, cell.line)
      cell.take()
      cell.take()
    }
    guard !cell.isAtEnd else { return }
    process.builder.line = cell.line
    try reader.read(&cell, into: &process, &test)
    guard cell.isAtEnd else {
      throw LitmusError(cell.line, "\(cell.next.text) behind an instruction")
    }
  }
}
