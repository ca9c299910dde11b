// What is known of a program's memory and threads; it grows from attempt to attempt at a search.

import GracewalkSupport

/// An object of memory: what has one address region.
struct Record: BitwiseCopyable {
  var region: Int
  var kind: Region.Kind
  /// The largest size it has had.
  var capacity: Int
  var isConstant = false
  /// It is part of hardware, which only steps of hardware access.
  var isHardware = false
  /// Whether all its bytes count as shared.
  var isShared = false
  /// The cell of its lifetime, which allocating and freeing write and every access reads.
  var lifetime: Int
  /// Where its bytes begin among those of all records.
  var firstByte: Int

  var wordCount: Int { (capacity + 7) / 8 }
  var maskCount: Int { (capacity + 63) / 64 }
}

/// Bytes that are always accessed together: an object of footprints.
struct Cell: BitwiseCopyable {
  var record: Int
  var start: Int
  var size: Int
  /// Whether two threads access it in an order that creating and joining threads does not decide.
  var isShared = false
}

/// The layout, shared by all attempts.
///
/// A search begins with what random executions have shown. If it meets an object, a thread, a
/// partition of an object or a conflict that is not known, it ends, and starts again with that
/// known: so footprints and local steps mean the same throughout the last attempt.
final class Layout {
  let records = GrowableBuffer<Record>()
  let cells = GrowableBuffer<Cell>(capacity: 256)
  /// For each byte of each record, the cell it is in, or -1.
  let bytes = GrowableBuffer<Int32>(capacity: 1024)
  /// The parent of each thread but the first, and its number among the parent's children.
  var threads: [(parent: Int, index: Int)] = [(-1, 0)]
  /// Per group of regions, the record of each.
  let tables = (0..<Region.groupCount).map { _ in GrowableBuffer<Int32>(capacity: 1) }
  /// Cells of a barrier's rounds: one per thread and parity.
  var barrierCells: [Int: Int] = [:]
  /// Whether plain accesses to shared cells have been seen, so that races are possible.
  var mayRace = false
  /// Threads that some thread joins; the end of any other makes no difference to others.
  var joined = CPUSet()
  /// Threads that sleep on condition variables: what a signal chooses from.
  var sleepers: [Int] = []
  /// Set when something was learned after `settle` that the present attempt relies on.
  private(set) var hasGrown = false
  /// Whether everything that has a number must be known before an attempt, since several machines,
  /// or later sessions, share the numbers.
  var isStrict = false
  /// Cells that were found to be shared in this attempt.
  private var shared: [Int] = []
  /// The numbers that footprints may use in this attempt.
  private(set) var objectLimit = 0
  private(set) var threadLimit = 1
  static let threadsMax = 48
  /// Set if the program needs more than there is.
  private(set) var excess: String?

  init() {}

  /// A layout of which the same is known; what either learns is its own.
  init(copying other: Layout) {
    for record in other.records.all { records.append(record) }
    for cell in other.cells.all { cells.append(cell) }
    for byte in other.bytes.all { bytes.append(byte) }
    for (table, known) in zip(tables, other.tables) {
      for record in known.all { table.append(record) }
    }
    (threads, barrierCells) = (other.threads, other.barrierCells)
    (mayRace, joined, sleepers) = (other.mayRace, other.joined, other.sleepers)
    (objectLimit, threadLimit) = (other.objectLimit, other.threadLimit)
    isStrict = other.isStrict
  }

  deinit {
    records.deallocate()
    cells.deallocate()
    bytes.deallocate()
    for table in tables { table.deallocate() }
  }

  /// Begins an attempt.
  func settle() {
    hasGrown = false
    shared = []
    threadLimit = threads.count
    objectLimit = Layout.firstCell + cells.count * 2 + 1_024
  }

  // MARK: Threads

  /// Objects of footprints before those of cells: that a thread was created, and has finished.
  static let firstCell = 2 * 64

  /// The CPU of a thread; nil if there are too many.
  func thread(parent: Int, index: Int) -> Int? {
    if let known = threads.firstIndex(where: { $0.parent == parent && $0.index == index }) {
      if known >= threadLimit { hasGrown = true }
      return known
    }
    guard threads.count < Layout.threadsMax else {
      excess = "more than \(Layout.threadsMax) threads are not supported"
      hasGrown = true
      return nil
    }
    threads.append((parent, index))
    hasGrown = true
    return threads.count - 1
  }

  // MARK: Records

  @inline(__always)
  func record(ofRegion region: Int) -> Int {
    let table = Region.group(of: region)
    let index = Region.index(of: region)
    return index < tables[table].count ? Int(tables[table][index]) : -1
  }

  /// The record of a region, which is made if there is none, with room for a size.
  func makeRecord(
    ofRegion region: Int, size: Int, isConstant: Bool = false, isHardware: Bool = false
  ) -> Int {
    let known = record(ofRegion: region)
    if known >= 0 {
      if records[known].capacity < size { enlarge(known, to: size) }
      return known
    }
    let table = Region.group(of: region)
    let index = Region.index(of: region)
    let entries = tables[table]
    while entries.count <= index { entries.append(-1) }
    entries[index] = Int32(records.count)
    cells.append(Cell(record: records.count, start: -1, size: 0))
    records.append(
      Record(
        region: region, kind: Region.kind(of: region), capacity: size, isConstant: isConstant,
        isHardware: isHardware, lifetime: cells.count - 1,
        firstByte: bytes.extend(by: size, with: -1)))
    checkLimit()
    return records.count - 1
  }

  private func enlarge(_ number: Int, to size: Int) {
    let record = records.pointer(to: number)
    let start = bytes.extend(by: size, with: -1)
    for byte in 0..<record.pointee.capacity {
      bytes[start + byte] = bytes[record.pointee.firstByte + byte]
    }
    (record.pointee.firstByte, record.pointee.capacity) = (start, size)
    hasGrown = true
  }

  private static let bytesMax = 1 << 27

  /// Something has been given a number.
  private func checkLimit() {
    if isStrict { hasGrown = true }
    if bytes.count > Self.bytesMax {
      excess = "objects of more than \(Self.bytesMax) bytes in all are not supported"
      hasGrown = true
    }
    if Layout.firstCell + cells.count >= objectLimit { hasGrown = true }
  }

  // MARK: Cells

  /// The one cell that is exactly these bytes, or -1.
  @inline(__always)
  func cell(_ record: Int, _ offset: Int, _ size: Int) -> Int {
    let number = cell(record, at: offset)
    guard number >= 0 else { return -1 }
    let cell = cells.pointer(to: number)
    return cell.pointee.start == offset && cell.pointee.size == size ? number : -1
  }

  /// The cell that a byte is in, or -1.
  @inline(__always)
  func cell(_ record: Int, at offset: Int) -> Int {
    Int(bytes[records.pointer(to: record).pointee.firstByte + offset])
  }

  @inline(__always)
  func isShared(_ cell: Int) -> Bool { cells.pointer(to: cell).pointee.isShared }

  /// Calls `body` with the cells that are these bytes; splits and makes cells as needed.
  func eachCell(_ record: Int, _ offset: Int, _ size: Int, _ body: (Int) -> Void) {
    let single = cell(record, offset, size)
    if single >= 0 { return body(single) }
    split(record, at: offset)
    split(record, at: offset + size)
    var start = offset
    while start < offset + size {
      let known = cell(record, at: start)
      if known >= 0 {
        body(known)
        start += cells[known].size
        continue
      }
      var end = start
      while end < offset + size, cell(record, at: end) < 0 { end += 1 }
      body(add(record, start, end - start, isShared: false))
      start = end
    }
  }

  private func add(_ record: Int, _ start: Int, _ size: Int, isShared: Bool) -> Int {
    let number = cells.count
    let isShared = isShared || records[record].isShared
    cells.append(Cell(record: record, start: start, size: size, isShared: isShared))
    let first = records[record].firstByte
    for byte in start..<start + size { bytes[first + byte] = Int32(number) }
    checkLimit()
    return number
  }

  /// Ensures that a cell begins at a byte, if it is in one.
  private func split(_ record: Int, at offset: Int) {
    guard offset > 0, offset < records[record].capacity else { return }
    let number = cell(record, at: offset)
    guard number >= 0, cells[number].start < offset else { return }
    let end = cells[number].start + cells[number].size
    cells.pointer(to: number).pointee.size = offset - cells[number].start
    _ = add(record, offset, end - offset, isShared: cells[number].isShared)
    hasGrown = true
  }

  func share(_ cell: Int) {
    guard !isShared(cell) else { return }
    cells.pointer(to: cell).pointee.isShared = true
    shared.append(cell)
    hasGrown = true
  }

  /// Takes all of a global for shared if a search has found that a part of it is: threads that
  /// rarely meet at one element of an array will meet at others.
  func generalise() {
    for cell in shared where cells[cell].start >= 0 {
      let record = cells[cell].record
      guard records[record].kind == .global, !records[record].isShared else { continue }
      records.pointer(to: record).pointee.isShared = true
      for other in 0..<cells.count where cells[other].record == record && cells[other].start >= 0 {
        cells.pointer(to: other).pointee.isShared = true
      }
    }
  }

  func noteSleeper(_ thread: Int) {
    guard !sleepers.contains(thread) else { return }
    sleepers = (sleepers + [thread]).sorted()
    hasGrown = true
  }

  func noteJoined(_ thread: Int) {
    guard !joined.contains(thread) else { return }
    joined.insert(thread)
    hasGrown = true
  }

  @inline(__always)
  func isJoined(_ thread: Int) -> Bool { joined.contains(thread) }

  func noteRacy() {
    guard !mayRace else { return }
    mayRace = true
    hasGrown = true
  }

  /// The cell for a thread's arrival in a round of a barrier.
  func barrierCell(_ cell: Int, thread: Int, round: Int) -> Int {
    let key = (cell * 64 + thread) * 2 + (round & 1)
    if let known = barrierCells[key] { return known }
    cells.append(Cell(record: cells[cell].record, start: -1, size: 0, isShared: true))
    barrierCells[key] = cells.count - 1
    checkLimit()
    return cells.count - 1
  }
}
