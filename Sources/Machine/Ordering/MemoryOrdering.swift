// What code asks of an access: to be ordered with others.

/// The memory ordering of an access.
///
/// Under sequential consistency it orders nothing that is not ordered anyway. It is recorded and
/// shown in traces, and it counts where an invariant asks what one CPU has told another.
public enum MemoryOrdering: UInt8, Sendable, BitwiseCopyable {
  case relaxed, acquire, release, acquireRelease, sequentiallyConsistent
}

extension MemoryOrdering {
  var acquires: Bool { self != .relaxed && self != .release }
  var releases: Bool { self != .relaxed && self != .acquire }
}
