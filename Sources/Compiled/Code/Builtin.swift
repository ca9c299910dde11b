// Functions that the checker provides.

/// What a call of a function that is not in the program does.
enum Builtin: String {
  case assertFail, fail, abort
  case create, join, selfThread, exitThread, exitProcess, exitQuickly, exitAtOnce
  /// Locks of one word; those of a type that may be recursive.
  case lock, tryLock, unlock, lockTyped, tryLockTyped, unlockTyped, initMutex, destroyMutex
  case lockShared, tryLockShared, lockExclusive, tryLockExclusive, unlockShared
  case initShared, destroyShared
  case sleep, wake, wakeOrTimeOut, signal, broadcast, initCondition, destroyCondition
  case takeSemaphore, tryTakeSemaphore, postSemaphore, initSemaphore
  case beginOnce, endOnce
  case initBarrier, arrive, passBarrier, destroyBarrier
  /// Read-side sections of RCU, grace periods, callbacks, and waiting for callbacks.
  case openSection, closeSection, isInSection, startGrace, passGrace, callLater
  case startDrain, passDrain
  case allocate, allocateZeroed, allocateAligned, free, sizeOf
  case assume, choose, choosePair, chooseNumber, nothing, zero, first, print
  /// What a program says to the checker; a step of hardware.
  case violate, requires, hardware
  case awaitLoad, awaitExchange
  case copyMemory, setMemory
  /// Atomic accesses of 16 bytes.
  case loadWide, storeWide, exchangeWide, compareWide
  case minimumSigned, maximumSigned, minimumUnsigned, maximumUnsigned, absolute
  case countLeadingZeros, countTrailingZeros, countOnes, swapBytes
  case threadLocal, objectSize
}
