// The actions of a virtual CPU, as plain data.

/// One atomic thing a CPU does.
///
/// A scheduling point precedes it unless it is local.
///
/// An action is flat data that the machine interprets (`Machine.perform`), so the search can take,
/// judge and undo it without running the code that asked for it.
public struct Action: BitwiseCopyable, Equatable, Sendable {
  /// The kind of an action: a family, and a case of that family.
  ///
  /// Code for a family switches over exactly its cases, so a new kind does not compile until every
  /// question about it is answered. `Action+Kinds.swift` has the questions about all kinds.
  public enum Kind: Hashable, Sendable, BitwiseCopyable {
    /// The CPU's program has ended; never enabled.
    case finished
    /// What the code assumes is not so, and it goes no further; never enabled.
    case cutOff
    case access(Access)
    case fence
    case lock(Locking)
    case grace(Grace)
    case callback(Callback)
    case page(Page)
    case slab(SlabStep)
    case context(ContextStep)
    case choose
    case history(History)
    case hardware(Hardware)
    /// A data frame changes owner.
    case handOver
    /// Code relies on a translation, or a permission, being gone.
    case claim
    /// An error of the code's own has ended it.
    case threw
  }

  /// Accesses to a word.
  public enum Access: Hashable, Sendable, BitwiseCopyable {
    case load, store, compareExchange, exchange, fetchAdd, incrementUnlessZero
    /// Replaces the value by a function of it, and returns the value before.
    case update(Update)
    /// Blocks until the masked word equals, or differs from, a value.
    case wait
    /// Makes the oldest pending store of another CPU visible; blocks while there is none.
    case drain
  }

  /// Read-modify-writes other than those with a kind of their own.
  public enum Update: Hashable, Sendable, BitwiseCopyable {
    case and, or, xor
    /// Adds to the word unless it has a certain value.
    case addUnless
  }

  public enum Locking: Hashable, Sendable, BitwiseCopyable {
    case spinLock, spinUnlock, readLock, readUnlock, writeLock, writeUnlock
    /// Take the lock if that is possible now, and return 1 then and 0 otherwise.
    case trySpinLock, tryReadLock, tryWriteLock
    /// The writer becomes a reader.
    case downgrade
  }

  /// Read-side sections, masked interrupts, and waiting for the end of others'.
  public enum Grace: Hashable, Sendable, BitwiseCopyable {
    case sectionEnter, sectionLeave, graceStart, graceEnd
    case maskInterrupts, unmaskInterrupts, interruptSend, interruptTaken
  }

  /// Work that is deferred until a grace period has ended.
  public enum Callback: Hashable, Sendable, BitwiseCopyable {
    case call, callbackStart, callbackEnd, barrierStart, barrierEnd
  }

  public enum Page: Hashable, Sendable, BitwiseCopyable {
    case allocate, free, publish
  }

  /// Steps on a slab's pages; its word has a bit for each free one.
  public enum SlabStep: Hashable, Sendable, BitwiseCopyable {
    case allocate, free, shrink
  }

  /// Steps on an object with a lifetime that is not a page.
  public enum ContextStep: Hashable, Sendable, BitwiseCopyable {
    case use, release
  }

  /// Boundaries of an operation, if an invariant judges the history.
  public enum History: Hashable, Sendable, BitwiseCopyable {
    case invoke, respond
  }

  /// Steps of a guest and its memory management unit, and invalidations by software.
  public enum Hardware: Hashable, Sendable, BitwiseCopyable {
    case guestAccess, walkStart, walkRead, walkUpdate, evict
    /// An invalidation is issued, takes effect, and completes.
    case tlbi, tlbInvalidate, dsb
    /// A valid entry becomes visible to every walk.
    case settle
  }

  public var kind: Kind
  public var ordering = MemoryOrdering.relaxed
  /// Its meaning depends on the kind: the family's room has a name for it, such as `isDereference`.
  public var flag = false
  /// Only this CPU can reach the objects it touches, so it needs no scheduling point.
  public internal(set) var isLocal = false
  /// The word it acts on, or 0.
  public var cell: UInt32 = 0
  /// The lifetime word of the page that holds `cell`, or 0.
  public var lifetime: UInt32 = 0
  /// Operands; the families' rooms have names for them, such as `expected` and `desired`.
  public var a: UInt64 = 0
  public var b: UInt64 = 0

  package init(_ kind: Kind) { self.kind = kind }

  /// The number of choices.
  var choices: Int {
    get { Int(a) }
    set { a = UInt64(newValue) }
  }
  /// The number of the thrown error.
  var errorNumber: UInt64 {
    get { a }
    set { a = newValue }
  }

  package init(_ kind: Kind, _ location: Location, _ ordering: MemoryOrdering = .relaxed) {
    self.kind = kind
    self.ordering = ordering
    cell = location.cell
    lifetime = location.lifetime
  }

  /// True if equal except for `isLocal`, which the machine decides, and the error number.
  func isSameRequest(as other: Action) -> Bool {
    var copy = other
    copy.isLocal = isLocal
    // The description of an error may differ from run to run.
    if kind == .threw { copy.errorNumber = errorNumber }
    return copy == self
  }
}
