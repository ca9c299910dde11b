// What a thread asks the machine for: the only way in which it sees or changes anything shared.

import GracewalkLLVM

/// One step of a thread, as flat data.
struct Request: BitwiseCopyable {
  enum Kind: UInt8, BitwiseCopyable {
    /// A thread that was created begins.
    case start
    case load, store, compareExchange, update
    case copyMemory, setMemory
    /// An atomic access of 16 bytes.
    case wide
    case fence
    case allocate, free
    /// An object on the stack comes into being; objects from a number on end.
    case allocateStack, releaseStack
    case create, join, finish
    case lock, tryLock, unlock, initMutex, destroyMutex
    case lockShared, tryLockShared, lockExclusive, tryLockExclusive, unlockShared
    case initShared, destroyShared
    /// Unlocks a mutex and sleeps on a condition variable; wakes up.
    case sleep, wake, signal, broadcast, initCondition, destroyCondition
    case takeSemaphore, tryTakeSemaphore, postSemaphore, initSemaphore
    case beginOnce, endOnce
    /// A read-side section begins or ends; a grace period or callbacks are waited for.
    case openSection, closeSection, startGrace, passGrace, callLater, startDrain, passDrain
    /// The size of an object; output, for traces.
    case sizeOf, print
    /// C code that models hardware: it runs as one step, with an access to one word.
    case hardware
    case initBarrier, arrive, passBarrier, destroyBarrier
    /// Waits until a word compares with a number in a certain way, then reads or exchanges it.
    case awaitLoad, awaitExchange
    case choose
    /// The thread does nothing any more: an assumption does not hold, or its loops are cut.
    case blocked, cut
    /// The thread has finished.
    case ended
    /// The program does something wrong.
    case failed
  }

  var kind: Kind
  private var bitCount: UInt8 = 64
  private var conditionBits: UInt8 = 0
  private var byteCount: Int32 = 0
  var ordering = IROrdering.none
  var failure = IROrdering.none
  var update = IRUpdate.xchg
  /// What a wait waits for: bits for greater (1), equal (2) and less (4), and for signed (8).
  var condition: UInt64 {
    get { UInt64(conditionBits) }
    set { conditionBits = UInt8(truncatingIfNeeded: newValue) }
  }
  var size: Int {
    get { Int(byteCount) }
    set { byteCount = Int32(truncatingIfNeeded: newValue) }
  }
  var bits: Int {
    get { Int(bitCount) }
    set { bitCount = UInt8(truncatingIfNeeded: newValue) }
  }
  /// An allocation is of zeros; bytes that are read and not initialised count as zeros.
  var isZeroed = false
  /// The point is in a loop, so a turn may lead back to it.
  var isInLoop = false
  var address: UInt64 = 0
  var a: UInt64 = 0
  var b: UInt64 = 0
  /// Its place in the source, or -1.
  var place: Int32 = -1

  /// Hardware accesses it: nothing that C says of data races is about that.
  var isByHardware = false
  /// What an access of 16 bytes does.
  enum Wide: UInt64 {
    case load, store, exchange, compare
  }

  var wide: Wide { Wide(rawValue: b) ?? .load }

  /// A mutex may have a type; a sleeper may time out.
  var isTyped = false

  init(_ kind: Kind) { self.kind = kind }

  var isAtomic: Bool { ordering != .none }

  /// Whether a value of the word is what a wait waits for.
  func isMet(by value: UInt64) -> Bool {
    let (x, y) = (signExtended(value, size * 8), signExtended(b, size * 8))
    let isLess = condition & 8 != 0 ? x < y : UInt64(bitPattern: x) < UInt64(bitPattern: y)
    if x == y { return condition & 2 != 0 }
    return condition & (isLess ? 4 : 1) != 0
  }
}

extension Request.Kind {
  /// Whether it waits for other threads, rather than for a value that is read in a loop.
  var isWait: Bool {
    switch self {
    case .lock, .join, .passBarrier, .awaitLoad, .awaitExchange, .lockShared, .lockExclusive, .wake,
      .takeSemaphore, .beginOnce, .passGrace, .passDrain:
      true
    default: false
    }
  }

  /// Whether it is a step on a lock or the like, which are no data that could race.
  var isOnLock: Bool {
    switch self {
    case .lock, .tryLock, .unlock, .initMutex, .destroyMutex, .initBarrier, .arrive, .passBarrier,
      .destroyBarrier, .lockShared, .tryLockShared, .lockExclusive, .tryLockExclusive,
      .unlockShared, .initShared, .destroyShared, .sleep, .wake, .signal, .broadcast,
      .initCondition, .destroyCondition, .takeSemaphore, .tryTakeSemaphore, .postSemaphore,
      .initSemaphore, .beginOnce, .endOnce:
      true
    default: false
    }
  }
}

/// What is wrong with a program.
package struct Finding: Error, Equatable {
  package enum Kind: String, CaseIterable {
    case assertion, race, deadlock, livelock, abort
    case nullPointer = "null-pointer"
    case wildPointer = "wild-pointer"
    case outOfBounds = "out-of-bounds"
    case useAfterFree = "use-after-free"
    case useAfterReturn = "use-after-return"
    case doubleFree = "double-free"
    case badFree = "bad-free"
    case uninitialised = "uninitialised-read"
    case misaligned = "misaligned-atomic"
    case constantWrite = "write-to-constant"
    case undefined = "undefined-behaviour"
    case misuse = "misuse-of-threads"
    case endless = "endless-loop"
    case leak = "leak"
    /// One that the program states, or `gracewalk.h`, by name.
    case invariant
    case unsupported
  }

  package var kind: Kind
  package var message: String
  /// The name of the invariant, for kinds that have several.
  private var invariant: String?

  init(_ kind: Kind, _ message: String, of invariant: String? = nil) {
    self.kind = kind
    self.message = message
    self.invariant = invariant
  }

  /// What reports call it.
  package var name: String { invariant ?? kind.rawValue }
}
