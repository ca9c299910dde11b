// A test while it is read: names of words and registers become numbers here.

/// Collects what readers find.
struct TestBuilder {
  private(set) var words: [SharedWord] = []
  private var numbers: [String: Int] = [:]
  /// What registers hold at the start, by process and name, with the line that says so.
  private(set) var registers: [Int: [(name: String, value: UInt64)]] = [:]
  var domains: [String] = []
  var sections: [SleepableSection] = []

  /// Most words, which is far more than anybody can read.
  private static let wordsMax = 1_000

  func hasWord(_ name: String) -> Bool { numbers[name] != nil }

  /// The number of a word, which is added if it is new.
  mutating func word(_ name: String, _ line: Int) throws(LitmusError) -> Int {
    if let number = numbers[name] { return number }
    guard words.count < Self.wordsMax else {
      throw LitmusError(line, "a test has at most \(Self.wordsMax) words of memory")
    }
    numbers[name] = words.count
    words.append(SharedWord(name: name))
    return words.count - 1
  }

  mutating func address(_ name: String, _ line: Int) throws(LitmusError) -> UInt64 {
    LitmusTest.address(ofWord: try word(name, line))
  }

  /// Makes a word the entry of a page, which leads to the page at the start.
  mutating func setEntry(_ entry: Int, ofPage page: Int) {
    words[page].entry = entry
    words[entry].initial = PageEntry(page: page).bits
  }

  mutating func setInitial(_ value: UInt64, ofWord word: Int) { words[word].initial = value }

  mutating func setInitial(_ value: UInt64, of register: String, in process: Int) {
    registers[process, default: []].append((register, value))
  }

  /// The number of an `srcu_struct`.
  mutating func domain(_ name: String) -> Int {
    if let number = domains.firstIndex(of: name) { return number }
    domains.append(name)
    return domains.count - 1
  }

  mutating func addSection(of domain: Int) -> Int {
    sections.append(SleepableSection(domain: domain))
    return sections.count - 1
  }
}

/// A process while it is read.
struct ProcessBuilder {
  private(set) var process: Process
  private var numbers: [String: Int] = [:]
  /// The line that is being read.
  var line = 0

  /// Most instructions of a process, and registers.
  private static let instructionsMax = 2_000
  private static let registersMax = 1_000

  init(number: Int) { process = Process(number: number) }

  func hasRegister(_ name: String) -> Bool { numbers[name] != nil }

  /// The number of a register, which is added if it is new.
  mutating func register(_ name: String) throws(LitmusError) -> Int {
    if let number = numbers[name] { return number }
    guard process.registers.count < Self.registersMax else {
      throw LitmusError(line, "\(process.name) has more than \(Self.registersMax) registers")
    }
    numbers[name] = process.registers.count
    process.registers.append(name)
    process.initial.append(0)
    return process.registers.count - 1
  }

  /// A register for what comes in between.
  mutating func temporary() throws(LitmusError) -> Int {
    try register("%\(process.registers.count)")
  }

  /// Lets faults go on here, and what came before end before.
  mutating func beginHandler() { process.handler = here }

  mutating func setLabels(_ labels: [String: Int]) { process.labels = labels }

  mutating func setInitial(_ value: UInt64, of register: Int) { process.initial[register] = value }

  /// The number of the instruction that is added next.
  var here: Int { process.instructions.count }

  @discardableResult
  mutating func emit(_ instruction: Instruction) throws(LitmusError) -> Int {
    guard here < Self.instructionsMax else {
      throw LitmusError(line, "\(process.name) has more than \(Self.instructionsMax) instructions")
    }
    process.instructions.append(instruction)
    process.lines.append(line)
    return here - 1
  }

  /// Lets a branch that was added go on here, or elsewhere.
  mutating func patch(_ index: Int, to target: Int? = nil) {
    process.instructions[index] = process.instructions[index].going(to: target ?? here)
  }

  /// Takes back the instruction with a number, if all behind it only compute.
  mutating func removeBranch(_ index: Int) -> Bool {
    let follows = process.instructions[(index + 1)...]
    let computes = follows.allSatisfy { if case .compute = $0 { true } else { false } }
    guard computes else { return false }
    process.instructions.remove(at: index)
    process.lines.remove(at: index)
    return true
  }

  /// Computes, at once if the operands are known.
  mutating func compute(
    _ computation: Computation, _ a: Operand, _ b: Operand = .constant(0),
    _ c: Operand = .constant(0)
  ) throws(LitmusError) -> Operand {
    if case .constant(let a) = a, case .constant(let b) = b, case .constant(let c) = c {
      return .constant(computation.result(a, b, c))
    }
    let register = try temporary()
    try emit(.compute(register, computation, a, b, c))
    return .register(register)
  }
}
