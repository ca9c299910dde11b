// What a thread asks the machine for: the only way in which it sees or changes anything shared.

import GracewalkLLVM

/// One step of a thread, as flat data.
struct Request: BitwiseCopyable {
  enum Kind: UInt8, BitwiseCopyable {
    /// A thread that was created begins.
    case start
    case load, store, compareExchange, update
    case copyMemory, setMemory
    case fence
    case allocate, free
    /// An object on the stack comes into being; objects from a number on end.
    case allocateStack, releaseStack
    case create, join, finish
    case lock, tryLock, unlock, initMutex, destroyMutex
    case initBarrier, arrive, passBarrier, destroyBarrier
    case choose
    /// The thread does nothing any more: an assumption does not hold, or its loops are cut.
    case blocked, cut
    /// The thread has finished.
    case ended
    /// The program does something wrong.
    case failed
  }

  var kind: Kind
  var size = 0
  var bits = 64
  var ordering = IROrdering.none
  var failure = IROrdering.none
  var update = IRUpdate.xchg
  /// An allocation is of zeros.
  var isZeroed = false
  /// The point is in a loop, so a turn may lead back to it.
  var isInLoop = false
  var address: UInt64 = 0
  var a: UInt64 = 0
  var b: UInt64 = 0
  /// Its place in the source, or -1.
  var place: Int32 = -1

  init(_ kind: Kind) { self.kind = kind }

  var isAtomic: Bool { ordering != .none }
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
    case unsupported
  }

  package var kind: Kind
  package var message: String

  init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }
}
