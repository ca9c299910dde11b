// A set of state keys, with the budget left when each was visited.

import GracewalkSupport

/// An open-addressing hash table from 64-bit keys to budgets.
///
/// Two different states with the same key would be merged: with n states the probability that any
/// two collide is below n²/2⁶⁵ (about 3·10⁻⁸ for a million states).
final class StateTable {
  /// The remaining budget of a visit; a later visit with no more of either finds nothing new.
  struct Budget: BitwiseCopyable {
    var preemptions: Int32
    var steps: Int32

    func covers(_ other: Budget) -> Bool {
      preemptions >= other.preemptions && steps >= other.steps
    }
  }

  struct Slot: BitwiseCopyable {
    var key: UInt64
    var budget: Budget
  }

  /// Zero marks an empty slot, so the key zero is stored as this one.
  private static let zeroKey: UInt64 = 0x9E37_79B9_7F4A_7C15
  private(set) var slots: UnsafeMutablePointer<Slot>
  private(set) var mask: Int
  private(set) var count = 0

  init() {
    mask = 1_023
    slots = StateTable.emptySlots(1_024)
  }

  deinit { slots.deallocate() }

  /// Bytes used.
  var bytes: Int { (mask + 1) * MemoryLayout<Slot>.stride }

  /// Records a visit; false if an earlier one covers it.
  func visit(_ state: UInt64, budget: Budget) -> Bool {
    let key = state == 0 ? StateTable.zeroKey : state
    let index = find(key)
    if slots[index].key == key {
      if slots[index].budget.covers(budget) { return false }
      slots[index].budget = budget
      return true
    }
    slots[index] = Slot(key: key, budget: budget)
    count += 1
    if count * 3 > mask * 2 { grow() }
    return true
  }

  /// Writes capacity, number of states, then the contents of each slot.
  func save(to writer: CheckpointWriter) {
    writer.write(mask + 1)
    writer.write(count)
    for index in 0...mask where slots[index].key != 0 {
      writer.write(slots[index].key)
      writer.write(UInt32(bitPattern: slots[index].budget.preemptions))
      writer.write(UInt32(bitPattern: slots[index].budget.steps))
    }
  }

  /// Reads a saved table into an empty one.
  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    let capacity = try reader.number(in: 1..<Int.max)
    let total = try reader.count(ofBytes: 16)
    while mask + 1 < capacity && mask < total * 3 { grow() }
    guard mask + 1 == capacity, total * 3 <= mask * 2 else { throw .malformed }
    for _ in 0..<total {
      let key = try reader.word()
      let preemptions = Int32(bitPattern: try reader.half())
      let steps = Int32(bitPattern: try reader.half())
      guard key != 0, visit(key, budget: Budget(preemptions: preemptions, steps: steps)) else {
        throw .malformed
      }
    }
    guard count == total else { throw .malformed }
    checkInvariants()
  }

  func find(_ key: UInt64) -> Int {
    var index = Int(truncatingIfNeeded: StableHash.mix(key)) & mask
    while slots[index].key != 0 && slots[index].key != key { index = (index + 1) & mask }
    return index
  }

  private func grow() {
    let old = slots
    let oldCapacity = mask + 1
    slots = StateTable.emptySlots(oldCapacity * 2)
    mask = oldCapacity * 2 - 1
    for index in 0..<oldCapacity where old[index].key != 0 {
      slots[find(old[index].key)] = old[index]
    }
    old.deallocate()
    checkInvariants()
  }

  private static func emptySlots(_ capacity: Int) -> UnsafeMutablePointer<Slot> {
    let slots = UnsafeMutablePointer<Slot>.allocate(capacity: capacity)
    let empty = Slot(key: 0, budget: StateTable.Budget(preemptions: 0, steps: 0))
    slots.initialize(repeating: empty, count: capacity)
    return slots
  }
}
