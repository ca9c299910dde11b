// Memory: objects, their lifetimes and their bytes.

import GracewalkSupport

extension ProgramMachine {
  /// States of an object, in the lowest bits of its first word; its size is in the others.
  enum Life {
    static let alive: UInt64 = 1, freed: UInt64 = 2, returned: UInt64 = 3
  }

  // MARK: Objects

  func makeGlobals() {
    for (number, global) in image.globals.enumerated() {
      if global.isThreadLocal {
        for thread in 0..<threadCount {
          let address = Region.address(
            ofLocalAt: Region.address(ofGlobal: number), thread: thread)
          fill(address, global, isConstant: false)
        }
      } else {
        fill(Region.address(ofGlobal: number), global, isConstant: global.isConstant)
      }
    }
    shareGraceWords()
  }

  /// Shares the words that RCU keeps of each thread.
  private func shareGraceWords() {
    guard image.waitsForGrace else { return }
    for thread in 0..<threadCount {
      for word in [GraceWord.section, GraceWord.pending, GraceWord.queue] {
        layout.eachCell(graceRecord(thread), word, 8) { layout.share($0) }
      }
    }
  }

  private func fill(_ address: UInt64, _ global: GlobalImage, isConstant: Bool) {
    guard let region = Region.number(of: address) else { return }
    let record = layout.makeRecord(
      ofRegion: region, size: global.bytes.count, isConstant: isConstant,
      isHardware: global.isHardware)
    data[base(of: record)] = UInt64(global.bytes.count) << 2 | Life.alive
    for (offset, byte) in global.bytes.enumerated() where byte != 0 {
      write(record, offset, 1, UInt64(byte))
    }
  }

  /// The index of a record's words.
  @inline(__always)
  func base(of record: Int) -> Int {
    if record < bases.count {
      let base = bases[record]
      if base >= 0 { return base }
    }
    return makeBase(of: record)
  }

  private func makeBase(of record: Int) -> Int {
    while bases.count <= record { bases.append(-1) }
    if bases[record] < 0 {
      let known = layout.records[record]
      bases[record] = data.extend(by: 1 + known.wordCount + known.maskCount)
    }
    return bases[record]
  }

  /// The first word of a record: the size and the state of its object.
  @inline(__always)
  func lifeWord(_ record: Int) -> UInt64 {
    let base = base(of: record)
    reads.noteRead(base &* 8, 8)
    return data[base]
  }

  private func setLifeWord(_ record: Int, _ value: UInt64) {
    let base = base(of: record)
    reads.noteWrite(base * 8, base * 8 + 8)
    data[base] = value
  }

  /// Makes an object, which must not exist.
  func bringIntoBeing(_ address: UInt64, size: Int, isZeroed: Bool) {
    guard let region = Region.number(of: address) else { return }
    let known = layout.record(ofRegion: region)
    let grows = known >= 0 && layout.records[known].capacity < size
    let record = layout.makeRecord(ofRegion: region, size: size)
    if grows, record < bases.count { bases[record] = -1 }
    if layout.records[record].kind == .stack { noteChange(of: record) }
    setLifeWord(record, UInt64(size) << 2 | Life.alive)
    if isZeroed { initialise(record, 0, size) }
  }

  /// Ends an object, and clears what was in it.
  func end(_ record: Int, _ life: UInt64) {
    let base = base(of: record)
    let known = layout.records[record]
    if known.kind == .stack { noteChange(of: record) }
    setLifeWord(record, lifeWord(record) & ~3 | life)
    let count = known.wordCount + known.maskCount
    reads.noteWrite((base + 1) * 8, (base + 1 + count) * 8)
    for index in 0..<count { data[base + 1 + index] = 0 }
  }

  /// By how much the contents of an object change is noted, so they are read.
  private func noteChange(of record: Int) {
    guard reads.isRecording else { return }
    let known = layout.records[record]
    reads.noteRead(base(of: record) * 8, (1 + known.wordCount + known.maskCount) * 8)
  }

  // MARK: Addresses

  /// The record and offset of an access of a request.
  func locate(_ request: Request, _ size: Int) throws(Finding) -> (Int, Int) {
    try locate(request.address, size, writes: false)
  }

  func locate(_ address: UInt64, _ size: Int, writes: Bool) throws(Finding) -> (Int, Int) {
    guard let region = Region.number(of: address) else {
      if address < 1 << Region.shift {
        throw Finding(
          .nullPointer,
          address < 4_096
            ? "a null pointer is dereferenced"
            : "\(hex(address)) is dereferenced, which is no object")
      }
      throw Finding(.wildPointer, "\(hex(address)) is dereferenced, which is no object")
    }
    let record = layout.record(ofRegion: region)
    guard record >= 0 else {
      throw Finding(.wildPointer, "\(hex(address)) is dereferenced, which is no object")
    }
    // Globals are never freed.
    let word =
      layout.records.pointer(to: record).pointee.kind == .global
      ? data[base(of: record)] : lifeWord(record)
    let offset = Region.offset(of: address)
    switch word & 3 {
    case Life.alive: break
    case Life.freed:
      throw Finding(.useAfterFree, "\(name(of: address)) is accessed after it was freed")
    case Life.returned:
      throw Finding(
        .useAfterReturn, "\(name(of: address)) is accessed after its function has returned")
    default:
      throw Finding(.wildPointer, "\(hex(address)) is dereferenced, where there is no object yet")
    }
    guard offset + size <= Int(word >> 2) else {
      throw Finding(
        .outOfBounds,
        "\(size) bytes at \(name(of: address)) are accessed, of an object of \(word >> 2) bytes")
    }
    if writes, layout.records[record].isConstant {
      throw Finding(.constantWrite, "\(name(of: address)) is written, which is constant")
    }
    return (record, offset)
  }

  // MARK: Bytes

  func read(_ record: Int, _ offset: Int, _ size: Int) -> UInt64 {
    let first = base(of: record) + 1 + (offset >> 3)
    let shift = UInt64(offset & 7) * 8
    reads.noteRead(first &* 8 &+ offset & 7, size)
    var value = data[first] >> shift
    if (offset & 7) + size > 8 { value |= data[first + 1] << (64 - shift) }
    return value & mask(size * 8)
  }

  func write(_ record: Int, _ offset: Int, _ size: Int, _ value: UInt64) {
    let first = base(of: record) + 1 + (offset >> 3)
    let shift = UInt64(offset & 7) * 8
    let bits = mask(size * 8)
    if reads.isRecording {
      let start = first * 8 + offset & 7
      reads.noteWrite(start, start + coverage(record, offset, size))
    }
    data[first] = data[first] & ~(bits << shift) | (value & bits) << shift
    if (offset & 7) + size > 8 {
      let back = 64 - shift
      data[first + 1] = data[first + 1] & ~(bits >> back) | (value & bits) >> back
    }
    initialise(record, offset, size)
  }

  /// The bytes that an access covers, with the rest of the part if its object ends there.
  func coverage(_ record: Int, _ offset: Int, _ size: Int) -> Int {
    offset + size == layout.records[record].capacity ? (offset + size + 3) & ~3 - offset : size
  }

  @inline(__always)
  private func hasMask(_ record: Int) -> Bool {
    let kind = layout.records.pointer(to: record).pointee.kind
    return kind == .heap || kind == .stack
  }

  /// The word with the marks of some bytes, and its bits; nil if they are in several words.
  @inline(__always)
  private func maskWord(_ record: Int, _ offset: Int, _ size: Int) -> (index: Int, bits: UInt64)? {
    guard (offset & 63) + size <= 64 else { return nil }
    let first = base(of: record) + 1 + layout.records.pointer(to: record).pointee.wordCount
    return (first + (offset >> 6), mask(size) << UInt64(offset & 63))
  }

  func initialise(_ record: Int, _ offset: Int, _ size: Int) {
    guard hasMask(record) else { return }
    if let (index, bits) = maskWord(record, offset, size) {
      data[index] = data[index] | bits
      return
    }
    eachMask(record, offset, size) { index, bits in data[index] |= bits }
  }

  func isInitialised(_ record: Int, _ offset: Int, _ size: Int) -> Bool {
    guard hasMask(record) else { return true }
    if let (index, bits) = maskWord(record, offset, size) {
      reads.noteRead(index &* 8, 8)
      return data[index] & bits == bits
    }
    var isKnown = true
    eachMask(record, offset, size) { index, bits in
      reads.noteRead(index &* 8, 8)
      if data[index] & bits != bits { isKnown = false }
    }
    return isKnown
  }

  private func eachMask(_ record: Int, _ offset: Int, _ size: Int, _ body: (Int, UInt64) -> Void) {
    let first = base(of: record) + 1 + layout.records[record].wordCount
    var start = offset
    while start < offset + size {
      let count = min(64 - (start & 63), offset + size - start)
      body(first + (start >> 6), mask(count) << UInt64(start & 63))
      start += count
    }
  }

  // MARK: Names

  func hex(_ address: UInt64) -> String { "0x" + String(address, radix: 16) }

  /// The name of what is at an address.
  func name(of address: UInt64) -> String {
    guard let region = Region.number(of: address) else { return hex(address) }
    let offset = Region.offset(of: address)
    let (thread, index) = Region.owner(of: region)
    switch Region.kind(of: region) {
    case .global, .threadLocal:
      guard index < image.globals.count else { return hex(address) }
      return image.globals[index].name(at: offset)
    case .heap: return "object \(index) of thread \(thread)" + suffix(offset)
    case .stack: return "stack object \(index) of thread \(thread)" + suffix(offset)
    }
  }

  private func suffix(_ offset: Int) -> String { offset == 0 ? "" : "+\(offset)" }
}

extension GlobalImage {
  func name(at offset: Int) -> String {
    guard stride > 0 else { return offset == 0 ? name : "\(name)+\(offset)" }
    let rest = offset % stride
    return "\(name)[\(offset / stride)]" + (rest == 0 ? "" : "+\(rest)")
  }
}
