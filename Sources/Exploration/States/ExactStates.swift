// States in full, for a search that must not take two of them for one.

import GracewalkSupport

/// Gives every state a key of its own.
///
/// A state's key is a hash, so two states may share it. Here each state is kept in full, beside the
/// key it got: its hash, or where another state has that key, the next one derived from it that
/// is free. Whoever stores states by these keys keeps all of them apart.
///
/// A state takes the bytes of its words, small ones in one byte each, and 27 bytes at most to find
/// them.
final class ExactStates {
  private let system: TransitionSystem
  /// From keys to numbers of states, counted from 0.
  let numbers = SummaryMap()
  /// Where each state's bytes begin; they end where those of the next begin.
  let starts = GrowableBuffer<Int>()
  let store = GrowableBuffer<UInt8>(capacity: 4_096)
  let words = GrowableBuffer<UInt64>()
  let coded = GrowableBuffer<UInt8>()
  /// States that found their hash taken by another.
  private(set) var collisions = 0

  init(_ system: TransitionSystem) { self.system = system }

  deinit {
    starts.deallocate()
    store.deallocate()
    words.deallocate()
    coded.deallocate()
  }

  /// Bytes held.
  var bytes: Int { numbers.bytes + starts.count * 8 + store.count }

  /// The key of the state that the system is in, given its hash.
  ///
  /// - Parameter context: what else the key must tell apart and the hash includes.
  func key(of hash: UInt64, context: UInt64 = 0) -> UInt64 {
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

  /// Reads what was saved, into an object that keeps nothing yet.
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

  /// Seven bits a byte, lowest first; the top bit says that more follow (LEB128).
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
