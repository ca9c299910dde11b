// The steps that order CPUs, and the ways to leave out or weaken each.

/// A way to leave out, or to weaken, a step by which code orders itself against other CPUs.
///
/// The order is that of reports: locks first, then grace periods, hardware, entries, references.
public enum Weakening: String, CaseIterable, Codable, Sendable {
  /// The lock is neither taken nor released.
  case noLock = "no-lock"
  case noReadLock = "no-read-lock"
  case noWriteLock = "no-write-lock"
  /// The lock is taken for reading instead of writing.
  case readLockOnly = "read-lock-only"
  /// The read-side section is neither entered nor left.
  case noSection = "no-rcu-section"
  case noSynchronize = "no-synchronize"
  /// The callback runs at once instead of after a grace period.
  case callAtOnce = "call-at-once"
  case noBarrier = "no-rcu-barrier"
  case noMask = "no-mask"
  case noInterrupt = "no-ipi"
  case noDSB = "no-dsb"
  case noTLBI = "no-tlbi"
  /// The invalidation affects only the CPU that issues it.
  case localTLBI = "local-tlbi"
  /// Pointers to tables stay cached.
  case leavesOnlyTLBI = "leaf-tlbi"
  /// The entry is compared, and not locked.
  case noEntryLock = "no-entry-lock"
  /// The entry keeps its old value until the new one overwrites it.
  case noBreak = "no-break"
  /// The compare-exchange always writes.
  case plainStore = "plain-store"
  /// The compare-exchange may lose, but the code continues as if it had won.
  case noCheck = "no-check"
  /// The exchange, or addition, is a load and then a store.
  case loadAndStore = "load-and-store"
  /// The value that was read before is used again.
  case noReread = "no-reread"
  case noGet = "no-get"
  /// The reference is taken even if the count is zero.
  case getFromZero = "get-from-zero"
  case noPut = "no-put"
  /// The word is read once, without waiting for a value.
  case noWait = "no-wait"
  /// The access, or fence, orders nothing.
  ///
  /// If the memory model orders all accesses, this makes no difference, and nothing can be
  /// concluded.
  case relaxed = "relaxed"

  /// A phrase that describes the weakened code.
  public var text: String {
    switch self {
    case .noLock: "without the lock"
    case .noReadLock: "without the lock for reading"
    case .noWriteLock: "without the lock for writing"
    case .readLockOnly: "with the lock for reading only"
    case .noSection: "without the read-side section"
    case .noSynchronize: "without waiting for the grace period"
    case .callAtOnce: "on the spot, not after a grace period"
    case .noBarrier: "without the RCU barrier"
    case .noMask: "without masking interrupts"
    case .noInterrupt: "without interrupting the others"
    case .noDSB: "without the DSB"
    case .noTLBI: "without the TLBI"
    case .localTLBI: "with a TLBI for this CPU only"
    case .leavesOnlyTLBI: "with a TLBI for leaves only"
    case .noEntryLock: "without locking the entry"
    case .noBreak: "without breaking the entry first"
    case .plainStore: "with a plain store for the compare-exchange"
    case .noCheck: "without looking whether the compare-exchange won"
    case .loadAndStore: "with a load and a store for the atomic update"
    case .noReread: "without reading again"
    case .noGet: "without taking the reference"
    case .getFromZero: "with a reference even from zero"
    case .noPut: "without dropping the reference"
    case .noWait: "without waiting for the word"
    case .relaxed: "with no ordering"
    }
  }

  /// True if a memory model can tell whether the step is needed.
  public func isDecidable(under model: MemoryModel) -> Bool {
    self != .relaxed || model.whyOrderingsAreNotAsked == nil
  }

  /// True if the standard memory model can tell whether the step is needed.
  public var isDecidable: Bool { isDecidable(under: .standard) }
}

/// The treatment of steps that order CPUs.
public enum Ablation: Equatable, Sendable {
  /// They are taken unchanged.
  case none
  /// They are taken unchanged, and the machine records them.
  case census
  /// One of them is weakened wherever it is taken.
  case weakens(WeakenedStep)
}
