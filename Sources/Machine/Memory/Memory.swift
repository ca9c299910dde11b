// The machine's state: one array of words, hashed as it changes, with every change undoable.

import GracewalkSupport

/// 64-bit words that start at zero, an undo log, and a hash kept up to date in O(1) per write.
final class Memory {
  private struct Change: BitwiseCopyable {
    var cell: UInt32
    var old: UInt64
  }

  private let cells: UnsafeMutablePointer<UInt64>
  private let cellCount: Int
  private let changes = GrowableBuffer<Change>()
  private let hashCell: UnsafeMutablePointer<UInt64>
  /// Whether reads are recorded, and all writes, also of the value that is there.
  private(set) var recordsReads = false
  /// Whether something was read that is in no cell.
  var wasReadAround = false
  /// The cells that were read since somebody asked.
  private let reads = GrowableBuffer<UInt32>()
  /// Cells that were ever nonzero, sorted; and the same as a bitmap.
  ///
  /// Empty until the memory's contents are requested.
  private var usedCells: [UInt32] = []
  private var isUsed: [Bool] = []

  init(cellCount: Int) {
    self.cellCount = cellCount
    cells = .allocate(capacity: cellCount)
    cells.initialize(repeating: 0, count: cellCount)
    hashCell = .allocate(capacity: 1)
    hashCell.initialize(to: 0)
  }

  deinit {
    cells.deallocate()
    hashCell.deallocate()
    changes.deallocate()
    reads.deallocate()
  }

  subscript(cell: UInt32) -> UInt64 {
    @inline(__always) get {
      assert(Int(cell) < cellCount)
      if recordsReads { reads.append(cell) }
      return cells[Int(cell)]
    }
    @inline(__always) set {
      assert(Int(cell) < cellCount)
      let old = cells[Int(cell)]
      guard newValue != old || recordsReads else { return }
      changes.append(Change(cell: cell, old: old))
      set(cell, from: old, to: newValue)
    }
  }

  /// Invariant: the sum of the shares of all nonzero words, so it is independent of the order of
  /// writes.
  var hash: UInt64 { hashCell.pointee }

  /// The number of changes that can be undone.
  var mark: Int { changes.count }

  /// A change that can be undone: the word, and its old value.
  func change(_ index: Int) -> (cell: UInt32, old: UInt64) {
    (changes[index].cell, changes[index].old)
  }

  /// Begins or ends to record reads.
  func recordReads(_ isOn: Bool) {
    recordsReads = isOn
    wasReadAround = false
    reads.removeAll()
  }

  /// Moves the cells that were read to a buffer, in order and perhaps more than once each.
  func takeReads(into buffer: GrowableBuffer<UInt32>) {
    for index in 0..<reads.count { buffer.append(reads[index]) }
    reads.removeAll()
  }

  /// A hash of the values of some cells.
  func hash(of cells: UnsafeBufferPointer<UInt32>) -> UInt64 {
    var hash: UInt64 = 0
    for cell in cells {
      let value = self.cells[Int(cell)]
      if value != 0 { hash &+= StableHash.share(of: value, at: UInt64(cell)) }
    }
    return hash
  }

  /// Undoes every change since `mark` was read.
  func undo(to mark: Int) {
    while changes.count > mark {
      let change = changes.removeLast()
      set(change.cell, from: cells[Int(change.cell)], to: change.old)
    }
  }

  /// Makes the present state the oldest one that undo can reach.
  func forgetChanges() { changes.removeAll() }

  /// Adds all nonzero words in the order of their cells, each preceded by the distance from the
  /// previous cell.
  ///
  /// Invariant: a nonzero word was nonzero at the start or is in the undo log.
  func addContents(to words: GrowableBuffer<UInt64>) {
    noteUsedCells()
    var last: UInt32 = 0
    for cell in usedCells where cells[Int(cell)] != 0 {
      words.append(UInt64(cell - last))
      words.append(cells[Int(cell)])
      last = cell
    }
  }

  private func noteUsedCells() {
    if isUsed.isEmpty {
      isUsed = Array(repeating: false, count: cellCount)
      for cell in 0..<cellCount where cells[cell] != 0 { noteUsed(UInt32(cell)) }
    }
    for index in 0..<changes.count where !isUsed[Int(changes[index].cell)] {
      noteUsed(changes[index].cell)
    }
  }

  private func noteUsed(_ cell: UInt32) {
    isUsed[Int(cell)] = true
    usedCells.insert(cell, at: usedCells.firstIndex { $0 > cell } ?? usedCells.count)
  }

  @inline(__always)
  private func set(_ cell: UInt32, from old: UInt64, to new: UInt64) {
    cells[Int(cell)] = new
    var hash = hashCell.pointee
    if old != 0 { hash &-= StableHash.share(of: old, at: UInt64(cell)) }
    if new != 0 { hash &+= StableHash.share(of: new, at: UInt64(cell)) }
    hashCell.pointee = hash
  }
}
