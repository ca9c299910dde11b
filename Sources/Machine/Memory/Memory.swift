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
  /// Cells that were ever nonzero, sorted; and the same as a bitmap.
  ///
  /// Empty until somebody asks for the memory's contents.
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
  }

  subscript(cell: UInt32) -> UInt64 {
    @inline(__always) get {
      assert(Int(cell) < cellCount)
      return cells[Int(cell)]
    }
    @inline(__always) set {
      assert(Int(cell) < cellCount)
      let old = cells[Int(cell)]
      guard newValue != old else { return }
      changes.append(Change(cell: cell, old: old))
      set(cell, from: old, to: newValue)
    }
  }

  /// The sum of the shares of all words that are not zero; independent of the order of writes.
  var hash: UInt64 { hashCell.pointee }

  /// How many changes could be taken back.
  var mark: Int { changes.count }

  /// A change that could be taken back: the word, and its value before.
  func change(_ index: Int) -> (cell: UInt32, old: UInt64) {
    (changes[index].cell, changes[index].old)
  }

  /// Takes back every change since `mark` was read.
  func undo(to mark: Int) {
    while changes.count > mark {
      let change = changes.removeLast()
      set(change.cell, from: cells[Int(change.cell)], to: change.old)
    }
  }

  /// Makes the present state the oldest one that can be returned to.
  func forgetChanges() { changes.removeAll() }

  /// Adds all words that are not zero in the order of their cells, each after the distance from
  /// the cell before.
  ///
  /// A word that is not zero now was so at the start or is in the undo log.
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
