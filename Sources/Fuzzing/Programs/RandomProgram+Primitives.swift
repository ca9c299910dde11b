// Random programs that try locks, change bits, count sequences, and assume things.

import GracewalkMachine
import GracewalkSupport

extension RandomProgram {
  /// What Linux has besides locks that block, and what only models have: assumptions.
  static let primitives: [[Instruction]] = [
    [.tryLock, .lock, .load, .store, .tryLock],
    [.tryReadLock, .tryWriteLock, .downgrade, .readLock, .writeLock, .load, .store],
    [.downgrade, .writeLock, .tryReadLock, .fetchAdd, .tryWriteLock],
    [.and, .or, .xor, .sub, .load, .fetchAdd],
    [.or, .wait, .and, .compareExchange, .tryLock],
    [.install, .lockPage, .tryLockPage, .walk, .removeLater, .section],
    [.install, .allow, .deny, .turnOff, .walk, .write],
    [.assume, .load, .store, .lock, .section, .synchronize],
    [.assume, .exchange, .tryLock, .install, .remove],
    [.readSeq, .writeSeq, .load, .store],
  ]

  /// The program with such instructions for a seed.
  public init(primitiveSeed seed: UInt64, size: Size = .full, identical: Bool = false) {
    var random = SplitMix64(seed: seed ^ 0x7072_696D_6974_6976)
    if identical {
      self.init(identicalSeed: seed, size: size)
    } else {
      self.init(seed: seed, size: size)
    }
    hasCounter = true
    let cpuCount = copies.reduce(0, +)
    for cpu in cpus.indices where random.below(5) != 0 {
      // An entry turned off holds the address of a page as a number, and numbers are not exchanged:
      // the search with symmetry says so and stops.
      let mix = random.pick(Self.primitives).filter { !identical || $0 != .turnOff }
      let length = 1 + random.below(size.longest(cpuCount))
      cpus[cpu] = Self.parts(from: mix, length: length, words: wordCount, &random)
    }
  }

  /// Takes a lock if it is free, or gives it back; 1 if it is held then.
  static func tryLock(
    _ step: Step, _ objects: Objects, _ cpu: VirtualCPU, _ held: inout Held
  ) throws -> UInt64 {
    let lock = objects.readWriteLock
    let isFree = !held.reads && !held.writes
    switch step.instruction {
    case .tryLock:
      let number = Int(step.new) - 1
      if held.locks.remove(number) != nil {
        try cpu.unlock(objects.locks[number])
        return 0
      }
      guard try cpu.tryLock(objects.locks[number]) else { return 0 }
      held.locks.insert(number)
    case .tryReadLock:
      // One that holds it as the writer cannot have it.
      if held.reads { return 0 }
      guard try cpu.tryReadLock(lock) else { return 0 }
      held.reads = true
    case .tryWriteLock:
      guard try cpu.tryWriteLock(lock) else { return 0 }
      held.writes = true
    default:
      if isFree { try cpu.writeLock(lock) }
      if held.reads { return 0 }
      try cpu.downgrade(lock)
      (held.reads, held.writes) = (true, false)
    }
    return 1
  }

  /// The rest of the instructions that only such programs have.
  static func runPrimitive(
    _ step: Step, _ objects: Objects, _ cpu: VirtualCPU, _ seen: UInt64
  ) throws -> UInt64 {
    let word = objects.words[step.word]
    func entry() throws -> Entry { Entry(try slot(of: step, objects, cpu)) }
    switch step.instruction {
    case .and: return try cpu.fetchAnd(word, step.new, .acquireRelease)
    case .or: return try cpu.fetchOr(word, step.new, .acquireRelease)
    case .xor: return try cpu.fetchXor(word, step.new, .acquireRelease)
    case .sub: return try cpu.fetchSub(word, Int64(step.new), .relaxed)
    case .allow:
      return try cpu.fetchOr(entry(), Descriptor.writeBit, .release).isValid ? 1 : 0
    case .deny:
      return try cpu.fetchAnd(entry(), ~Descriptor.writeBit, .release).isValid ? 1 : 0
    case .turnOff:
      return try cpu.fetchXor(entry(), Descriptor.validBit, .release).isValid ? 1 : 0
    case .assume:
      try cpu.assume(seen % 3 != step.old, "it has seen something else")
      return 0
    case .readSeq, .writeSeq: return try runCounter(step, objects, cpu)
    default: return try runPageLock(step, entry(), cpu)
    }
  }

  private static func runCounter(
    _ step: Step, _ objects: Objects, _ cpu: VirtualCPU
  ) throws -> UInt64 {
    guard let counter = objects.counter else { return 0 }
    if step.instruction == .readSeq {
      let start = try cpu.readSeqcountBegin(counter)
      let value = try cpu.load(objects.words[step.word], .relaxed)
      return try cpu.readSeqcountRetry(counter, start) ? 7 : value
    }
    try cpu.writeSeqcountBegin(counter)
    try cpu.store(objects.words[step.word], step.new, .relaxed)
    try cpu.writeSeqcountEnd(counter)
    return 0
  }

  /// Writes to a page under its own lock.
  private static func runPageLock(
    _ step: Step, _ entry: Entry, _ cpu: VirtualCPU
  ) throws -> UInt64 {
    guard let page = cpu.table(at: try cpu.load(entry, .acquire)) else { return 0 }
    if step.instruction == .lockPage {
      try cpu.lock(page.lock)
    } else {
      guard try cpu.tryLock(page.lock) else { return 2 }
    }
    let value = try cpu.load(page[1], .relaxed)
    try cpu.store(page[1], value &+ 1, .relaxed)
    try cpu.unlock(page.lock)
    return 1
  }
}
