// Random programs of several kinds, to find bugs in their interaction.

import GracewalkMachine
import GracewalkSupport

extension RandomProgram {
  /// The program that combines kinds of instructions, for a seed.
  ///
  /// The kinds take turns as the main kind of a CPU, so CPUs differ. Most CPUs also have
  /// instructions of another kind, and some common ones.
  init(combining mix: Mix, seed: UInt64, size: Size, identical: Bool) {
    var random = SplitMix64(seed: seed ^ 0x636F_6D62_696E_6564 ^ UInt64(mix.rawValue) << 56)
    if identical {
      self.init(identicalSeed: seed, size: size)
    } else {
      self.init(seed: seed, size: size)
    }
    if mix.contains(.hardware) { addGuests(&random) }
    wordCount = random.pick([1, 2])
    hasRepeats = mix.contains(.repeats)
    hasContext = mix.contains(.contexts)
    hasCounter = mix.contains(.primitives)
    if mix.contains(.interrupts) { readCopyUpdate = Self.readCopyUpdate(seed) }
    if mix.contains(.slabs) { slabPages = random.pick([1, 1, 2, 3]) }
    let cpuCount = copies.reduce(0, +)
    let kinds = mix.parts
    let first = random.below(kinds.count)
    cpus = copies.indices.map { cpu in
      var pool = random.pick(lists(of: kinds[(first + cpu) % kinds.count], cpu))
      if random.below(3) != 0 { pool += random.pick(lists(of: random.pick(kinds), cpu)) }
      if random.below(4) == 0 { pool += random.pick(Self.mixes) }
      if identical { pool.removeAll { $0 == .turnOff } }  // See `init(primitiveSeed:)`.
      let length = 1 + random.below(longest(size, cpuCount))
      return Self.parts(from: pool, length: length, words: wordCount, &random)
    }
  }

  /// Lists of instructions of a kind that work together, for a CPU.
  private func lists(of kind: Mix, _ cpu: Int) -> [[Instruction]] {
    switch kind {
    case .loops: Self.loops
    case .hardware: hardwareLists(of: cpu)
    case .interrupts: Self.interrupts
    case .slabs: Self.slabs
    case .contexts: Self.contexts
    case .repeats: Self.repeating
    case .primitives: Self.primitives
    default: Self.mixes
    }
  }

  private func longest(_ size: Size, _ cpuCount: Int) -> Int {
    if hasRepeats { return 2 }
    guard hasGuests else { return size.longest(cpuCount) }
    return size == .small ? 4 - cpuCount / 2 : 6 - cpuCount
  }
}
