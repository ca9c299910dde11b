// Invariants of data structures: checked in builds with a flag, compiled to nothing in others.

/// Ends the process unless an invariant of a data structure holds, in a build with
/// `CHECKS_INVARIANTS`.
///
/// A type states its invariants in `Type+Invariants.swift`, in a `checkInvariants()` that its
/// methods call after a change. In an ordinary build neither argument is evaluated; code around the
/// call, such as a loop, needs its own `#if`.
@inlinable @inline(__always)
public func mustHold(
  _ condition: @autoclosure () -> Bool, _ text: @autoclosure () -> String,
  file: StaticString = #fileID, line: UInt = #line
) {
  #if CHECKS_INVARIANTS
    if !condition() { fatalError("[internal] \(text())", file: file, line: line) }
  #endif
}

/// True in a build that checks invariants, for tests that need or avoid such a build.
public var checksInvariants: Bool {
  #if CHECKS_INVARIANTS
    true
  #else
    false
  #endif
}
