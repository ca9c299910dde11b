// Which parts of memory steps read and overwrite, for searches that match states on what is read.

import GracewalkSupport

/// The parts of memory that were read, and those that each step has overwritten.
///
/// A part is four bytes of `data`. Few parts are ever read, so each gets a number when it is first
/// read; unless numbers must mean the same to other machines and later sessions.
final class ReadLog {
  private let isOn = GrowableBuffer<Bool>(repeating: false, count: 1)
  private let reads = GrowableBuffer<Int>()
  /// Parts that were overwritten whole, in the order of steps.
  private let writes = GrowableBuffer<Int>()
  /// The number of each part, or -1.
  private let numbers = GrowableBuffer<Int32>()
  private let parts = GrowableBuffer<Int>()
  /// The most parts that can have numbers.
  let limit: Int
  /// Whether the number of a part is its place.
  private let isFixed: Bool

  init(limit: Int, isFixed: Bool) {
    self.limit = limit
    self.isFixed = isFixed
  }

  deinit {
    isOn.deallocate()
    for buffer in [reads, writes, parts] { buffer.deallocate() }
    numbers.deallocate()
  }

  @inline(__always)
  var isRecording: Bool { isOn[0] }

  func record(_ isRecording: Bool) {
    isOn[0] = isRecording
    reads.removeAll()
  }

  /// The number of parts that steps have overwritten.
  @inline(__always)
  var mark: Int { writes.count }

  func undo(to mark: Int) { writes.truncate(to: mark) }

  // MARK: Accesses

  /// Some bytes are read, counted from the first word.
  @inline(__always)
  func noteRead(_ start: Int, _ size: Int) {
    guard isRecording else { return }
    for part in start >> 2...(start + size - 1) >> 2 { reads.append(part) }
  }

  /// Some bytes are overwritten.
  @inline(__always)
  func noteWrite(_ start: Int, _ end: Int) {
    guard isRecording else { return }
    var part = (start + 3) >> 2
    while part * 4 + 4 <= end {
      writes.append(part)
      part += 1
    }
  }

  // MARK: Numbers

  /// Moves what was read to a buffer; false if there are too many parts.
  func takeReads(into words: GrowableBuffer<UInt32>) -> Bool {
    defer { reads.removeAll() }
    for index in 0..<reads.count {
      let part = reads[index]
      if isFixed {
        guard part < limit else { return false }
        words.append(UInt32(truncatingIfNeeded: part))
        continue
      }
      while numbers.count <= part { numbers.append(-1) }
      if numbers[part] < 0 {
        guard parts.count < limit else { return false }
        numbers[part] = Int32(truncatingIfNeeded: parts.count)
        parts.append(part)
      }
      words.append(UInt32(truncatingIfNeeded: numbers[part]))
    }
    return true
  }

  func addWrites(since mark: Int, to words: GrowableBuffer<UInt32>) {
    for index in mark..<writes.count {
      let part = writes[index]
      if isFixed {
        if part < limit { words.append(UInt32(truncatingIfNeeded: part)) }
        continue
      }
      // What has no number was never read.
      guard part < numbers.count, numbers[part] >= 0 else { continue }
      words.append(UInt32(truncatingIfNeeded: numbers[part]))
    }
  }

  /// A hash of the values of some parts.
  func hash(of words: UnsafeBufferPointer<UInt32>, in data: Words) -> UInt64 {
    var hash: UInt64 = 0
    for word in words {
      let part = isFixed ? Int(word) : parts[Int(word)]
      let value = data[part >> 1] >> (UInt64(part & 1) * 32) & 0xFFFF_FFFF
      if value != 0 { hash &+= StableHash.share(of: value, at: UInt64(word)) }
    }
    return hash
  }
}
