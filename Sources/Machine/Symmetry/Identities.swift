// Histories by number, used instead of hashes in exact machines.

import GracewalkExploration
import GracewalkSupport
import Synchronization

/// Numbers of sequences of 64-bit values.
///
/// Invariant: two numbers are equal if and only if the sequences are.
///
/// A sequence is the pair of a shorter one and its last value, and each pair that was ever seen has
/// a number (hash-consing: Ershov, "On programming of arithmetic operations", 1958). Pairs are
/// looked up only when code runs, for a new history, and never when the graph of local states has
/// an edge. So machines of several threads can share them.
package final class Identities: @unchecked Sendable {
  private struct Pair: Hashable {
    var sequence: UInt32
    var value: UInt64
  }

  /// The empty sequence.
  package static let empty: UInt32 = 0

  /// True if machines of one search share them.
  package let isShared: Bool

  package init(isShared: Bool = false) { self.isShared = isShared }

  /// Held while anything below is used.
  private let mutex = Mutex(())
  private var numbers: [Pair: UInt32] = [:]
  /// The pairs in the order of their numbers, which start at 1.
  private var pairs: [Pair] = []
  private var callbacks: [UInt64: UInt32] = [:]
  /// The keys of callbacks in order of discovery.
  private var callbackKeys: [UInt64] = []
  private var takenSets: [UInt64: [TakenEntry]] = [:]

  /// The number of a sequence, extended by one value.
  package func number(of sequence: UInt32, then value: UInt64) -> UInt32 {
    mutex.withLock { _ in numberAlone(sequence, value) }
  }

  private func numberAlone(_ sequence: UInt32, _ value: UInt64) -> UInt32 {
    let next = UInt32(pairs.count + 1)
    demand(next < UInt32.max, "[internal] too many distinct histories")
    let pair = Pair(sequence: sequence, value: value)
    if let known = numbers[pair] { return known }
    numbers[pair] = next
    pairs.append(pair)
    return next
  }

  /// Records the history of a callback's key; false if the key already belongs to another.
  package func isOnly(_ key: UInt64, for history: UInt32) -> Bool {
    mutex.withLock { _ in
      guard let known = callbacks[key] else {
        callbacks[key] = history
        callbackKeys.append(key)
        return true
      }
      return known == history
    }
  }

  /// Records the entries that have a name; false if the name already belongs to others.
  func isOnly(_ name: UInt64, for entries: [TakenEntry]) -> Bool {
    mutex.withLock { _ in
      guard let known = takenSets[name] else {
        takenSets[name] = entries
        return true
      }
      return known == entries
    }
  }

  func save(to writer: CheckpointWriter) {
    let (pairs, callbacks, callbackKeys) = mutex.withLock { _ in
      (self.pairs, self.callbacks, self.callbackKeys)
    }
    writer.write(pairs.count)
    for pair in pairs {
      writer.write(pair.sequence)
      writer.write(pair.value)
    }
    writer.write(callbackKeys.count)
    for key in callbackKeys {
      writer.write(key)
      writer.write(callbacks[key] ?? Identities.empty)
    }
  }

  /// Restores saved numbers.
  ///
  /// The few that a machine has from its start are the same, unless the model has changed.
  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    for index in 0..<(try reader.count(ofBytes: 12)) {
      let sequence = try reader.half()
      let value = try reader.word()
      guard sequence <= index else { throw .malformed }
      guard number(of: sequence, then: value) == index + 1 else { throw .systemChanged(depth: 0) }
    }
    for _ in 0..<(try reader.count(ofBytes: 12)) {
      let key = try reader.word()
      guard isOnly(key, for: try reader.half()) else { throw .systemChanged(depth: 0) }
    }
  }
}

/// A sequence of values as its hash and, in a machine that keeps identities, as its number.
package struct HashedSequence {
  package private(set) var hash: UInt64 = 0
  package private(set) var identity = Identities.empty

  package init() {}

  package mutating func extend(with value: UInt64, _ identities: Identities?) {
    hash = StableHash.extend(hash, with: value)
    if let identities { identity = identities.number(of: identity, then: value) }
  }
}
