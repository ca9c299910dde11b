// Facts the machine reports to event invariants. The machine states them, invariants judge them.

/// Kinds of events, as a set.
public struct EventKinds: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// A word of a freed page was accessed.
  ///
  /// `page`.
  public static let accessAfterFree = EventKinds(rawValue: 1 << 0)
  /// A page was freed that is not allocated.
  ///
  /// `page`.
  public static let freeOfFreedPage = EventKinds(rawValue: 1 << 1)
  /// A second entry now points to a table.
  ///
  /// `page`, `cell`.
  public static let linkedAgain = EventKinds(rawValue: 1 << 2)
  /// A page was freed while CPUs (`value`, as a set) were in sections older than its unlinking.
  public static let freedInGracePeriod = EventKinds(rawValue: 1 << 3)
  /// A CPU may block inside its own read-side section.
  public static let blockedInSection = EventKinds(rawValue: 1 << 4)
  /// A CPU left a section it was not in.
  public static let leftNoSection = EventKinds(rawValue: 1 << 5)
  /// A CPU dereferenced an RCU-protected word outside every section.
  ///
  /// `cell`.
  public static let dereferencedOutside = EventKinds(rawValue: 1 << 6)
  /// A CPU released a lock it does not hold.
  ///
  /// `cell`.
  public static let releasedUnheldLock = EventKinds(rawValue: 1 << 7)
  /// A context was used, or released again, after its release.
  ///
  /// `cell`.
  public static let usedAfterRelease = EventKinds(rawValue: 1 << 8)
  /// What was used as a context is none: an address (`value`) that no context has.
  public static let usedNoContext = EventKinds(rawValue: 1 << 9)
  /// A context was released while a table page that belongs to it was allocated.
  ///
  /// `page`, `cell`.
  public static let outlivesContext = EventKinds(rawValue: 1 << 10)
}

/// Something that happened in the latest step.
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
