// Numbers of steps and sets that another process gave, replaced by those they have here.

import GracewalkSupport

/// Maps another process's numbers to this one's: those below `base` are the same.
struct NewNumbers {
  let base: Int
  /// The new numbers of `base`, `base + 1` and so on.
  var table: [Int] = []

  init(base: Int) { self.base = base }

  /// Greater than all new numbers.
  var limit: Int { max(base, (table.max() ?? -1) + 1) }

  func new(_ number: Int) throws(CheckpointError) -> Int {
    if number < base { return number }
    guard number - base < table.count else { throw .malformed }
    return table[number - base]
  }
}

extension CheckpointReader {
  /// The number of a step, or -1 for none; a new one if another process numbered the steps.
  func step(below limit: Int) throws(CheckpointError) -> Int {
    let number = try number(in: -1..<Int(Int32.max))
    let step = number < 0 ? number : try steps?.new(number) ?? number
    guard step < limit else { throw .malformed }
    return step
  }

  /// A row of bits, one for each step, that was written with another number of words.
  func row(ofWords words: Int, inWords stride: Int) throws(CheckpointError) -> [UInt64] {
    var row = Array(repeating: 0 as UInt64, count: stride)
    for word in 0..<words {
      var left = CPUSet(bits: try self.word())
      while let bit = left.popLowest() {
        let old = word * 64 + bit
        let step = try steps?.new(old) ?? old
        guard step < stride * 64 else { throw .malformed }
        row[step / 64] |= 1 << UInt64(step % 64)
      }
    }
    return row
  }

  /// Rows of bits for an empty buffer, with the number of all their words.
  func rows(
    _ count: Int, ofWords stride: Int, into buffer: GrowableBuffer<UInt64>
  ) throws(CheckpointError) {
    let total = try self.count()
    guard total % max(count, 1) == 0, count > 0 || total == 0 else { throw .malformed }
    for _ in 0..<count {
      for word in try row(ofWords: total / count, inWords: stride) { buffer.append(word) }
    }
  }
}
