// The words of the state that are still read: a row of bits for each node of a stack, and sets.

import GracewalkSupport

/// Rows of words that are read below nodes of a stack, and numbered sets of words.
///
/// Few words of a large state are ever read, so each word gets a bit when it is first read. Rows
/// are lengthened when there are more words than bits.
final class LiveWords {
  /// The set of no words.
  static let none = 0

  /// Per word its bit, or -1.
  private let bits: GrowableBuffer<Int32>
  /// The words by their bits.
  private let words = GrowableBuffer<UInt32>()
  /// Words of 64 bits in a row.
  private var stride = 1
  private let rows = GrowableBuffer<UInt64>()
  private let sets = GrowableBuffer<UInt64>()
  private let index = HashIndex()
  /// The words of each set, one set after the other, and where each set begins.
  private let members = GrowableBuffer<UInt32>()
  private let starts = GrowableBuffer<Int>()
  /// Per set a hash of its words, the same wherever the set has another number.
  private let hashes = GrowableBuffer<UInt64>()

  /// - Parameter wordCount: one more than the largest word.
  init(wordCount: Int) {
    bits = GrowableBuffer(repeating: -1, count: wordCount)
    starts.append(0)
    clear(row: 0)
    _ = set(ofRow: 0)
  }

  deinit {
    bits.deallocate()
    words.deallocate()
    rows.deallocate()
    sets.deallocate()
    members.deallocate()
    starts.deallocate()
    hashes.deallocate()
  }

  // MARK: Rows

  /// Makes a row the last one, and empties it.
  @inline(__always)
  func clear(row: Int) {
    rows.setCount(to: (row &+ 1) &* stride)
    rows.pointer(to: row &* stride).update(repeating: 0, count: stride)
  }

  @inline(__always)
  func insert(_ word: UInt32, inRow row: Int) {
    var bit = Int(bits[Int(word)])
    if bit < 0 { bit = bitOfNew(word) }
    rows[row &* stride &+ bit &>> 6] |= 1 &<< UInt64(truncatingIfNeeded: bit & 63)
  }

  @inline(__always)
  func remove(_ word: UInt32, fromRow row: Int) {
    let bit = Int(bits[Int(word)])
    if bit < 0 { return }
    rows[row &* stride &+ bit &>> 6] &= ~(1 &<< UInt64(truncatingIfNeeded: bit & 63))
  }

  @inline(__always)
  func merge(row source: Int, into target: Int) {
    for word in 0..<stride { rows[target &* stride &+ word] |= rows[source &* stride &+ word] }
  }

  @inline(__always)
  func merge(set: Int, intoRow target: Int) {
    for word in 0..<stride { rows[target &* stride &+ word] |= sets[set &* stride &+ word] }
  }

  private func bitOfNew(_ word: UInt32) -> Int {
    let bit = words.count
    words.append(word)
    bits[Int(word)] = Int32(truncatingIfNeeded: bit)
    if bit >= stride * 64 { lengthen() }
    return bit
  }

  /// Doubles the length of all rows and sets.
  private func lengthen() {
    spread(rows)
    spread(sets)
    stride *= 2
    index.removeAll()
    for set in 0..<setCount { index.insert(hash(sets.pointer(to: set * stride))) }
  }

  private func spread(_ rows: GrowableBuffer<UInt64>) {
    let copies = Array(rows.all)
    rows.removeAll()
    for start in Swift.stride(from: 0, to: copies.count, by: stride) {
      for word in copies[start..<start + stride] { rows.append(word) }
      _ = rows.extend(by: stride, with: 0)
    }
  }

  // MARK: Sets

  var setCount: Int { starts.count - 1 }

  /// The number of the set in a row.
  func set(ofRow row: Int) -> Int {
    let source = rows.pointer(to: row * stride)
    let hash = hash(source)
    let known = index.find(hash) { set in
      let stored = sets.pointer(to: set &* stride)
      for word in 0..<stride where stored[word] != source[word] { return false }
      return true
    }
    if let known { return known }
    index.insert(hash)
    var contents: UInt64 = 0
    for word in 0..<stride {
      sets.append(source[word])
      var left = CPUSet(bits: source[word])
      while let bit = left.popLowest() {
        members.append(words[word * 64 + bit])
        contents &+= StableHash.share(of: 1, at: UInt64(members.last))
      }
    }
    starts.append(members.count)
    hashes.append(contents)
    return setCount - 1
  }

  /// The words of a set; valid until there is a new set.
  @inline(__always)
  func words(of set: Int) -> UnsafeBufferPointer<UInt32> {
    UnsafeBufferPointer(rebasing: members.all[starts[set]..<starts[set &+ 1]])
  }

  /// The number of the set of some words, which may be new to this instance.
  func set(of words: UnsafeBufferPointer<UInt32>) -> Int {
    let row = rows.count / stride
    clear(row: row)
    for word in words {
      while bits.count <= Int(word) { bits.append(-1) }
      insert(word, inRow: row)
    }
    defer { rows.truncate(to: row * stride) }
    return set(ofRow: row)
  }

  /// A hash of the words of a set, whatever numbers they and the set have here.
  @inline(__always)
  func hash(of set: Int) -> UInt64 { hashes[set] }

  private func hash(_ row: UnsafeMutablePointer<UInt64>) -> UInt64 {
    var hash: UInt64 = 0
    for word in 0..<stride { hash = StableHash.extend(hash, with: row[word]) }
    return hash
  }

  /// Bytes held for sets.
  var bytes: Int { sets.count * 8 + members.count * 4 + starts.count * 16 + index.bytes }

  // MARK: Checkpoints

  /// Writes words and sets in the order of their numbers, then the first rows.
  func save(rows count: Int, to writer: CheckpointWriter) {
    writer.write(words.count)
    for word in words.all { writer.write(Int(word)) }
    writer.write(setCount)
    writer.write(sets, first: setCount * stride)
    writer.write(rows, first: count * stride)
  }

  /// Reads into a new instance what was saved.
  ///
  /// - Parameter wordCount: one more than the largest word.
  func restore(
    rows count: Int, wordCount: Int = 0, from reader: CheckpointReader
  ) throws(CheckpointError) {
    while bits.count < wordCount { bits.append(-1) }
    for bit in 0..<(try reader.count(ofBytes: 8)) {
      let word = UInt32(try reader.number(in: 0..<bits.count))
      guard bits[Int(word)] < 0 else { throw .malformed }
      _ = bitOfNew(word)
      guard words.count == bit + 1 else { throw .malformed }
    }
    let saved = try reader.number(in: 1..<Int.max)
    let scratch = GrowableBuffer<UInt64>()
    defer { scratch.deallocate() }
    try reader.words(into: scratch, expected: saved * stride)
    try checkBits(scratch)
    for number in 0..<saved {
      clear(row: 0)
      for word in 0..<stride { rows[word] = scratch[number * stride + word] }
      guard set(ofRow: 0) == number else { throw .malformed }
    }
    rows.removeAll()
    try reader.words(into: rows, expected: count * stride)
    try checkBits(rows)
  }

  /// Refuses rows with bits of no word.
  private func checkBits(_ rows: GrowableBuffer<UInt64>) throws(CheckpointError) {
    for (place, word) in rows.all.enumerated() where word != 0 {
      let highest = 63 - word.leadingZeroBitCount
      guard place % stride * 64 + highest < words.count else { throw .malformed }
    }
  }
}
