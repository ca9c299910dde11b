// Who releases locks and ends sections: rules that hold only if it is whoever took or entered them.

extension LitmusTest {
  /// The words that nothing but locks accesses, and that only a process which holds them releases,
  /// as a set.
  var lockWords: UInt64 {
    var locks: UInt64 = 0
    var others: UInt64 = 0
    for instruction in processes.flatMap(\.instructions) {
      guard let address = instruction.addressOperand else { continue }
      guard case .constant(let value) = address else { return 0 }
      guard let word = LitmusTest.word(at: value, of: words.count) else { continue }
      switch instruction {
      case .lock, .unlock: locks |= 1 << UInt64(word)
      default: others |= 1 << UInt64(word)
      }
    }
    for process in processes { others |= process.strayReleases(wordCount: words.count) }
    return locks & ~others
  }

  /// Whether a process may end a sleepable section that another has entered, while grace periods
  /// wait for it.
  var mayPassOnSections: Bool {
    !sections.isEmpty
      && processes.flatMap(\.instructions).contains {
        if case .synchronizeSleepable = $0 { true } else { false }
      }
  }
}

extension Process {
  /// The words that it may release without holding them as locks, as a set.
  fileprivate func strayReleases(wordCount: Int) -> UInt64 {
    var stray: UInt64 = 0
    // Per instruction, the locks that are held there whichever way led to it; nil if none did.
    var held: [UInt64?] = Array(repeating: nil, count: instructions.count + 1)
    held[0] = 0
    for (index, instruction) in instructions.enumerated() {
      var locks = held[index] ?? 0
      if let word = instruction.lockWord(of: wordCount) {
        if case .lock = instruction { locks |= 1 << word }
        if case .unlock = instruction {
          // Where code loops, ways back are not looked at.
          if loops || locks >> word & 1 == 0 { stray |= 1 << word }
          locks &= ~(1 << word)
        }
      }
      if held[index] == nil { continue }
      var next = instruction.goesOn ? [index + 1] : []
      if let target = instruction.target { next.append(min(target, instructions.count)) }
      for place in next { held[place] = (held[place] ?? locks) & locks }
    }
    return stray
  }
}

extension Instruction {
  fileprivate func lockWord(of count: Int) -> UInt64? {
    guard case .constant(let value)? = lockOperand else { return nil }
    return LitmusTest.word(at: value, of: count).map { UInt64($0) }
  }
}
