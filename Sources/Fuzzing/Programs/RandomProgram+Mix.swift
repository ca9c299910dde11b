// The kinds of instructions that random programs may have in addition to the common ones.

import GracewalkMachine

extension RandomProgram {
  /// A set of kinds of instructions, in addition to the common ones.
  ///
  /// The program of one kind for a seed never changes; one of several kinds has objects of all of
  /// them.
  public struct Mix: OptionSet, Hashable, Codable, Sendable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Bounded loops.
    public static let loops = Mix(rawValue: 1 << 0)
    /// Guests, and memory management units.
    public static let hardware = Mix(rawValue: 1 << 1)
    /// Masked interrupts.
    public static let interrupts = Mix(rawValue: 1 << 2)
    /// A slab, whose freed pages are reused at once.
    public static let slabs = Mix(rawValue: 1 << 3)
    /// A context that owns the table pages.
    public static let contexts = Mix(rawValue: 1 << 4)
    /// Loops that forget their turns, which only the search for livelocks supports.
    public static let repeats = Mix(rawValue: 1 << 5)

    /// Locks that are tried, bits that are changed, sequence counters and assumptions.
    public static let primitives = Mix(rawValue: 1 << 6)

    /// Each kind alone.
    public static let kinds: [Mix] = [
      .loops, .hardware, .interrupts, .slabs, .contexts, .repeats, .primitives,
    ]

    /// All kinds that searches without repeats support.
    public static let all: Mix = [
      .loops, .hardware, .interrupts, .slabs, .contexts, .primitives,
    ]

    /// All kinds that also work with identical CPUs, which have no memory management units.
    public static let allOfIdenticalCPUs = all.subtracting(.hardware)

    /// The kinds in it, one by one.
    public var parts: [Mix] { Mix.kinds.filter { contains($0) } }
  }

  /// The program of the given kinds for a seed.
  ///
  /// `identical`: whether some CPUs are identical; none of them then has an MMU.
  public init(_ mix: Mix, seed: UInt64, size: Size = .full, identical: Bool = false) {
    switch (mix, identical) {
    case ([], false): self.init(seed: seed, size: size)
    case ([], true): self.init(identicalSeed: seed, size: size)
    case (.loops, false): self.init(loopSeed: seed, size: size)
    case (.hardware, false): self.init(hardwareSeed: seed, size: size)
    case (.interrupts, _): self.init(interruptSeed: seed, size: size, identical: identical)
    case (.slabs, false): self.init(slabSeed: seed, size: size)
    case (.slabs, true): self.init(identicalSlabSeed: seed, size: size)
    case (.contexts, false): self.init(contextSeed: seed, size: size)
    case (.contexts, true): self.init(identicalContextSeed: seed, size: size)
    case (.repeats, false): self.init(repeatSeed: seed, size: size)
    case (.primitives, _): self.init(primitiveSeed: seed, size: size, identical: identical)
    default: self.init(combining: mix, seed: seed, size: size, identical: identical)
    }
  }
}
