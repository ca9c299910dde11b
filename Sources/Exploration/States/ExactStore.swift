// Where states are stored in full, by one search or by several threads.

import GracewalkSupport
import Synchronization

/// States in parts, each with a lock of its own, so that threads seldom wait for each other.
///
/// A state belongs to the part that the low bits of its hash choose. Its key has the same low bits,
/// so states of different parts have different keys.
final class ExactStore: Sendable {
  private static let partCount = 16
  private let parts = (0..<partCount).map { _ in Locked(ExactPart()) }

  private let size = Atomic<Int>(0)

  init() { size.store(parts.reduce(0) { $0 + $1.withLock { $0.bytes } }, ordering: .relaxed) }

  /// Bytes used.
  var bytes: Int { size.load(ordering: .relaxed) }

  /// The key of a state, given its hash, its bytes and the words they stand for.
  ///
  /// - Parameter collisions: counts the state if it is new and its hash was taken by another.
  func key(
    of hash: UInt64, _ coded: GrowableBuffer<UInt8>, _ words: GrowableBuffer<UInt64>,
    _ collisions: inout Int
  ) -> UInt64 {
    let low = UInt64(Self.partCount - 1)
    return parts[Int(hash & low)].withLock { part in
      var key = hash
      while let number = part.numbers.find(key) {
        if part.isSame(Int(number), coded) { return key }
        key = StableHash.extend(key, with: 1) & ~low | hash & low
      }
      if key != hash { collisions += 1 }
      let bytes = part.bytes
      part.store(coded, under: key)
      size.wrappingAdd(part.bytes - bytes, ordering: .relaxed)
      part.checkLatest(words)
      return key
    }
  }

  func save(to writer: CheckpointWriter) {
    for part in parts { part.withLock { $0.save(to: writer) } }
  }

  /// Reads what was saved, where nothing is stored.
  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    for part in parts {
      let result = part.withLock { part in
        Result<Void, CheckpointError> { () throws(CheckpointError) in
          try part.restore(from: reader)
        }
      }
      try result.get()
    }
    size.store(parts.reduce(0) { $0 + $1.withLock { $0.bytes } }, ordering: .relaxed)
  }
}

/// Some of the states.
final class ExactPart {
  /// From keys to numbers of states, counted from 0.
  let numbers = SummaryMap(capacity: 256)
  /// The start of each state's bytes, which end at the start of the next.
  let starts = GrowableBuffer<Int>()
  let bytesStored = GrowableBuffer<UInt8>(capacity: 4_096)

  deinit {
    starts.deallocate()
    bytesStored.deallocate()
  }

  var bytes: Int { numbers.bytes + starts.count * 8 + bytesStored.count }

  func store(_ coded: GrowableBuffer<UInt8>, under key: UInt64) {
    demand(starts.count < Int(SummaryMap.onStack), "[internal] too many states")
    numbers.set(key, UInt32(starts.count))
    starts.append(bytesStored.count)
    for index in 0..<coded.count { bytesStored.append(coded[index]) }
  }

  func isSame(_ number: Int, _ coded: GrowableBuffer<UInt8>) -> Bool {
    let start = starts[number]
    let end = number + 1 < starts.count ? starts[number + 1] : bytesStored.count
    guard end - start == coded.count else { return false }
    for index in 0..<coded.count where bytesStored[start + index] != coded[index] { return false }
    return true
  }

  func save(to writer: CheckpointWriter) {
    writer.write(starts.count)
    for state in 0..<starts.count { writer.write(starts[state]) }
    writer.write(bytesStored.count)
    if !bytesStored.isEmpty { writer.write(UnsafeRawBufferPointer(bytesStored.all)) }
    numbers.save(to: writer)
  }

  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    let count = try reader.count()
    for _ in 0..<count {
      let earliest = starts.isEmpty ? 0 : starts.last + 1
      starts.append(try reader.number(in: earliest..<Int.max))
    }
    let length = try reader.count(ofBytes: 1)
    guard starts.isEmpty || starts.last < length else { throw .malformed }
    try reader.bytes(length, into: bytesStored)
    try numbers.restore(from: reader, below: count)
    guard numbers.count == count else { throw .malformed }
  }
}
