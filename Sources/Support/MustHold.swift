// Invariants of data structures: checked in builds that ask for it, and nothing in all others.

/// Ends the process unless an invariant of a data structure holds, in a build with
/// `CHECKS_INVARIANTS`.
///
/// What a type keeps true is stated in its `Type+Invariants.swift`, in a `checkInvariants()` that
/// its methods call where they have changed something. In an ordinary build neither argument is
/// evaluated; what leads up to the call, such as a loop, needs an `#if` of its own.
@inlinable @inline(__always)
public func mustHold(
  _ condition: @autoclosure () -> Bool, _ text: @autoclosure () -> String,
  file: StaticString = #fileID, line: UInt = #line
) {
  #if CHECKS_INVARIANTS
    if !condition() { fatalError("[internal] \(text())", file: file, line: line) }
  #endif
}

/// True in a build that checks invariants: for tests that are about such a build, or spare it.
public var checksInvariants: Bool {
  #if CHECKS_INVARIANTS
    true
  #else
    false
  #endif
}
