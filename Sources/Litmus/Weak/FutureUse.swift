// What a process may still do from an instruction on, found by looking at its code.

import GracewalkMachine

extension FutureUse {
  /// Per instruction of a process, and at its end.
  ///
  /// - Parameter observed: the registers that are looked at when the process has ended.
  static func table(of process: Process, wordCount: Int, observed: Set<Int>) -> [FutureUse] {
    let count = process.instructions.count
    var table = Array(repeating: FutureUse(), count: count + 1)
    for register in observed { table[count].registers |= 1 << UInt64(register) }
    var changes = true
    while changes {
      changes = false
      for index in stride(from: count - 1, through: 0, by: -1) {
        let instruction = process.instructions[index]
        var use = FutureUse()
        if instruction.goesOn { use = table[index + 1] }
        if let target = instruction.target { use.join(table[min(target, count)]) }
        use.add(instruction, wordCount: wordCount)
        if use != table[index] {
          table[index] = use
          changes = true
        }
      }
    }
    return table
  }

  private mutating func add(_ instruction: Instruction, wordCount: Int) {
    if let result = instruction.result {
      registers &= ~(1 << UInt64(result))
      views &= ~(1 << UInt64(result))
    }
    func words(_ address: Operand) -> UInt64 {
      guard case .constant(let value) = address else { return ~0 }
      return LitmusTest.word(at: value, of: wordCount).map { 1 << UInt64($0) } ?? 0
    }
    var usesViews = true
    switch instruction {
    case .load(_, let address, let order, _):
      addLoad(of: words(address), acquires: order.acquiresInOrder)
    case .isLocked(let lock, _): addLoad(of: words(lock), acquires: false)
    case .waitUntilUnlocked(let lock): addLoad(of: words(lock), acquires: true)
    case .update(_, let modification, let address, _, let order):
      updated |= words(address)
      acquires = acquires || order.acquiresInOrder
      if modification.mayFail { addLoad(of: words(address), acquires: order.acquiresInOrder) }
      if order.isFull { (ordersReads, ordersWrites) = (true, true) }
    case .lock(let lock):
      updated |= words(lock)
      acquires = true
    case .tryLock(let lock, _):
      updated |= words(lock)
      addLoad(of: words(lock), acquires: true)
    case .fence(.full), .fence(.synchroniseAll): (ordersReads, ordersWrites) = (true, true)
    case .fence(.loads), .fence(.synchroniseLoads): ordersReads = true
    case .fence(.synchroniseStores): ordersWrites = true
    case .fence(.instructions): hasISB = true
    case .enterSection, .leaveSection, .synchronize, .enterSleepable, .leaveSleepable,
      .synchronizeSleepable:
      (ordersReads, ordersWrites, hasSections) = (true, true, true)
      usesViews = false
    case .storeExclusive: hasExclusiveStore = true
    case .branch, .branchUnless: usesViews = hasISB
    case .store, .fence(.stores), .invalidate, .compute, .jump, .unlock: break
    }
    for case .register(let register) in instruction.operands {
      registers |= 1 << UInt64(register)
      if usesViews { views |= 1 << UInt64(register) }
    }
  }

  private mutating func addLoad(of words: UInt64, acquires: Bool) {
    loaded |= words
    loads = true
    self.acquires = self.acquires || acquires
  }
}

extension AccessOrder {
  /// True for an acquire that waits for releases before it.
  var acquiresInOrder: Bool { self == .acquire || isFull }
  var releases: Bool { self == .release || isFull }
  /// True for one read-modify-write with both orders, or a full barrier around it.
  var isFull: Bool { self == .acquireRelease || self == .full }
}

extension Modification {
  /// True if it leaves some values as they are.
  var mayFail: Bool {
    switch self {
    case .compareExchange, .addUnless: true
    case .exchange, .add, .and, .or, .xor: false
    }
  }

  var compares: Bool {
    if case .compareExchange = self { true } else { false }
  }

  /// True if what it writes depends on what it reads.
  var dependsOnRead: Bool {
    switch self {
    case .exchange, .compareExchange: false
    case .add, .and, .or, .xor, .addUnless: true
    }
  }
}
