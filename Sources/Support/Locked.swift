// A value behind a lock, for values the compiler cannot follow from thread to thread.

import Synchronization

/// A value that only whoever holds the lock can reach.
///
/// `Mutex` asks for values that nobody else refers to, which classes and closures cannot promise;
/// here it is the user who must not let them out of `withLock`.
public final class Locked<Value>: @unchecked Sendable {
  private let mutex = Mutex(())
  private var value: Value

  public init(_ value: Value) { self.value = value }

  /// Runs `body` on the value while nobody else can.
  public func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
    mutex.withLock { _ in body(&value) }
  }

  /// The same unless somebody else is at it; then nil.
  public func withLockIfAvailable<Result>(_ body: (inout Value) -> Result) -> Result? {
    mutex.withLockIfAvailable { _ in body(&value) }
  }
}
