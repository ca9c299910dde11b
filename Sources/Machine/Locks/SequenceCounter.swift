// Sequence counters: readers look twice at a count that writers change around what they write.

/// A count that is odd while somebody writes what it protects, like the kernel's `seqcount_t`.
///
/// Readers take no lock: they read again where the count has changed. Writers exclude each other by
/// a lock of their own; the counter does not do that for them.
public struct SequenceCounter: Equatable, Sendable {
  /// The count, for invariants to look at.
  public let count: Word<Int>
}

extension Scenario {
  /// A sequence counter, which begins at 0.
  public func sequenceCounter(
    _ name: String, file: String = #fileID, line: Int = #line
  ) -> SequenceCounter {
    SequenceCounter(count: variable(name, initial: 0, file: file, line: line))
  }
}

extension VirtualCPU {
  /// Waits until nobody writes and returns the count then, like `read_seqcount_begin`.
  ///
  /// A wait, and no spin: nothing is repeated until it is over.
  public func readSeqcountBegin(
    _ counter: SequenceCounter, file: String = #fileID, line: Int = #line,
    label: String = #function
  ) throws(Abandoned) -> Int {
    try wait(
      until: counter.count, .bits(1, equal: 0), file: file, line: line, label: label)
  }

  /// True if somebody has written since the count was `start`, so that all that was read since is
  /// to be read again, like `read_seqcount_retry`.
  public func readSeqcountRetry(
    _ counter: SequenceCounter, _ start: Int, file: String = #fileID, line: Int = #line,
    label: String = #function
  ) throws(Abandoned) -> Bool {
    try load(counter.count, .acquire, file: file, line: line, label: label) != start
  }

  /// Makes the count odd, like `write_seqcount_begin`.
  ///
  /// As in the kernel it is a load and a store, and not atomic.
  public func writeSeqcountBegin(
    _ counter: SequenceCounter, file: String = #fileID, line: Int = #line,
    label: String = #function
  ) throws(Abandoned) {
    try increment(counter, .relaxed, SourceSite(file: file, line: line, label: label))
    try fence(.release, file: file, line: line, label: label)
  }

  /// Makes the count even again, like `write_seqcount_end`.
  public func writeSeqcountEnd(
    _ counter: SequenceCounter, file: String = #fileID, line: Int = #line,
    label: String = #function
  ) throws(Abandoned) {
    try increment(counter, .release, SourceSite(file: file, line: line, label: label))
  }

  private func increment(
    _ counter: SequenceCounter, _ ordering: MemoryOrdering, _ site: SourceSite
  ) throws(Abandoned) {
    let location = Location(counter.count)
    try admit(location, site)
    let count = try issue(Action(.access(.load), location, .relaxed), site)
    var store = Action(.access(.store), location, ordering)
    store.stored = count &+ 1
    _ = try issue(store, site)
  }
}
