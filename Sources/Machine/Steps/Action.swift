// What a virtual CPU can do in one step, as plain data.

/// One atomic thing a CPU does.
///
/// A scheduling point precedes it unless it is local.
///
/// An action is flat data with a meaning of its own (`Machine.perform`), so the search can take
/// it, judge it and take it back without running the code that asked for it.
public struct Action: BitwiseCopyable, Equatable, Sendable {
  /// What kind of step it is: of which family, and which of the family's.
  ///
  /// Whoever deals with a family has its cases before it, and no others; so a new kind does not
  /// compile until everything is said of it. `Action+Kinds.swift` says what is asked of all kinds.
  public enum Kind: Equatable, Sendable, BitwiseCopyable {
    /// The CPU's program has ended; never enabled.
    case finished
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
    /// A data frame gets another owner.
    case handOver
    /// Code relies on a translation, or a permission, being gone.
    case claim
    /// An error of the code's own has ended it.
    case threw
  }

  /// Accesses to a word.
  public enum Access: Equatable, Sendable, BitwiseCopyable {
    case load, store, compareExchange, exchange, fetchAdd, incrementUnlessZero
    /// Blocks until the word, masked, equals a value (or no longer does).
    case wait
  }

  public enum Locking: Equatable, Sendable, BitwiseCopyable {
    case spinLock, spinUnlock, readLock, readUnlock, writeLock, writeUnlock
  }

  /// Read-side sections, masked interrupts, and waiting for the end of others'.
  public enum Grace: Equatable, Sendable, BitwiseCopyable {
    case sectionEnter, sectionLeave, graceStart, graceEnd
    case maskInterrupts, unmaskInterrupts, interruptSend, interruptTaken
  }

  /// Work that is deferred until a grace period is over.
  public enum Callback: Equatable, Sendable, BitwiseCopyable {
    case call, callbackStart, callbackEnd, barrierStart, barrierEnd
  }

  public enum Page: Equatable, Sendable, BitwiseCopyable {
    case allocate, free, publish
  }

  /// Pages of a slab, whose free ones the word tells.
  public enum SlabStep: Equatable, Sendable, BitwiseCopyable {
    case allocate, free, shrink
  }

  /// An object with a lifetime that is no page.
  public enum ContextStep: Equatable, Sendable, BitwiseCopyable {
    case use, release
  }

  /// Boundaries of an operation whose history an invariant watches.
  public enum History: Equatable, Sendable, BitwiseCopyable {
    case invoke, respond
  }

  /// What a guest and its memory management unit do, and what software tells the unit.
  public enum Hardware: Equatable, Sendable, BitwiseCopyable {
    case guestAccess, walkStart, walkRead, walkUpdate, evict
    /// An invalidation that is issued, takes effect, and is known to have.
    case tlbi, tlbInvalidate, dsb
    /// An entry that was made valid is seen by every walk from now on.
    case settle
  }

  public var kind: Kind
  public var ordering = MemoryOrdering.relaxed
  /// Means what the kind says: its family's room has a name for it, such as `isDereference`.
  public var flag = false
  /// Only this CPU can reach what it touches, so it needs no scheduling point.
  public internal(set) var isLocal = false
  /// The word it acts on, or 0.
  public var cell: UInt32 = 0
  /// The lifetime word of the page that holds `cell`, or 0.
  public var lifetime: UInt32 = 0
  /// Operands, which the rooms of the families have names for, such as `expected` and `desired`.
  public var a: UInt64 = 0
  public var b: UInt64 = 0

  package init(_ kind: Kind) { self.kind = kind }

  /// Among how many numbers one is chosen.
  var choices: Int {
    get { Int(a) }
    set { a = UInt64(newValue) }
  }
  /// The number of the error that the code has thrown.
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

  /// Equal apart from `isLocal`, which is decided by the machine and not by the code, and from
  /// which error was thrown.
  func isSameRequest(as other: Action) -> Bool {
    var copy = other
    copy.isLocal = isLocal
    // What an error says of itself need not be the same each time.
    if kind == .threw { copy.errorNumber = errorNumber }
    return copy == self
  }
}
