// Random programs with identical CPUs, to test symmetry.

import GracewalkInvariants
import GracewalkMachine
import GracewalkSupport

extension RandomProgram {
  /// The number of CPUs that run each program of a scenario.
  private static let shapes: [[Int]] = [
    [2], [2], [2, 1], [2, 1], [3], [3], [2, 2], [3, 1], [2, 1, 1], [4],
  ]

  /// Instructions that reveal the identity of a CPU: addresses of pages in words, results and
  /// callbacks.
  private static let telling: [[Instruction]] = [
    [.keep, .keepOwn, .follow, .look, .replace, .install, .drop],
    [.install, .keep, .look, .waitForPage, .remove, .walk],
    [.keepOwn, .drop, .callTwice, .section, .barrier, .look],
  ]

  /// The program with identical CPUs for a seed.
  ///
  /// `size`: how long the programs are; fewer CPUs have longer ones.
  public init(identicalSeed seed: UInt64, size: Size = .full) {
    var random = SplitMix64(seed: seed ^ 0x6964_656E_7469_6361)
    self.init(seed: seed, size: size)
    wordCount = random.pick([1, 2])
    copies = random.pick(Self.shapes)
    let cpuCount = copies.reduce(0, +)
    hasSpecification = cpuCount < 4 && random.below(8) == 0
    cpus = copies.map { _ in
      let mix = random.pick(Self.mixes + Self.telling)
      let length = 1 + random.below(size.longest(cpuCount))
      return Self.parts(from: mix, length: length, words: wordCount, &random)
    }
  }

  var hasIdenticalCPUs: Bool { copies.contains { $0 > 1 } }

  /// Instructions that only programs with identical CPUs have.
  static func runIdentical(
    _ step: Step, _ objects: Objects, _ cpu: VirtualCPU
  ) throws -> UInt64 {
    guard let kept = objects.kept else { return 0 }
    switch step.instruction {
    case .keep:
      let entry = try cpu.load(slot(of: step, objects, cpu), .acquire)
      try cpu.store(kept, entry, .release)
      return entry % 2
    case .keepOwn:
      guard let page = try cpu.allocateTable() else { return 0 }
      try cpu.store(page[0], step.new, .relaxed)
      try cpu.publish(page)
      return try cpu.exchange(kept, Descriptor.table(page).bits, .acquireRelease) % 2
    case .drop:
      let found = try cpu.exchange(kept, 0, .acquireRelease)
      guard let page = cpu.table(at: Descriptor(bits: found)) else { return 0 }
      try cpu.callRCU { cpu in try cpu.free(page) }
      return 1
    case .follow:
      let found = try cpu.load(kept, .acquire)
      guard let page = cpu.table(at: Descriptor(bits: found)) else { return 0 }
      return try cpu.fetchAdd(objects.number(in: page, 0), 1, .relaxed)
    case .look: return try cpu.load(kept, .acquire)
    case .replace:
      let found = try cpu.load(kept, .acquire)
      let entry = try slot(of: step, objects, cpu)
      let result = try cpu.compareExchange(entry, expected: found, desired: 0, .acquireRelease)
      return result.exchanged ? 1 : result.original
    case .waitForPage: return try cpu.wait(until: kept, .bits(1, equal: step.new - 1))
    default:
      let word = objects.words[step.word]
      try cpu.callRCU { cpu in
        let value = try cpu.load(word, .acquire)
        try cpu.callRCU { cpu in try cpu.store(word, value &+ step.new, .release) }
      }
      return 0
    }
  }
}

/// Operations that may return 1 only after others have returned 0: true of some executions.
struct RandomSpecification: SequentialSpecification {
  var initial: [UInt64] { [0] }

  static func call(_ part: Int) -> SpecificationCall {
    SpecificationCall(operation: part, argument: 0)
  }

  func apply(_ call: SpecificationCall, returning result: UInt64, to state: [UInt64]) -> [UInt64]? {
    if result == 0 { return [state[0] + 1] }
    return state[0] > UInt64(call.operation) ? [state[0] - 1] : nil
  }

  func text(of call: SpecificationCall) -> String { "part \(call.operation)" }
  func text(ofResult result: UInt64) -> String { "\(result)" }
}
