// The machine at one moment, as plain values: what views draw, and compare with the moment before.

/// Everything of a machine that a person may want to see, in words.
///
/// It holds no more than a view needs, and nothing that refers to the machine: a recording keeps
/// one for each step. Pages are known by their ids, CPUs by their numbers.
public struct MachinePicture: Equatable, Sendable {
  /// The table pages and objects there ever were, in the order of `Machine.pages`.
  public var pages: [Page]
  /// Named words, locks, slabs, contexts and data frames.
  public var words: [Word]
  /// What memory management units hold, for each CPU that has one.
  public var units: [Unit]
  /// One for each CPU, in their order.
  public var cpus: [CPU]

  /// A table page, or an object of a slab.
  public struct Page: Equatable, Sendable {
    /// The same at all moments, and in every interleaving.
    public var id: Int
    public var name: String
    public var isRoot: Bool
    /// True if it is no table but something else that has words, which no root leads to.
    public var isObject: Bool
    /// 0 for a root; nil as long as nobody has linked it into a table that has a level.
    public var level: Int?
    public var lifetime: Lifetime
    /// True if entries lead to it from a root.
    public var isReachable: Bool
    /// False as long as only the CPU that allocated it can have it.
    public var isPublished: Bool
    public var references: Int
    /// Where it comes from, as an apposition: "allocated by walker in map 0x2".
    public var origin: String
    public var entries: [Entry]
  }

  /// Whether a page may be used.
  public enum Lifetime: String, Sendable {
    case inUse
    case freed
    /// Free, in a slab that hands it out again.
    case inSlab
  }

  /// An entry of a page.
  public struct Entry: Equatable, Sendable {
    /// As traces show it, and of a table that it is writable, where somebody sees to that.
    public var text: String
    public var kind: EntryLook
    /// The id of the table it leads to.
    public var target: Int?
  }

  /// What an entry is.
  public enum EntryLook: String, Sendable {
    case invalid, locked, table, leaf
    /// A number that is no descriptor.
    case other
  }

  /// A word with a name.
  public struct Word: Equatable, Sendable {
    public var name: String
    public var text: String
    public var isLock: Bool
  }

  /// What the memory management unit of a CPU holds.
  public struct Unit: Equatable, Sendable {
    public var cpu: Int
    /// Pointers to tables: the walk cache.
    public var tables: [CachedEntry]
    /// Translations: the TLB.
    public var leaves: [CachedEntry]
    /// Ids of the tables in which walks are under way.
    public var walking: [Int]
  }

  /// An entry that a unit has read and keeps.
  public struct CachedEntry: Equatable, Sendable {
    /// The addresses it translates.
    public var addresses: String
    public var text: String
    /// Where it was read: the id of the page, and the entry's number there.
    public var page: Int?
    public var entry: Int
    /// False if the entry there is another by now, or its page was freed.
    public var isCurrent: Bool
  }

  /// What a CPU is inside of, and what it waits for.
  public struct CPU: Equatable, Sendable {
    public var isInSection: Bool
    public var hasInterruptsMasked: Bool
    /// What it waits for the end of, from the moment it begins to until it goes on.
    public var wait: Wait?
    /// The CPUs that it still waits for there.
    public var awaits: [Int]
    /// What it is to do next, if it cannot.
    public var blockedAt: String?
    /// True if it has nothing left to do.
    public var isFinished: Bool
    /// Callbacks that it queued and that have not ended, the oldest first.
    public var callbacks: [Callback]
    public var role: Role
    /// The CPU whose callbacks it runs, or whose memory management unit it is.
    public var owner: Int?
  }

  /// What a CPU does.
  public enum Role: String, Sendable {
    case program
    /// It runs the callbacks that another CPU queues.
    case callbacks
    /// It is what a memory management unit does unasked.
    case walker
  }

  /// Kinds of waiting for others to leave something.
  public enum Wait: String, Sendable {
    case gracePeriod = "grace period"
    case interrupt = "interrupts taken"
    case barrier = "rcu barrier"
  }

  /// A callback that was queued.
  public struct Callback: Equatable, Sendable {
    /// Counted from 0, for the CPU that queued it.
    public var number: Int
    public var isRunning: Bool
    /// CPUs whose read-side sections it still waits for.
    public var awaits: [Int]
  }
}
