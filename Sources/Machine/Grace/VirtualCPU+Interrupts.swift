// Interrupts: masked during a lockless walk, and sent to wait until no CPU is in such a walk.

extension VirtualCPU {
  /// The maximum nesting of masks or sections, whose counts share a word of the CPU's local state.
  static let nestingMax = 255

  /// Masks this CPU's interrupts, like `local_irq_save`.
  ///
  /// Masks nest; only the outermost counts.
  public func maskInterrupts(file: String = #fileID, line: Int = #line, label: String = #function)
    throws(Abandoned)
  {
    let site = SourceSite(file: file, line: line, label: label)
    if isAbandoned { throw refused() }
    guard maskDepth < VirtualCPU.nestingMax else {
      throw misuse("interrupts are masked more than \(VirtualCPU.nestingMax) times", site)
    }
    if leavesOutBeginning(.noMask, \.masks, site) { return }
    maskDepth += 1
    guard maskDepth == 1 else { return }
    _ = try issue(Action(.grace(.maskInterrupts)), site)
  }

  /// Undoes the latest masking, like `local_irq_restore`.
  public func unmaskInterrupts(file: String = #fileID, line: Int = #line, label: String = #function)
    throws(Abandoned)
  {
    if leavesOutEnd(\.masks) { return }
    if maskDepth > 0 { maskDepth -= 1 }
    guard maskDepth == 0 else { return }
    _ = try issue(
      Action(.grace(.unmaskInterrupts)), SourceSite(file: file, line: line, label: label))
  }

  /// Interrupts every other CPU and waits until each has taken the interrupt, like
  /// `smp_call_function` with `wait`.
  ///
  /// A CPU takes it at once, or if its interrupts are masked, when it unmasks them. So every CPU
  /// that had masked them before the call has unmasked them when it returns: a grace period without
  /// RCU. Two CPUs that call it with their own interrupts masked wait for each other forever.
  public func interruptOthers(file: String = #fileID, line: Int = #line, label: String = #function)
    throws(Abandoned)
  {
    let site = SourceSite(file: file, line: line, label: label)
    if isWeakened(.noInterrupt, site) { return }
    var taken = Action(.grace(.interruptTaken))
    taken.awaitedCPUs = try issue(Action(.grace(.interruptSend)), site)
    _ = try issue(taken, site)
  }
}
