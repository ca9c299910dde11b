// The machine at one moment, as plain values that views draw and compare.

/// Everything about a machine that views show, in words.
///
/// It holds no more than views need, and no reference to the machine: a recording keeps one for
/// each step. Pages are known by their ids, CPUs by their numbers.
public struct MachinePicture: Equatable, Sendable {
  /// All table pages and objects ever allocated, in the order of `Machine.pages`.
  public var pages: [Page]
  /// Named words, locks, slabs, contexts and data frames.
  public var words: [Word]
  /// The contents of memory management units, for each CPU that has one.
  public var units: [Unit]
  /// One for each CPU, in their order.
  public var cpus: [CPU]

  /// A picture of CPUs that run programs, and of nothing else.
  package init(cpuCount: Int) {
    let cpu = CPU(
      isInSection: false, hasInterruptsMasked: false, wait: nil, awaits: [], blockedAt: nil,
      isFinished: false, callbacks: [], role: .program, owner: nil)
    self.init(pages: [], words: [], units: [], cpus: Array(repeating: cpu, count: cpuCount))
  }

  init(pages: [Page], words: [Word], units: [Unit], cpus: [CPU]) {
    self.pages = pages
    self.words = words
    self.units = units
    self.cpus = cpus
  }

  /// A table page, or an object of a slab.
  public struct Page: Equatable, Sendable {
    /// The same at all moments, and in every interleaving.
    public var id: Int
    public var name: String
    public var isRoot: Bool
    /// True if it is not a table but another object, to which no root leads.
    public var isObject: Bool
    /// 0 for a root; nil until it is linked into a table that has a level.
    public var level: Int?
    public var lifetime: Lifetime
    /// True if entries lead to it from a root.
    public var isReachable: Bool
    /// False as long as only the CPU that allocated it can reach it.
    public var isPublished: Bool
    public var references: Int
    /// Its origin, as an apposition: "allocated by walker in map 0x2".
    public var origin: String
    public var entries: [Entry]
  }

  /// Whether a page may be used.
  public enum Lifetime: String, Sendable {
    case inUse
    case freed
    /// Free, in a slab that may reuse it.
    case inSlab
  }

  /// An entry of a page.
  public struct Entry: Equatable, Sendable {
    /// The text that traces show; for a table also whether it is writable, if the format has that.
    public var text: String
    public var kind: EntryLook
    /// The id of the table it leads to.
    public var target: Int?
  }

  /// The kind of an entry.
  public enum EntryLook: String, Sendable {
    case invalid, locked, table, leaf
    /// A number that is not a descriptor.
    case other
  }

  /// A word with a name.
  public struct Word: Equatable, Sendable {
    public var name: String
    public var text: String
    public var isLock: Bool
  }

  /// The contents of a CPU's memory management unit.
  public struct Unit: Equatable, Sendable {
    public var cpu: Int
    /// Pointers to tables: the walk cache.
    public var tables: [CachedEntry]
    /// Translations: the TLB.
    public var leaves: [CachedEntry]
    /// Ids of the tables in which walks are under way.
    public var walking: [Int]
  }

  /// An entry that a unit has read and cached.
  public struct CachedEntry: Equatable, Sendable {
    /// The addresses it translates.
    public var addresses: String
    public var text: String
    /// The id of the page from which it was read; `entry` is its index there.
    public var page: Int?
    public var entry: Int
    /// False if the entry has changed since, or its page was freed.
    public var isCurrent: Bool
  }

  /// The sections and waits of a CPU.
  public struct CPU: Equatable, Sendable {
    public var isInSection: Bool
    public var hasInterruptsMasked: Bool
    /// The kind of wait that it is in, from the start of the wait until it continues.
    public var wait: Wait?
    /// The CPUs that it still waits for there.
    public var awaits: [Int]
    /// The action at which it is blocked, or nil.
    public var blockedAt: String?
    /// True if it has finished.
    public var isFinished: Bool
    /// Callbacks that it queued and that have not ended, the oldest first.
    public var callbacks: [Callback]
    public var role: Role
    /// The CPU whose callbacks it runs, or whose memory management unit it is.
    public var owner: Int?
  }

  /// The role of a CPU.
  public enum Role: String, Sendable {
    case program
    /// It runs the callbacks that another CPU queues.
    case callbacks
    /// It takes the speculative walks and evictions of a memory management unit.
    case walker
    /// It makes the pending stores of another CPU visible.
    case storeBuffer
  }

  /// Kinds of waits for other CPUs.
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
