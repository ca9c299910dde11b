// What a process may still do from an instruction on, found by looking at its code.

import GracewalkMachine

extension FutureUse {
  /// Per instruction of a process, and at its end.
  ///
  /// - Parameter observed: the registers that are looked at when the process has ended.
  static func table(of process: Process, wordCount: Int, observed: Set<Int>) -> [FutureUse] {
    let count = process.instructions.count
    let reach = Reach(process, wordCount: wordCount)
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
        use.add(instruction, reach)
        if use != table[index] {
          table[index] = use
          changes = true
        }
      }
    }
    return table
  }

  private mutating func add(_ instruction: Instruction, _ reach: Reach) {
    if let result = instruction.result {
      registers &= ~(1 << UInt64(result))
      views &= ~(1 << UInt64(result))
    }
    let words = instruction.addressOperand.map { reach.words(at: $0) } ?? 0
    if instruction.stores { stored |= words }
    var usesViews = true
    switch instruction {
    case .load(_, _, let order, _): addLoad(of: words, acquires: order.acquiresInOrder)
    case .isLocked: addLoad(of: words, acquires: false)
    case .waitUntilUnlocked: addLoad(of: words, acquires: true)
    case .update(_, let modification, _, _, let order):
      updated |= words
      acquires = acquires || order.acquiresInOrder
      if modification.mayFail { addLoad(of: words, acquires: order.acquiresInOrder) }
      if order.isFull { (ordersReads, ordersWrites) = (true, true) }
    case .lock:
      updated |= words
      acquires = true
    case .tryLock:
      updated |= words
      addLoad(of: words, acquires: true)
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

/// The words that addresses in a process's code may lead to.
private struct Reach {
  private let wordCount: Int
  /// Per register, what it holds if no instruction changes it.
  private var held: [UInt64?]

  init(_ process: Process, wordCount: Int) {
    self.wordCount = wordCount
    held = process.registers.indices.map {
      $0 < process.initial.count ? process.initial[$0] : 0
    }
    for register in process.instructions.compactMap(\.result) { held[register] = nil }
  }

  /// A set; all words if the address is computed or loaded.
  func words(at address: Operand) -> UInt64 {
    let value: UInt64? =
      switch address {
      case .constant(let value): value
      case .register(let register): held[register]
      }
    guard let value else { return ~0 }
    return LitmusTest.word(at: value, of: wordCount).map { 1 << UInt64($0) } ?? 0
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
