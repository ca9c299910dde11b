// What a virtual CPU can do in one step, as plain data.

/// The memory ordering of an access.
///
/// Under sequential consistency it changes nothing, but it is recorded, shown in traces and part of
/// the model's meaning.
public enum MemoryOrdering: UInt8, Sendable, BitwiseCopyable {
  case relaxed, acquire, release, acquireRelease, sequentiallyConsistent
}

/// One atomic thing a CPU does.
///
/// A scheduling point precedes it unless it is local.
///
/// An action is flat data with a meaning of its own (`Machine.perform`), so the search can take
/// it, judge it and take it back without running the code that asked for it.
public struct Action: BitwiseCopyable, Equatable, Sendable {
  public enum Kind: UInt8, Sendable, BitwiseCopyable {
    /// The CPU's program has ended; never enabled.
    case finished
    case load, store, compareExchange, exchange, fetchAdd, incrementUnlessZero
    case fence
    /// Blocks until the word, masked, equals a value (or no longer does).
    case wait
    case spinLock, spinUnlock, readLock, readUnlock, writeLock, writeUnlock
    case sectionEnter, sectionLeave, graceStart, graceEnd
    case call, callbackStart, callbackEnd, barrierStart, barrierEnd
    case allocate, free, publish
    case choose
    /// Boundaries of an operation whose history an invariant watches.
    case invoke, respond
    case maskInterrupts, unmaskInterrupts, interruptSend, interruptTaken
    /// What a guest and its memory management unit do.
    case guestAccess, walkStart, walkRead, walkUpdate, evict
    /// An invalidation that is issued, takes effect, and is known to have.
    case tlbi, tlbInvalidate, dsb
    /// An entry that was made valid is seen by every walk from now on.
    case settle
    /// A data frame gets another owner.
    case handOver
    /// Code relies on a translation, or a permission, being gone.
    case claim
    /// Pages of a slab, whose free ones the word tells.
    case slabAllocate, slabFree, slabShrink
    /// An object with a lifetime that is no page.
    case contextUse, contextRelease
    /// An error of the code's own has ended it; `a` is the error's number.
    case threw
  }

  public var kind: Kind
  public var ordering = MemoryOrdering.relaxed
  /// Kind-specific: a wait for inequality; a load that is an RCU dereference.
  public var flag = false
  /// Only this CPU can reach what it touches, so it needs no scheduling point.
  public internal(set) var isLocal = false
  /// The word it acts on, or 0.
  public var cell: UInt32 = 0
  /// The lifetime word of the page that holds `cell`, or 0.
  public var lifetime: UInt32 = 0
  /// Operands, by kind: store (value), compareExchange (expected, desired), wait (mask, value).
  public var a: UInt64 = 0
  public var b: UInt64 = 0

  init(_ kind: Kind) { self.kind = kind }

  init(_ kind: Kind, _ location: Location, _ ordering: MemoryOrdering = .relaxed) {
    self.kind = kind
    self.ordering = ordering
    cell = location.cell
    lifetime = location.lifetime
  }

  /// True for kinds that may have to wait before they can be taken.
  var isBlocking: Bool {
    switch kind {
    case .wait, .spinLock, .readLock, .writeLock, .graceEnd, .callbackStart, .barrierEnd,
      .interruptTaken:
      true
    default: false
    }
  }

  /// True for kinds that change nothing whatever the state.
  var onlyReads: Bool {
    switch kind {
    case .load, .wait, .fence, .choose, .invoke: true
    default: false
    }
  }

  /// Equal apart from `isLocal`, which is decided by the machine and not by the code, and from
  /// which error was thrown.
  func isSameRequest(as other: Action) -> Bool {
    var copy = other
    copy.isLocal = isLocal
    // What an error says of itself need not be the same each time.
    if kind == .threw { copy.a = a }
    return copy == self
  }
}
