// A litmus test as a value: words, processes as lists of instructions, and what is asked.

/// The language that a test's processes are written in.
package enum Dialect: String, Sendable {
  case kernelC = "C"
  case x86 = "X86"
  case x86In64Bits = "X86_64"
  case aarch64 = "AArch64"

  /// As sentences name it.
  package var text: String {
    switch self {
    case .kernelC: "the kernel's C"
    case .x86, .x86In64Bits: "x86"
    case .aarch64: "AArch64"
    }
  }
}

/// A word of memory that a test names.
package struct SharedWord: Equatable, Sendable {
  package var name: String
  package var initial: UInt64 = 0
  /// The word that is the entry of the page table for it; nil where no test looks at that.
  package var entry: Int?

  package init(name: String, initial: UInt64 = 0, entry: Int? = nil) {
    (self.name, self.initial, self.entry) = (name, initial, entry)
  }
}

/// One process of a test.
package struct Process: Sendable {
  /// The number in its name: `P0` has 0.
  package var number: Int
  /// Names of registers, by their numbers; those without a name in the test begin with `%`.
  package var registers: [String] = []
  /// What registers hold at the start, by their numbers.
  package var initial: [UInt64] = []
  package var instructions: [Instruction] = []
  /// The line of the file that each instruction is from.
  package var lines: [Int] = []
  /// The instruction at which it goes on after a fault; nil if that ends it.
  package var handler: Int?
  /// The instructions that have names.
  package var labels: [String: Int] = [:]

  package init(number: Int) { self.number = number }

  package var name: String { "P\(number)" }

  /// True if some instruction may be carried out twice.
  package var loops: Bool {
    instructions.enumerated().contains { index, instruction in
      instruction.target.map { $0 <= index } ?? false
    }
  }
}

/// A read-side section of sleepable read-copy-update: a place where code enters one.
package struct SleepableSection: Equatable, Sendable {
  /// The number of the `srcu_struct`.
  package var domain: Int
}

/// A litmus test.
package struct LitmusTest: Sendable {
  package var name: String
  package var dialect: Dialect
  package var words: [SharedWord] = []
  package var processes: [Process] = []
  /// The `srcu_struct`s, by number.
  package var domains: [String] = []
  package var sections: [SleepableSection] = []
  package var condition = Condition()
  /// Whether it says that it is about processors with FEAT_ETS2.
  package var hasETS2 = false

  package init(name: String, dialect: Dialect) { (self.name, self.dialect) = (name, dialect) }

  /// The numbers of the words that are locks.
  package var locks: Set<Int> {
    var locks: Set<Int> = []
    for instruction in processes.flatMap(\.instructions) {
      if case .constant(let address) = instruction.lockOperand,
        let word = LitmusTest.word(at: address, of: words.count)
      {
        locks.insert(word)
      }
    }
    return locks
  }

  /// True if some process may carry out an instruction twice.
  package var loops: Bool { processes.contains(where: \.loops) }

  // MARK: Addresses

  // Words are a page apart, far from the numbers that tests count with.
  private static let base: UInt64 = 0x4000_0000
  private static let shift: UInt64 = 12

  /// The address of a word.
  package static func address(ofWord number: Int) -> UInt64 { base + UInt64(number) << shift }

  /// The number of the word at an address; nil if none of them is there.
  package static func word(at address: UInt64, of count: Int) -> Int? {
    guard address >= base, address & ((1 << shift) - 1) == 0 else { return nil }
    let number = (address - base) >> shift
    return number < UInt64(count) ? Int(number) : nil
  }

  /// A value as the test's author would write it: the name of a word for its address.
  package func text(of value: UInt64) -> String {
    if let word = Self.word(at: value, of: words.count) { return words[word].name }
    if let entry = PageEntry(bits: value) { return text(of: entry) }
    return String(Int64(bitPattern: value))
  }
}
