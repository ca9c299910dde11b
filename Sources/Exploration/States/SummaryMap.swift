// The finished states of a search, each with the number of its summary: 12 bytes per slot.

import GracewalkSupport

/// An open-addressing map from state keys to 32-bit numbers.
///
/// A slot has a key and its number side by side, so that a lookup waits for memory only once,
/// packed without an alignment gap. The table grows by a quarter instead of doubling, so it is
/// always at least 64 % full: at most 19 bytes per state.
final class SummaryMap {
  /// The state is on the search stack: its summary is not complete.
  static let onStack: UInt32 = .max

  private static let slotSize = 12
  private var slots: UnsafeMutableRawPointer
  private(set) var capacity: Int
  private(set) var count = 0
  /// Zero marks an empty slot, so the key zero is stored as this one.
  private static let zeroKey: UInt64 = 0x9E37_79B9_7F4A_7C15

  init(capacity: Int = 4_096) {
    self.capacity = capacity
    slots = SummaryMap.emptySlots(capacity)
  }

  deinit { slots.deallocate() }

  private static func emptySlots(_ capacity: Int) -> UnsafeMutableRawPointer {
    let slots = UnsafeMutableRawPointer.allocate(byteCount: capacity * slotSize, alignment: 8)
    slots.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * slotSize)
    return slots
  }

  /// Bytes used.
  var bytes: Int { capacity * SummaryMap.slotSize }

  @inline(__always)
  func key(_ slot: Int) -> UInt64 {
    slots.loadUnaligned(fromByteOffset: slot &* SummaryMap.slotSize, as: UInt64.self)
  }

  @inline(__always)
  private func number(_ slot: Int) -> UInt32 {
    slots.loadUnaligned(fromByteOffset: slot &* SummaryMap.slotSize &+ 8, as: UInt32.self)
  }

  @inline(__always)
  private func fill(_ slot: Int, _ key: UInt64, _ number: UInt32) {
    slots.storeBytes(of: key, toByteOffset: slot &* SummaryMap.slotSize, as: UInt64.self)
    slots.storeBytes(of: number, toByteOffset: slot &* SummaryMap.slotSize &+ 8, as: UInt32.self)
  }

  /// The number stored for a state, or nil.
  func find(_ state: UInt64) -> UInt32? {
    let key = state == 0 ? SummaryMap.zeroKey : state
    let slot = slot(of: key)
    return self.key(slot) == key ? number(slot) : nil
  }

  /// Reads the slot at which looking for a state begins.
  ///
  /// Whoever is about to look for many states calls this for all of them first: the processor then
  /// waits for memory once for many, and not for one after the other. The value means nothing.
  @inline(__always)
  func touch(_ state: UInt64) -> UInt64 { key(firstSlot(of: state)) }

  /// Stores a number for a state, in place of any before; returns true if there was none.
  @discardableResult
  func set(_ state: UInt64, _ number: UInt32) -> Bool {
    let key = state == 0 ? SummaryMap.zeroKey : state
    var slot = slot(of: key)
    let isNew = self.key(slot) != key
    if isNew {
      if count * 5 >= capacity * 4 {
        grow()
        slot = self.slot(of: key)
      }
      count += 1
    }
    fill(slot, key, number)
    return isNew
  }

  /// The largest number stored, or -1.
  var largestNumber: Int {
    (0..<capacity).reduce(-1) { key($1) == 0 ? $0 : max($0, Int(number($1))) }
  }

  /// Replaces every number.
  func renumber(_ new: (UInt32) -> UInt32) {
    for slot in 0..<capacity where key(slot) != 0 { fill(slot, key(slot), new(number(slot))) }
  }

  /// Calls `body` with each key and its number, in the order of the slots.
  func forEach(_ body: (UInt64, UInt32) -> Void) {
    for slot in 0..<capacity where key(slot) != 0 { body(key(slot), number(slot)) }
  }

  /// Forgets everything, and keeps the memory.
  func removeAll() {
    if count == 0 { return }
    slots.initializeMemory(
      as: UInt8.self, repeating: 0, count: capacity * SummaryMap.slotSize)
    count = 0
  }

  /// Gives what it holds to another map, and takes over what that one holds.
  func exchange(with other: SummaryMap) {
    swap(&slots, &other.slots)
    swap(&capacity, &other.capacity)
    swap(&count, &other.count)
  }

  /// Writes capacity, number of keys, then keys and numbers by slot.
  func save(to writer: CheckpointWriter) {
    writer.write(capacity)
    writer.write(count)
    for slot in 0..<capacity where key(slot) != 0 {
      writer.write(key(slot))
      writer.write(number(slot))
    }
  }

  /// Reads a saved map into an empty one.
  ///
  /// - Parameter limit: greater than every stored number except `onStack`.
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

  /// Keys are hashes already, so their high bits choose the slot.
  @inline(__always)
  private func firstSlot(of key: UInt64) -> Int {
    Int(truncatingIfNeeded: key.multipliedFullWidth(by: UInt64(capacity)).high)
  }

  /// The slot of a key, or the one in which it would be stored.
  func slot(of key: UInt64) -> Int {
    var slot = firstSlot(of: key)
    while true {
      let there = self.key(slot)
      if there == 0 || there == key { return slot }
      slot &+= 1
      if slot == capacity { slot = 0 }
    }
  }

  private func grow() {
    let old = slots
    let oldCapacity = capacity
    capacity = oldCapacity + oldCapacity / 4
    slots = SummaryMap.emptySlots(capacity)
    var offset = 0
    for _ in 0..<oldCapacity {
      let key = old.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      if key != 0 {
        fill(
          slot(of: key), key, old.loadUnaligned(fromByteOffset: offset &+ 8, as: UInt32.self))
      }
      offset &+= SummaryMap.slotSize
    }
    old.deallocate()
    checkInvariants()
  }
}
