// Random programs with a context: using it, releasing it, and leaving pages behind.

import GracewalkMachine
import GracewalkSupport

extension RandomProgram {
  /// Uses and releases of a VM, and allocation and freeing of the pages that belong to it.
  static let contexts: [[Instruction]] = [
    [.use, .release, .load, .store, .section],
    [.install, .remove, .release, .use, .walk],
    [.install, .removeLater, .useLater, .barrier, .release],
    [.takeTable, .giveTableBack, .release, .remove, .section],
    [.install, .removeLater, .synchronize, .release, .section],
  ]

  /// The program with a context for a seed.
  public init(contextSeed seed: UInt64, size: Size = .full) {
    var random = SplitMix64(seed: seed ^ 0x636F_6E74_6578_7473)
    self.init(seed: seed, size: size)
    addContext(size, cpus.count, &random)
  }

  /// The program with a context and identical CPUs for a seed.
  public init(identicalContextSeed seed: UInt64, size: Size = .full) {
    var random = SplitMix64(seed: seed ^ 0x636F_6E74_7477_696E)
    self.init(identicalSeed: seed, size: size)
    addContext(size, copies.reduce(0, +), &random)
  }

  private mutating func addContext(_ size: Size, _ cpuCount: Int, _ random: inout SplitMix64) {
    hasContext = true
    slabPages = random.pick([0, 0, 1, 2])
    for cpu in cpus.indices where random.below(4) != 0 {
      let mix = random.pick(Self.contexts)
      let length = 1 + random.below(size.longest(cpuCount))
      cpus[cpu] = Self.parts(from: mix, length: length, words: wordCount, &random)
    }
  }

  /// Instructions that only programs with a context have.
  static func runContext(_ step: Step, _ objects: Objects, _ cpu: VirtualCPU) throws {
    guard let context = objects.context else { return }
    switch step.instruction {
    case .use: try cpu.use(context)
    case .useLater: try cpu.callRCU { cpu in try cpu.use(context) }
    default: try cpu.release(context)
    }
  }
}
