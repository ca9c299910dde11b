// An array of plain values whose memory is managed by whoever owns it.

/// Plain values in memory of their own, which grows.
///
/// A copy refers to the same values, and is of no use any more when the original has grown or is
/// deallocated. So reading and changing costs no counting of references, as it would with arrays in
/// arrays. The owner calls `copy` and `deallocate`.
package struct Row<Element: BitwiseCopyable>: BitwiseCopyable, RandomAccessCollection,
  MutableCollection, @unchecked Sendable
{
  @usableFromInline var base: UnsafeMutablePointer<Element>?
  @usableFromInline var size: Int32 = 0
  @usableFromInline var capacity: Int32 = 0

  /// An empty one, which has no memory yet.
  @inlinable package init() { base = nil }

  @inlinable package init(repeating element: Element, count: Int) {
    self.init()
    for _ in 0..<count { append(element) }
  }

  @inlinable package func copy() -> Row {
    var row = Row()
    guard size > 0 else { return row }
    row.reserve(Int(size))
    row.base.unsafelyUnwrapped.initialize(from: base.unsafelyUnwrapped, count: Int(size))
    row.size = size
    return row
  }

  @inlinable package mutating func deallocate() {
    base?.deallocate()
    self = Row()
  }

  @inlinable package var startIndex: Int { 0 }
  @inlinable package var endIndex: Int { Int(size) }
  @inlinable package var count: Int { Int(size) }
  @inlinable package var isEmpty: Bool { size == 0 }

  @inlinable package subscript(index: Int) -> Element {
    @inline(__always) get {
      precondition(index >= 0 && index < Int(size))
      return base.unsafelyUnwrapped[index]
    }
    @inline(__always) _modify {
      precondition(index >= 0 && index < Int(size))
      yield &base.unsafelyUnwrapped[index]
    }
  }

  @inlinable package mutating func append(_ element: Element) {
    if size == capacity { reserve(Int(capacity) * 2) }
    base.unsafelyUnwrapped[Int(size)] = element
    size &+= 1
  }

  @inlinable package mutating func insert(_ element: Element, at index: Int) {
    precondition(index >= 0 && index <= Int(size))
    append(element)
    let place = base.unsafelyUnwrapped + index
    (place + 1).update(from: place, count: Int(size) - 1 - index)
    place.pointee = element
  }

  /// Takes out some elements from a place on.
  @inlinable package mutating func remove(from index: Int, count: Int) {
    precondition(index >= 0 && count >= 0 && index + count <= Int(size))
    let place = base.unsafelyUnwrapped + index
    place.update(from: place + count, count: Int(size) - index - count)
    size -= Int32(truncatingIfNeeded: count)
  }

  @inlinable package mutating func remove(at index: Int) { remove(from: index, count: 1) }

  @inlinable package mutating func removeFirst() { remove(from: 0, count: 1) }

  /// Drops the elements from a number on.
  @inlinable package mutating func truncate(to count: Int) {
    precondition(count >= 0 && count <= Int(size))
    size = Int32(truncatingIfNeeded: count)
  }

  @inlinable package mutating func removeAll() { size = 0 }

  @inlinable package mutating func removeAll(where isRemoved: (Element) -> Bool) {
    var kept = 0
    for index in 0..<Int(size) where !isRemoved(self[index]) {
      self[kept] = self[index]
      kept += 1
    }
    truncate(to: kept)
  }

  @usableFromInline mutating func reserve(_ count: Int) {
    let room = Swift.max(count, 4)
    let new = UnsafeMutablePointer<Element>.allocate(capacity: room)
    if let base {
      new.initialize(from: base, count: Int(size))
      base.deallocate()
    }
    base = new
    capacity = Int32(truncatingIfNeeded: room)
  }
}
