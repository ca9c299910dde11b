// A value behind a lock, for types that cannot be `Sendable`.

import Synchronization

/// A value that can be reached only while its lock is held.
///
/// `Mutex` requires values without other references, which classes and closures cannot guarantee.
/// Here the user must not let references escape from `withLock`.
public final class Locked<Value>: @unchecked Sendable {
  private let mutex = Mutex(())
  private var value: Value

  public init(_ value: Value) { self.value = value }

  /// Runs `body` on the value with the lock held.
  public func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
    mutex.withLock { _ in body(&value) }
  }

  /// The same, or nil if another thread holds the lock.
  public func withLockIfAvailable<Result>(_ body: (inout Value) -> Result) -> Result? {
    mutex.withLockIfAvailable { _ in body(&value) }
  }
}
