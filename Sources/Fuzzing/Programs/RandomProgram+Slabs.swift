// Random programs with a slab: pages are reused at once while other CPUs may still read them.

import GracewalkMachine
import GracewalkSupport

extension RandomProgram {
  /// Uses of a slab's pages, and instructions that interfere with them.
  static let slabs: [[Instruction]] = [
    [.takePage, .giveBack, .peekPage, .poke, .shrink],
    [.takePage, .giveBack, .peekPage, .section, .synchronize, .shrink],
    [.takeTable, .giveTableBack, .walk, .write, .section],
    [.takeTable, .giveTableBack, .giveTableBackLater, .shrink, .section],
    [.takePage, .giveBack, .load, .store, .exchange, .compareExchange],
    [.takeTable, .remove, .giveTableBack, .shrink, .install, .synchronize],
    [.takeTable, .freeFound, .giveTableBack, .remove, .section, .shrink],
  ]

  /// The program with a slab for a seed.
  public init(slabSeed seed: UInt64, size: Size = .full) {
    var random = SplitMix64(seed: seed ^ 0x736C_6162_7365_6564)
    self.init(seed: seed, size: size)
    addSlab(size, cpus.count, &random)
  }

  /// The program with a slab and identical CPUs for a seed.
  public init(identicalSlabSeed seed: UInt64, size: Size = .full) {
    var random = SplitMix64(seed: seed ^ 0x736C_6162_7477_696E)
    self.init(identicalSeed: seed, size: size)
    addSlab(size, copies.reduce(0, +), &random)
  }

  private mutating func addSlab(_ size: Size, _ cpuCount: Int, _ random: inout SplitMix64) {
    slabPages = random.pick([1, 1, 2, 3])
    wordCount = random.pick([1, 2])
    for cpu in cpus.indices where random.below(4) != 0 {
      let mix = random.pick(Self.slabs)
      let length = 1 + random.below(size.longest(cpuCount))
      cpus[cpu] = Self.parts(from: mix, length: length, words: wordCount, &random)
    }
    keepWords()
  }

  /// Maps words that the program no longer has to remaining ones.
  mutating func keepWords() {
    for cpu in cpus.indices {
      for part in cpus[cpu].indices {
        for step in cpus[cpu][part].indices { cpus[cpu][part][step].word %= wordCount }
      }
    }
  }

  /// Instructions that only programs with a slab have.
  static func runSlab(
    _ step: Step, _ objects: Objects, _ cpu: VirtualCPU
  ) throws -> UInt64 {
    guard let slab = objects.slab else { return 0 }
    let word = objects.words[step.word]
    switch step.instruction {
    case .takePage:
      guard let page = try cpu.allocate(from: slab) else { return 1 }
      try cpu.store(page[0], step.new, .relaxed)
      try cpu.store(word, page.address, .release)
      return 2
    case .giveBack:
      let found = try cpu.exchange(word, 0, .acquireRelease)
      guard let page = slab.page(at: found, cpu) else { return 0 }
      try cpu.free(page, to: slab)
      return 1
    case .peekPage:
      guard let page = slab.page(at: try cpu.load(word, .acquire), cpu) else { return 0 }
      return try cpu.load(page[0], .relaxed)
    case .poke:
      guard let page = slab.page(at: try cpu.load(word, .acquire), cpu) else { return 0 }
      return try cpu.fetchAdd(objects.number(in: page, 1), 1, .relaxed)
    case .shrink:
      try cpu.shrink(slab)
      return 0
    case .takeTable:
      guard let page = try cpu.allocate(from: slab) else { return 1 }
      try cpu.store(page[0], step.new, .relaxed)
      let won = try cpu.compareExchange(
        slot(of: step, objects, cpu), expected: 0, desired: Descriptor.table(page).bits, .release
      ).exchanged
      if !won { try cpu.free(page, to: slab) }
      if won, cpu.hasMMU { _ = try cpu.guestRead(Int(step.old) % 2 * 2) }
      return won ? 2 : 3
    case .freeFound:
      // Frees without unlinking: another CPU may unlink before or after.
      let found = Descriptor(bits: try cpu.load(slot(of: step, objects, cpu), .acquire))
      guard let page = cpu.table(at: found) else { return 0 }
      try slab.contains(page) ? cpu.free(page, to: slab) : cpu.free(page)
      return 1
    default: return try giveTableBack(step, slab, slot(of: step, objects, cpu), cpu)
    }
  }

  private static func giveTableBack(
    _ step: Step, _ slab: Slab, _ entry: Location, _ cpu: VirtualCPU
  ) throws -> UInt64 {
    let found = Descriptor(bits: try cpu.exchange(entry, 0, .acquireRelease))
    guard let page = cpu.table(at: found) else { return 0 }
    if !slab.contains(page) {
      try cpu.free(page)
    } else if step.instruction == .giveTableBack {
      try cpu.free(page, to: slab)
    } else {
      try cpu.callRCU { cpu in
        try cpu.free(page, to: slab)
        try cpu.shrink(slab)
      }
    }
    return 1
  }
}
