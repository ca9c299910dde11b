// The memory ordering that code requests for an access.

/// The memory ordering of an access.
///
/// Under sequential consistency everything is ordered anyway. The ordering is recorded and shown in
/// traces, and matters to invariants about what one CPU has told another.
public enum MemoryOrdering: UInt8, Sendable, BitwiseCopyable {
  case relaxed, acquire, release, acquireRelease, sequentiallyConsistent
}

extension MemoryOrdering {
  var acquires: Bool { self != .relaxed && self != .release }
  var releases: Bool { self != .relaxed && self != .acquire }
}
