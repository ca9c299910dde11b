// A search as bytes: writing and reading them.

import GracewalkSupport

/// Why a search cannot be resumed.
public enum CheckpointError: Error, Equatable, Sendable {
  /// The bytes were not written by a search of this kind.
  case malformed
  /// The system is not the one that was searched: after `depth` steps it behaves differently.
  case systemChanged(depth: Int)
}

/// Writes words and bytes in pieces, and keeps a checksum of all of them.
public final class CheckpointWriter {
  private static let pieceSize = 1 << 16

  private let sink: (UnsafeRawBufferPointer) -> Void
  private let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 8)
  private var used = 0
  private var checksum = Checksum()

  /// - Parameter sink: receives each piece in turn.
  public init(sink: @escaping (UnsafeRawBufferPointer) -> Void) { self.sink = sink }

  deinit { piece.deallocate() }

  public func write(_ bytes: UnsafeRawBufferPointer) {
    var start = 0
    while start < bytes.count {
      let count = min(bytes.count - start, CheckpointWriter.pieceSize - used)
      let target = UnsafeMutableRawBufferPointer(rebasing: piece[used..<used + count])
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
      used += count
      start += count
      if used == CheckpointWriter.pieceSize { flush() }
    }
  }

  public func write(_ word: UInt64) {
    withUnsafeBytes(of: word.littleEndian) { write($0) }
  }

  public func write(_ number: UInt32) {
    withUnsafeBytes(of: number.littleEndian) { write($0) }
  }

  public func write(_ number: Int) { write(UInt64(bitPattern: Int64(number))) }
  public func write(_ flag: Bool) { write(flag ? 1 : 0 as UInt64) }
  public func write(_ cpus: CPUSet) { write(cpus.bits) }

  public func write(_ text: String) {
    var text = text
    text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
  }

  /// Ends with the checksum of everything written.
  public func finish() {
    var complete = checksum
    complete.add(UnsafeRawBufferPointer(rebasing: piece[..<used]))
    write(complete.value)
    flush()
  }

  private func flush() {
    let bytes = UnsafeRawBufferPointer(rebasing: piece[..<used])
    checksum.add(bytes)
    sink(bytes)
    used = 0
  }
}

/// Reads back the written values, in the same order.
///
/// It never reads beyond the end, and rejects counts that exceed the remaining bytes.
public final class CheckpointReader {
  private var bytes: [UInt8]
  private var next: Int
  /// Set where numbers of steps were given by another process.
  var steps: NewNumbers?

  /// - Parameters:
  ///   - bytes: everything written, including the checksum; nil is returned if that is wrong.
  ///   - start: where reading begins.
  public init?(_ bytes: [UInt8], from start: Int = 0) {
    let end = bytes.count - 8
    guard end >= start else { return nil }
    let isIntact = bytes.withUnsafeBytes { all in
      var checksum = Checksum()
      checksum.add(UnsafeRawBufferPointer(rebasing: all[..<end]))
      let stored = all.loadUnaligned(fromByteOffset: end, as: UInt64.self)
      return UInt64(littleEndian: stored) == checksum.value
    }
    guard isIntact else { return nil }
    self.bytes = bytes
    self.bytes.removeLast(8)
    next = start
  }

  /// Bytes that have not been read.
  public var left: Int { bytes.count - next }

  /// Releases the memory after the last read.
  public func close() {
    bytes = []
    next = 0
  }

  public func word() throws(CheckpointError) -> UInt64 {
    guard left >= 8 else { throw .malformed }
    defer { next += 8 }
    return bytes.withUnsafeBytes {
      UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: next, as: UInt64.self))
    }
  }

  public func half() throws(CheckpointError) -> UInt32 {
    guard left >= 4 else { throw .malformed }
    defer { next += 4 }
    return bytes.withUnsafeBytes {
      UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: next, as: UInt32.self))
    }
  }

  public func bytes(
    _ count: Int, into buffer: GrowableBuffer<UInt8>
  ) throws(CheckpointError) {
    guard left >= count else { throw .malformed }
    bytes.withUnsafeBytes { all in
      for index in next..<next + count { buffer.append(all[index]) }
    }
    next += count
  }

  /// A number in a range: `-1..<1` also reads the -1 that means none.
  public func number(in range: Range<Int>) throws(CheckpointError) -> Int {
    let number = Int(Int64(bitPattern: try word()))
    guard range.contains(number) else { throw .malformed }
    return number
  }

  /// A count of items that follow, each of at least `size` bytes.
  public func count(ofBytes size: Int = 8) throws(CheckpointError) -> Int {
    try number(in: 0..<left / size + 1)
  }

  public func flag() throws(CheckpointError) -> Bool { try number(in: 0..<2) == 1 }
  public func cpus() throws(CheckpointError) -> CPUSet { CPUSet(bits: try word()) }
}

/// A hash of bytes, eight at a time; a change of any one word changes it.
private struct Checksum {
  private var hash: UInt64 = 0
  private var length = 0

  /// Only the length of the last piece may be no multiple of eight.
  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var offset = 0
    while offset + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      hash = StableHash.extend(hash, with: UInt64(littleEndian: word))
      offset += 8
    }
    var rest: UInt64 = 0
    for index in offset..<bytes.count { rest = rest << 8 | UInt64(bytes[index]) }
    if offset < bytes.count { hash = StableHash.extend(hash, with: rest) }
    length += bytes.count
  }

  var value: UInt64 { StableHash.extend(hash, with: UInt64(length)) }
}
