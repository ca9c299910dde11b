// Random programs with bounded loops: the number of steps depends on other CPUs.

import GracewalkMachine
import GracewalkSupport

extension RandomProgram {
  /// A loop, and instructions that interfere with it.
  static let loops: [[Instruction]] = [
    [.retry, .poll, .store, .compareExchange],
    [.retry, .retry, .fetchAdd, .exchange],
    [.poll, .section, .synchronize, .store],
    [.retry, .lock, .poll, .choose],
  ]

  /// The program with loops for a seed.
  public init(loopSeed seed: UInt64, size: Size = .full) {
    var random = SplitMix64(seed: seed ^ 0x6C6F_6F70_7365_6564)
    self.init(seed: seed, size: size)
    wordCount = random.pick([1, 2])
    cpus = cpus.map { parts in
      if random.below(3) == 0 { return parts }
      let mix = random.pick(Self.loops)
      let length = 1 + random.below(max(size.longest(cpus.count) - 1, 1))
      return Self.parts(from: mix, length: length, words: wordCount, &random)
    }
    keepWords()
  }

  /// Instructions that only programs with loops have.
  static func runLoop(_ step: Step, _ word: Location, _ cpu: VirtualCPU) throws -> UInt64 {
    switch step.instruction {
    case .retry:
      // Adds by compare-exchange, as lockless code does, but gives up after the third time.
      var seen = try cpu.load(word, .relaxed)
      for turn in 0..<3 as Range<UInt64> {
        let result = try cpu.compareExchange(
          word, expected: seen, desired: seen &+ step.new, .acquireRelease)
        if result.exchanged { return turn }
        seen = result.original
      }
      return 3
    case .poll:
      // Polls a few times for a change of the word.
      for turn in 0...(1 + step.old) {
        if try cpu.load(word, .acquire) == step.new { return turn }
      }
      return 7
    default: return 0
    }
  }
}
