// The states a search has finished, each with the number of its summary: 12 bytes a slot.

import GracewalkSupport

/// An open-addressing map from state keys to 32-bit numbers.
///
/// Keys and numbers are kept apart so that nothing is lost to alignment, and the table grows by a
/// quarter, not by doubling, so that it is at least 64 % full: at most 19 bytes a state.
final class SummaryMap {
  /// The state is on the search stack: its summary is not complete.
  static let onStack: UInt32 = .max

  private(set) var keys: UnsafeMutablePointer<UInt64>
  private var numbers: UnsafeMutablePointer<UInt32>
  private(set) var capacity: Int
  private(set) var count = 0
  /// Zero marks an empty slot, so the key zero is stored as this one.
  private static let zeroKey: UInt64 = 0x9E37_79B9_7F4A_7C15

  init(capacity: Int = 4_096) {
    self.capacity = capacity
    keys = .allocate(capacity: capacity)
    keys.initialize(repeating: 0, count: capacity)
    numbers = .allocate(capacity: capacity)
    numbers.initialize(repeating: 0, count: capacity)
  }

  deinit {
    keys.deallocate()
    numbers.deallocate()
  }

  /// Bytes held.
  var bytes: Int { capacity * 12 }

  /// The number stored for a state, or nil.
  func find(_ state: UInt64) -> UInt32? {
    let key = state == 0 ? SummaryMap.zeroKey : state
    let index = slot(of: key)
    return keys[index] == key ? numbers[index] : nil
  }

  /// Stores a number for a state, in place of any before.
  func set(_ state: UInt64, _ number: UInt32) {
    let key = state == 0 ? SummaryMap.zeroKey : state
    var index = slot(of: key)
    if keys[index] != key {
      if count * 5 >= capacity * 4 {
        grow()
        index = slot(of: key)
      }
      keys[index] = key
      count += 1
    }
    numbers[index] = number
  }

  /// Writes capacity, number of keys, then keys and numbers by slot.
  func save(to writer: CheckpointWriter) {
    writer.write(capacity)
    writer.write(count)
    for slot in 0..<capacity where keys[slot] != 0 {
      writer.write(keys[slot])
      writer.write(numbers[slot])
    }
  }

  /// Reads what was saved, into a map that is empty.
  ///
  /// - Parameter limit: more than any number but `onStack`.
  func restore(from reader: CheckpointReader, below limit: Int) throws(CheckpointError) {
    let capacity = try reader.number(in: 1..<Int.max)
    let total = try reader.count(ofBytes: 12)
    while self.capacity < capacity && self.capacity <= total * 2 { grow() }
    guard self.capacity == capacity else { throw .malformed }
    for _ in 0..<total {
      let key = try reader.word()
      let number = try reader.half()
      guard key != 0, number == SummaryMap.onStack || number < limit, count * 5 < capacity * 4
      else { throw .malformed }
      set(key, number)
    }
    guard count == total else { throw .malformed }
    checkInvariants()
  }

  /// Where a key is, or would go.
  ///
  /// Keys are hashes already, so their high bits choose the slot.
  func slot(of key: UInt64) -> Int {
    var index = Int(key.multipliedFullWidth(by: UInt64(capacity)).high)
    while keys[index] != 0 && keys[index] != key {
      index += 1
      if index == capacity { index = 0 }
    }
    return index
  }

  private func grow() {
    let oldKeys = keys
    let oldNumbers = numbers
    let oldCapacity = capacity
    capacity = oldCapacity + oldCapacity / 4
    keys = .allocate(capacity: capacity)
    keys.initialize(repeating: 0, count: capacity)
    numbers = .allocate(capacity: capacity)
    numbers.initialize(repeating: 0, count: capacity)
    for old in 0..<oldCapacity where oldKeys[old] != 0 {
      let index = slot(of: oldKeys[old])
      keys[index] = oldKeys[old]
      numbers[index] = oldNumbers[old]
    }
    oldKeys.deallocate()
    oldNumbers.deallocate()
    checkInvariants()
  }
}
