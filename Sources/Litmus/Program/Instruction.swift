// The small instruction set that all dialects of litmus tests are read into.

/// What an instruction works on.
package enum Operand: Hashable, Sendable {
  case register(Int)
  case constant(UInt64)
}

/// Which order an access asks for, in the words of all dialects together.
package enum AccessOrder: Hashable, Sendable {
  case relaxed
  case acquire
  /// An acquire that earlier releases of the same process need not come before (`LDAPR`).
  case acquireLocally
  case release
  /// An acquiring load and a releasing store.
  case acquireRelease
  /// Ordered against all before and behind it.
  case full
}

/// A fence, by what it orders.
package enum Fence: Hashable, Sendable {
  case full
  /// Loads before it against all behind it.
  case loads
  /// Stores against stores.
  case stores
  /// What is fetched behind it against branches before it (`ISB`).
  case instructions
  /// `DSB`: all before it, loads, or stores, against all behind it, invalidations included.
  case synchroniseAll, synchroniseLoads, synchroniseStores
}

/// What a computation makes of its operands.
package enum Computation: Hashable, Sendable {
  case copy, add, subtract, multiply, divide, remainder
  case and, or, xor, clear, shiftLeft, shiftRight
  case equal, unequal, less, lessOrEqual
  case complement, negate, isZero
  /// The first operand if the third is not zero, else the second.
  case select
}

/// What a read-modify-write makes of the value that it finds.
package enum Modification: Hashable, Sendable {
  case exchange, add, and, or, xor
  /// Replaces the value if it is the one expected.
  case compareExchange(expected: Operand)
  /// Adds unless the value is this one.
  case addUnless(Operand)
}

/// One instruction of a process; addresses of words are values like others.
package enum Instruction: Hashable, Sendable {
  case load(Int?, at: Operand, AccessOrder, isExclusive: Bool)
  case store(Operand, at: Operand, AccessOrder)
  /// Stores if nobody else has stored since the exclusive load; the register becomes 0 if so.
  case storeExclusive(Operand, at: Operand, AccessOrder, status: Int?)
  /// A read-modify-write; the register gets the value found.
  case update(Int?, Modification, at: Operand, by: Operand, AccessOrder)
  case fence(Fence)
  /// Removes what walks have cached of a page, whose number is that of its address, or of all;
  /// `isLocal`: only for its own process.
  case invalidate(Operand?, isLocal: Bool)
  case compute(Int, Computation, Operand, Operand = .constant(0), Operand = .constant(0))
  case branch(ifZero: Operand, to: Int)
  case branchUnless(zero: Operand, to: Int)
  case jump(to: Int)
  // Locks: the operand is a constant.
  case lock(Operand)
  case unlock(Operand)
  /// The register becomes 1 if the lock was free, and then is taken.
  case tryLock(Operand, Int?)
  case isLocked(Operand, Int?)
  case waitUntilUnlocked(Operand)
  // Read-copy-update: sections of one process nest.
  case enterSection
  case leaveSection
  case synchronize
  // Sleepable read-copy-update: sections by number, each entered in one place.
  case enterSleepable(section: Int, Int?)
  case leaveSleepable(domain: Int, Operand)
  case synchronizeSleepable(domain: Int)
}

extension Instruction {
  /// The register that it writes; nil if it writes none.
  package var result: Int? {
    switch self {
    case .load(let register, _, _, _), .update(let register, _, _, _, _),
      .tryLock(_, let register), .isLocked(_, let register), .enterSleepable(_, let register):
      register
    case .storeExclusive(_, _, _, let register): register
    case .compute(let register, _, _, _, _): register
    case .store, .fence, .invalidate, .branch, .branchUnless, .jump, .lock, .unlock,
      .waitUntilUnlocked, .enterSection, .leaveSection, .synchronize, .leaveSleepable,
      .synchronizeSleepable:
      nil
    }
  }

  /// What it reads.
  package var operands: [Operand] {
    switch self {
    case .load(_, let address, _, _): [address]
    case .store(let value, let address, _): [value, address]
    case .storeExclusive(let value, let address, _, _): [value, address]
    case .update(_, let modification, let address, let operand, _):
      switch modification {
      case .compareExchange(let expected): [address, operand, expected]
      case .addUnless(let exempt): [address, operand, exempt]
      case .exchange, .add, .and, .or, .xor: [address, operand]
      }
    case .compute(_, _, let a, let b, let c): [a, b, c]
    case .branch(let operand, _), .branchUnless(let operand, _): [operand]
    case .lock(let lock), .unlock(let lock), .tryLock(let lock, _), .isLocked(let lock, _),
      .waitUntilUnlocked(let lock):
      [lock]
    case .leaveSleepable(_, let token): [token]
    case .invalidate(let page, _): page.map { [$0] } ?? []
    case .fence, .jump, .enterSection, .leaveSection, .synchronize, .enterSleepable,
      .synchronizeSleepable:
      []
    }
  }

  /// Where it may go besides the instruction behind it.
  package var target: Int? {
    switch self {
    case .branch(_, let target), .branchUnless(_, let target), .jump(let target): target
    case .load, .store, .storeExclusive, .update, .fence, .invalidate, .compute, .lock, .unlock,
      .tryLock, .isLocked, .waitUntilUnlocked, .enterSection, .leaveSection, .synchronize,
      .enterSleepable, .leaveSleepable, .synchronizeSleepable:
      nil
    }
  }

  /// True if the instruction behind it may follow.
  package var goesOn: Bool {
    if case .jump = self { false } else { true }
  }

  /// The lock that it is about; nil if it is about none.
  package var lockOperand: Operand? {
    switch self {
    case .lock(let lock), .unlock(let lock), .tryLock(let lock, _), .isLocked(let lock, _),
      .waitUntilUnlocked(let lock):
      lock
    case .load, .store, .storeExclusive, .update, .fence, .invalidate, .compute, .branch,
      .branchUnless, .jump, .enterSection, .leaveSection, .synchronize, .enterSleepable,
      .leaveSleepable, .synchronizeSleepable:
      nil
    }
  }

  /// The same with another place to go to.
  package func going(to target: Int) -> Instruction {
    switch self {
    case .branch(let operand, _): .branch(ifZero: operand, to: target)
    case .branchUnless(let operand, _): .branchUnless(zero: operand, to: target)
    case .jump: .jump(to: target)
    case .load, .store, .storeExclusive, .update, .fence, .invalidate, .compute, .lock, .unlock,
      .tryLock, .isLocked, .waitUntilUnlocked, .enterSection, .leaveSection, .synchronize,
      .enterSleepable, .leaveSleepable, .synchronizeSleepable:
      self
    }
  }
}

extension Computation {
  /// What comes of values; numbers are signed where that makes a difference, and wrap.
  package func result(_ a: UInt64, _ b: UInt64, _ c: UInt64) -> UInt64 {
    let (left, right) = (Int64(bitPattern: a), Int64(bitPattern: b))
    switch self {
    case .copy: return a
    case .add: return a &+ b
    case .subtract: return a &- b
    case .multiply: return a &* b
    case .divide:
      // Nothing traps here: what C leaves undefined is 0, as division by 0 is on Arm.
      return right == 0 ? 0 : UInt64(bitPattern: left.dividedReportingOverflow(by: right).0)
    case .remainder:
      let parts = left.remainderReportingOverflow(dividingBy: right)
      return right == 0 ? a : UInt64(bitPattern: parts.partialValue)
    case .and: return a & b
    case .or: return a | b
    case .xor: return a ^ b
    case .clear: return a & ~b
    case .shiftLeft: return b < 64 ? a << b : 0
    case .shiftRight: return b < 64 ? a >> b : 0
    case .equal: return a == b ? 1 : 0
    case .unequal: return a != b ? 1 : 0
    case .less: return left < right ? 1 : 0
    case .lessOrEqual: return left <= right ? 1 : 0
    case .complement: return ~a
    case .negate: return 0 &- a
    case .isZero: return a == 0 ? 1 : 0
    case .select: return c != 0 ? a : b
    }
  }
}
