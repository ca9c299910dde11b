// Random programs whose loops forget their turns: some end, some loop forever.

import GracewalkMachine
import GracewalkSupport

extension RandomProgram {
  /// A loop, instructions that may end it, and instructions that interfere with it.
  static let repeating: [[Instruction]] = [
    [.take, .clear, .takeBoth, .store],
    [.takeBoth, .takeBoth, .clear],
    [.await, .store, .clear, .flip],
    [.await, .bump, .fetchAdd, .choose],
    [.bump, .flip, .gamble, .peek],
    [.guarded, .lock, .store, .take],
    [.peek, .synchronize, .store, .guarded],
    [.chase, .clear, .store, .take],
    [.own, .store, .clear, .own],
    [.take, .call, .clear, .barrier],
  ]

  /// The program with repeated turns for a seed.
  public init(repeatSeed seed: UInt64, size: Size = .full) {
    var random = SplitMix64(seed: seed ^ 0x7265_7065_6174_6564)
    self.init(seed: seed, size: size)
    hasRepeats = true
    wordCount = random.pick([1, 2, 2])
    let cpuCount = random.pick([2, 2, 3])
    copies = Array(repeating: 1, count: cpuCount)
    cpus = copies.map { _ in
      let mix = random.pick(Self.repeating)
      let length = 1 + random.below(cpuCount == 2 && size == .full ? 3 : 2)
      return Self.parts(from: mix, length: length, words: wordCount, &random)
    }
  }

  /// Instructions that only programs with repeated turns have.
  static func runRepeated(
    _ step: Step, _ objects: Objects, _ cpu: VirtualCPU
  ) throws -> UInt64 {
    let word = objects.words[step.word]
    let next = objects.words[(step.word + 1) % objects.words.count]
    switch step.instruction {
    case .clear:
      try cpu.store(word, step.old, .release)
      return 0
    case .takeBoth:
      return try cpu.repeatUntilDone { () throws(Abandoned) -> UInt64? in
        guard try take(cpu, word, step.new) else { return nil }
        if try take(cpu, next, step.new) { return step.old }
        try cpu.store(word, 0, .release)
        return nil
      }
    case .chase:
      return try cpu.repeatUntilDone { () throws(Abandoned) -> UInt64? in
        let seen = try cpu.repeatUntilDone { () throws(Abandoned) -> UInt64? in
          let value = try cpu.load(word, .acquire)
          return value == 0 ? nil : value
        }
        let result = try cpu.compareExchange(next, expected: seen, desired: 0, .acquireRelease)
        return result.exchanged ? seen : nil
      }
    case .own: return try runOwn(step, word, cpu)
    default:
      return try cpu.repeatUntilDone { () throws(Abandoned) -> UInt64? in
        try turn(step, word, objects, cpu)
      }
    }
  }

  /// One turn of a simple loop.
  private static func turn(
    _ step: Step, _ word: Location, _ objects: Objects, _ cpu: VirtualCPU
  ) throws(Abandoned) -> UInt64? {
    switch step.instruction {
    case .take: return try take(cpu, word, step.new) ? 1 : nil
    case .await:
      let value = try cpu.load(word, .acquire)
      return value == step.new ? value : nil
    case .bump:
      let old = try cpu.load(word, .relaxed)
      let sum = (old &+ step.new) & 3
      return try cpu.compareExchange(word, expected: old, desired: sum, .relaxed).exchanged
        ? old : nil
    case .flip: return try cpu.exchange(word, step.new, .relaxed) == step.old ? 1 : nil
    case .gamble: return try cpu.choose(2) == 1 ? 1 : nil
    case .peek:
      try cpu.rcuReadLock()
      let value = try cpu.load(word, .acquire)
      try cpu.rcuReadUnlock()
      return value == step.old ? value : nil
    default:
      let lock = objects.locks[Int(step.new) - 1]
      try cpu.lock(lock)
      let value = try cpu.load(word, .relaxed)
      try cpu.unlock(lock)
      return value == step.old ? value : nil
    }
  }

  private static func take(
    _ cpu: VirtualCPU, _ word: Location, _ value: UInt64
  ) throws(Abandoned) -> Bool {
    try cpu.compareExchange(word, expected: 0, desired: value, .acquire).exchanged
  }

  /// Two pages that are private in some turns and no longer in others, and a link from one to the
  /// other that outlives the turn that made it.
  private static func runOwn(
    _ step: Step, _ word: Location, _ cpu: VirtualCPU
  ) throws -> UInt64 {
    guard let page = try cpu.allocateTable(), let below = try cpu.allocateTable() else { return 0 }
    return try cpu.repeatUntilDone { () throws(Abandoned) -> UInt64? in
      let value = try cpu.load(word, .acquire)
      if value == step.old { try cpu.publish(page) }
      if value == step.new { try cpu.store(page[1], Descriptor.table(below).bits, .release) }
      let before = try cpu.exchange(below[0], value, .relaxed)
      let after = try cpu.load(below[0], .relaxed)
      return before != after && after != step.new ? before : nil
    }
  }
}
