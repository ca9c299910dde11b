// The kinds of instructions of random programs, one by one, as switches of the fuzzer.

extension Fuzzer {
  /// Whether programs have bounded loops.
  public var hasLoops: Bool {
    get { mix.contains(.loops) }
    set { set(.loops, newValue) }
  }

  /// Whether programs have guests, and memory management units.
  public var hasHardware: Bool {
    get { mix.contains(.hardware) }
    set { set(.hardware, newValue) }
  }

  /// Whether programs have loops that forget their turns.
  public var hasRepeats: Bool {
    get { mix.contains(.repeats) }
    set { set(.repeats, newValue) }
  }

  /// Whether programs mask interrupts.
  public var masksInterrupts: Bool {
    get { mix.contains(.interrupts) }
    set { set(.interrupts, newValue) }
  }

  /// Whether programs have a slab.
  public var hasSlabs: Bool {
    get { mix.contains(.slabs) }
    set { set(.slabs, newValue) }
  }

  /// Whether programs have a context that owns the table pages.
  public var hasContexts: Bool {
    get { mix.contains(.contexts) }
    set { set(.contexts, newValue) }
  }

  /// Whether programs try locks, change bits, count sequences and assume things.
  public var hasPrimitives: Bool {
    get { mix.contains(.primitives) }
    set { set(.primitives, newValue) }
  }

  private mutating func set(_ kind: RandomProgram.Mix, _ isIn: Bool) {
    if isIn { mix.insert(kind) } else { mix.remove(kind) }
  }
}
