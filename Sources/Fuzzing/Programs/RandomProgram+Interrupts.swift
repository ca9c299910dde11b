// Random programs that mask interrupts and wait for others to take one.

import GracewalkMachine
import GracewalkSupport

extension RandomProgram {
  /// Masks and interrupts, alone, next to RCU, and around pages that are freed.
  static let interrupts: [[Instruction]] = [
    [.mask, .unmask, .interrupt, .load, .store],
    [.mask, .interrupt, .section, .synchronize, .store],
    [.mask, .interrupt, .lock, .wait, .fetchAdd, .choose],
    [.install, .walkMasked, .removeAfterInterrupt, .mask, .walk],
    [.install, .removeAfterInterrupt, .walkMasked, .section, .removeLater, .call],
    [.maskForGood, .unmask, .interrupt, .compareExchange, .load],
    [.mask, .unmask, .section, .synchronize, .call, .load, .store],
    [.mask, .section, .call, .barrier, .interrupt, .store],
    [.install, .walkMasked, .removeLater, .section, .mask, .unmask],
    [.lock, .relock, .readLock, .synchronize, .mask, .store],
  ]

  /// The program with masked interrupts for a seed, with identical CPUs if asked for.
  public init(interruptSeed seed: UInt64, size: Size = .full, identical: Bool = false) {
    var random = SplitMix64(seed: seed ^ 0x696E_7465_7272_7570)
    if identical {
      self.init(identicalSeed: seed, size: size)
    } else {
      self.init(seed: seed, size: size)
    }
    readCopyUpdate = Self.readCopyUpdate(seed)
    let cpuCount = copies.reduce(0, +)
    let words = wordCount
    cpus = cpus.map { parts in
      if random.below(4) == 0 { return parts }
      let mix = random.pick(Self.interrupts)
      let length = 1 + random.below(size.longest(cpuCount))
      return Self.parts(from: mix, length: length, words: words, &random)
    }
  }

  /// The kind of grace periods in the program for a seed.
  static func readCopyUpdate(_ seed: UInt64) -> ReadCopyUpdate {
    seed % 3 == 0 ? .separate : .consolidated
  }

  /// Instructions that only programs with masked interrupts have.
  static func runInterrupt(
    _ step: Step, _ objects: Objects, _ cpu: VirtualCPU, _ seen: inout UInt64, masks: inout Int
  ) throws {
    switch step.instruction {
    case .mask:
      try cpu.maskInterrupts()
      masks += 1
    case .maskForGood: try cpu.maskInterrupts()
    case .relock:
      // Masks even if already masked, and never unmasks.
      if step.old == 0 {
        try cpu.lock(objects.locks[Int(step.new) - 1])
      } else if step.new == 1 {
        try cpu.readLock(objects.readWriteLock)
      } else {
        try cpu.writeLock(objects.readWriteLock)
      }
    case .unmask:
      try cpu.unmaskInterrupts()
      masks = max(masks - 1, 0)
    case .interrupt: try cpu.interruptOthers()
    case .walkMasked:
      try cpu.maskInterrupts()
      let found = Descriptor(bits: try cpu.rcuDereference(slot(of: step, objects, cpu)))
      if let page = cpu.table(at: found) { seen = seen &* 3 &+ (try cpu.rcuDereference(page[0])) }
      try cpu.unmaskInterrupts()
    default:
      let entry = try slot(of: step, objects, cpu)
      let found = Descriptor(bits: try cpu.exchange(entry, 0, .acquireRelease))
      guard let page = cpu.table(at: found) else { return }
      try cpu.interruptOthers()
      try cpu.free(page)
    }
  }
}
