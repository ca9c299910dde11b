// States in full, for a search that must not merge two different states.

import GracewalkSupport

/// Gives every state a key of its own.
///
/// Two states may have the same hash. Here each state is stored in full with its key: its hash, or
/// if another state has that key, the next free key derived from it. Invariant: different states
/// have different keys.
///
/// A state takes the bytes of its words, one byte for a small word, and at most 27 bytes of index.
final class ExactStates {
  /// What is stored; in a team, by all members.
  private(set) var store = ExactStore()
  private let words = GrowableBuffer<UInt64>()
  private let coded = GrowableBuffer<UInt8>()

  deinit {
    words.deallocate()
    coded.deallocate()
  }

  /// States stored here whose hash was taken by another.
  var collisions = 0

  /// Bytes used.
  var bytes: Int { store.bytes }

  /// Stores states where others do; none have been stored yet.
  func share(_ other: ExactStore) { store = other }

  /// The key of the system's current state, given its hash.
  ///
  /// - Parameter context: a further value that the key must distinguish and the hash includes.
  func key(of hash: UInt64, context: UInt64 = 0, in system: TransitionSystem) -> UInt64 {
    words.removeAll()
    words.append(context)
    system.addExactState(to: words)
    encode()
    return store.key(of: hash, coded, words, &collisions)
  }

  func save(to writer: CheckpointWriter) {
    writer.write(collisions)
    store.save(to: writer)
  }

  /// Reads saved states into an empty object.
  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    collisions = try reader.number(in: 0..<Int.max)
    try store.restore(from: reader)
  }

  /// Seven bits per byte, lowest first; the top bit is set if more follow (LEB128).
  ///
  /// Different sequences of words have different bytes.
  private func encode() {
    coded.removeAll()
    for index in 0..<words.count {
      var left = words[index]
      while left >= 0x80 {
        coded.append(UInt8(truncatingIfNeeded: left) | 0x80)
        left >>= 7
      }
      coded.append(UInt8(truncatingIfNeeded: left))
    }
  }
}
