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
  /// From keys to numbers of states, counted from 0.
  let numbers = SummaryMap()
  /// The start of each state's bytes, which end at the start of the next.
  let starts = GrowableBuffer<Int>()
  let store = GrowableBuffer<UInt8>(capacity: 4_096)
  let words = GrowableBuffer<UInt64>()
  let coded = GrowableBuffer<UInt8>()
  /// States whose hash was taken by another.
  private(set) var collisions = 0

  deinit {
    starts.deallocate()
    store.deallocate()
    words.deallocate()
    coded.deallocate()
  }

  /// Bytes used.
  var bytes: Int { numbers.bytes + starts.count * 8 + store.count }

  /// The key of the system's current state, given its hash.
  ///
  /// - Parameter context: a further value that the key must distinguish and the hash includes.
  func key(of hash: UInt64, context: UInt64 = 0, in system: TransitionSystem) -> UInt64 {
    words.removeAll()
    words.append(context)
    system.addExactState(to: words)
    encode()
    var key = hash
    while let number = numbers.find(key) {
      if isSame(Int(number)) { return key }
      key = StableHash.extend(key, with: 1)
    }
    if key != hash { collisions += 1 }
    demand(starts.count < Int(SummaryMap.onStack), "[internal] too many states")
    numbers.set(key, UInt32(starts.count))
    starts.append(store.count)
    for index in 0..<coded.count { store.append(coded[index]) }
    checkInvariants()
    return key
  }

  func save(to writer: CheckpointWriter) {
    writer.write(collisions)
    writer.write(starts.count)
    for state in 0..<starts.count { writer.write(starts[state]) }
    writer.write(store.count)
    if !store.isEmpty { writer.write(UnsafeRawBufferPointer(store.all)) }
    numbers.save(to: writer)
  }

  /// Reads saved states into an empty object.
  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    collisions = try reader.number(in: 0..<Int.max)
    let count = try reader.count()
    for _ in 0..<count {
      let earliest = starts.isEmpty ? 0 : starts.last + 1
      starts.append(try reader.number(in: earliest..<Int.max))
    }
    let length = try reader.count(ofBytes: 1)
    guard starts.isEmpty || starts.last < length else { throw .malformed }
    try reader.bytes(length, into: store)
    try numbers.restore(from: reader, below: count)
    guard numbers.count == count else { throw .malformed }
  }

  private func isSame(_ number: Int) -> Bool {
    let start = starts[number]
    let end = number + 1 < starts.count ? starts[number + 1] : store.count
    guard end - start == coded.count else { return false }
    for index in 0..<coded.count where store[start + index] != coded[index] { return false }
    return true
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
