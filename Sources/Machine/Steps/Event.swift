// Facts the machine reports to event invariants. The machine states them, invariants judge them.

/// Kinds of events, as a set.
public struct EventKinds: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// A word of a freed page was accessed.
  ///
  /// `page`.
  public static let accessAfterFree = EventKinds(rawValue: 1 << 0)
  /// A page was freed that was not allocated, or that belongs to a slab.
  ///
  /// `page`; `value`: the slab's number, from 1, or 0.
  public static let freeOfFreedPage = EventKinds(rawValue: 1 << 1)
  /// A second entry now points to a table.
  ///
  /// `page`, `cell`.
  public static let linkedAgain = EventKinds(rawValue: 1 << 2)
  /// A page was freed while CPUs (`value`, as a set) were in sections older than its unlinking.
  public static let freedInGracePeriod = EventKinds(rawValue: 1 << 3)
  /// A CPU waits for a grace period inside its own read-side section, or in a callback.
  ///
  /// `value`: 1 in a callback.
  public static let blockedInSection = EventKinds(rawValue: 1 << 4)
  /// A CPU left a section that it was not in.
  public static let leftNoSection = EventKinds(rawValue: 1 << 5)
  /// A CPU dereferenced a protected word outside every section, its interrupts not masked.
  ///
  /// `cell`.
  public static let dereferencedOutside = EventKinds(rawValue: 1 << 6)
  /// A CPU waits for a grace period while its interrupts are masked.
  public static let blockedWhileMasked = EventKinds(rawValue: 1 << 24)
  /// A CPU waits for a grace period while it holds a spin lock.
  ///
  /// `cell`.
  public static let blockedUnderLock = EventKinds(rawValue: 1 << 25)
  /// A CPU takes a lock that it already holds.
  ///
  /// `cell`; `value`: 256 times the mode in which it is held, plus the mode in which it is taken
  /// (`LockMode`).
  public static let lockedAgain = EventKinds(rawValue: 1 << 26)
  /// A callback ended while holding a lock.
  ///
  /// `cell`.
  public static let endedHolding = EventKinds(rawValue: 1 << 27)
  /// A callback ended inside a read-side section.
  public static let endedInSection = EventKinds(rawValue: 1 << 28)
  /// A callback ended with masked interrupts.
  public static let endedMasked = EventKinds(rawValue: 1 << 29)
  /// A root was freed, and the scenario has no context that could own it.
  ///
  /// `page`.
  public static let rootFreed = EventKinds(rawValue: 1 << 30)
  /// A CPU released a lock it does not hold.
  ///
  /// `cell`.
  public static let releasedUnheldLock = EventKinds(rawValue: 1 << 7)
  /// A CPU waits for others to take an interrupt while its own are masked.
  public static let sentWhileMasked = EventKinds(rawValue: 1 << 8)
  /// A CPU unmasked interrupts that were not masked.
  public static let unmaskedUnmasked = EventKinds(rawValue: 1 << 9)
  /// A page was freed while CPUs (`value`, as a set) had masked interrupts since before its
  /// unlinking.
  public static let freedWhileMasked = EventKinds(rawValue: 1 << 10)
  /// An entry was changed to another valid one while CPUs (`value`, as a set) have the old one
  /// cached.
  ///
  /// `cell`.
  public static let changedWhileCached = EventKinds(rawValue: 1 << 16)
  /// A CPU caches an entry (`cell`) although it holds another that translates an address
  /// differently.
  ///
  /// `value`: the address.
  public static let conflictingEntries = EventKinds(rawValue: 1 << 17)
  /// A guest used a cached entry (`cell`) in a way no longer allowed, although its CPU had been
  /// told.
  ///
  /// It had waited for, or acquired, a word that was written after the change.
  public static let staleUse = EventKinds(rawValue: 1 << 18)
  /// A table page was freed while CPUs (`value`, as a set) have a pointer to it cached or walk it.
  ///
  /// `page`.
  public static let pageFreedWhileCached = EventKinds(rawValue: 1 << 19)
  /// A data frame (`cell`: its owner) changed owner while CPUs (`value`, as a set) can reach it by
  /// cached entries.
  public static let frameGivenWhileCached = EventKinds(rawValue: 1 << 20)
  /// A guest reached a data frame (`cell`: its owner) that is not its own.
  ///
  /// `value`: the owner's id.
  public static let foreignFrameUsed = EventKinds(rawValue: 1 << 21)
  /// An entry (`cell`) that is malformed at its level was written, or read by a walk.
  ///
  /// `value`: the level.
  public static let malformedEntry = EventKinds(rawValue: 1 << 22)
  /// A claim of the code does not hold: see `Machine.explanation(ofBrokenClaim:)`.
  public static let claimBroken = EventKinds(rawValue: 1 << 14)
  /// A table page was linked (`cell`) below another root while CPUs (`value`, as a set) have it
  /// cached or walk it.
  ///
  /// `page`.
  public static let pageLinkedWhileCached = EventKinds(rawValue: 1 << 15)
  /// A data frame changed owner while an entry (`cell`) of a table of its old owner's guests still
  /// maps it.
  ///
  /// `page`: the root; `value`: the frame's number.
  public static let frameGivenWhileMapped = EventKinds(rawValue: 1 << 23)
  /// A context was used, or released again, after its release.
  ///
  /// `cell`.
  public static let usedAfterRelease = EventKinds(rawValue: 1 << 11)
  /// An address (`value`) without a context was used as one.
  public static let usedNoContext = EventKinds(rawValue: 1 << 12)
  /// A context was released while a table page that belongs to it was allocated.
  ///
  /// `page`, `cell`.
  public static let outlivesContext = EventKinds(rawValue: 1 << 13)
  /// Code threw an error of its own; nothing runs after it.
  ///
  /// `value`: the error's number, see `Machine.thrownError(_:)`.
  public static let threw = EventKinds(rawValue: 1 << 31)
}

/// A fact about the latest step.
public struct Event: BitwiseCopyable, Sendable {
  public var kind: EventKinds
  public var cpu: Int
  /// The page concerned, by id, or -1.
  public var page: Int
  /// The word concerned, or 0.
  public var cell: UInt32
  public var value: UInt64
}

extension EventKinds: BitwiseCopyable {}
