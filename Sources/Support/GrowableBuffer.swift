// Storage for the inner loops: no reference counting, no uniqueness or exclusivity checks.

/// A handle to a growing array of trivial elements, shared by every copy of the handle.
///
/// Its owner, a class that keeps it in a `let`, calls `deallocate` once. All mutable state sits
/// behind the header pointer, so bumping an element is a plain store. Growth doubles, so a search
/// stops allocating once its buffers are as large as the search is deep.
public struct GrowableBuffer<Element: BitwiseCopyable> {
  @usableFromInline struct Header {
    @usableFromInline var base: UnsafeMutablePointer<Element>
    @usableFromInline var count: Int
    @usableFromInline var capacity: Int
  }

  @usableFromInline let header: UnsafeMutablePointer<Header>

  public init(capacity: Int = 64) {
    header = .allocate(capacity: 1)
    header.initialize(to: Header(base: .allocate(capacity: capacity), count: 0, capacity: capacity))
  }

  /// A buffer of `count` equal elements.
  public init(repeating element: Element, count: Int) {
    self.init(capacity: max(count, 1))
    header.pointee.base.initialize(repeating: element, count: count)
    header.pointee.count = count
  }

  public func deallocate() {
    header.pointee.base.deallocate()
    header.deallocate()
  }

  /// The address of a pointer to the elements, followed by their number; for signal handlers, which
  /// read raw memory.
  package var rawHeader: UnsafeRawPointer { UnsafeRawPointer(header) }

  @inlinable public var count: Int { header.pointee.count }
  @inlinable public var isEmpty: Bool { header.pointee.count == 0 }

  @inlinable public subscript(index: Int) -> Element {
    get {
      assert(index >= 0 && index < header.pointee.count)
      return header.pointee.base[index]
    }
    nonmutating set {
      assert(index >= 0 && index < header.pointee.count)
      header.pointee.base[index] = newValue
    }
  }

  /// The address of one element, valid until the next `append`.
  @inlinable public func pointer(to index: Int) -> UnsafeMutablePointer<Element> {
    assert(index >= 0 && index < header.pointee.count)
    return header.pointee.base + index
  }

  /// All elements, valid until the next `append`.
  @inlinable public var all: UnsafeBufferPointer<Element> {
    UnsafeBufferPointer(start: header.pointee.base, count: header.pointee.count)
  }

  @inlinable public func append(_ element: Element) {
    if header.pointee.count == header.pointee.capacity { grow() }
    header.pointee.base[header.pointee.count] = element
    header.pointee.count &+= 1
    checkInvariants()
  }

  /// Appends elements that the caller will overwrite, and returns the index of the first.
  @inlinable public func extend(by count: Int, with element: Element) -> Int {
    let start = header.pointee.count
    for _ in 0..<count { append(element) }
    return start
  }

  /// Sets the number of elements; the caller must write new ones.
  @inlinable public func setCount(to count: Int) {
    while header.pointee.capacity < count { grow() }
    header.pointee.count = count
    checkInvariants()
  }

  @inlinable public func removeLast() -> Element {
    assert(header.pointee.count > 0)
    header.pointee.count &-= 1
    return header.pointee.base[header.pointee.count]
  }

  @inlinable public var last: Element {
    assert(header.pointee.count > 0)
    return header.pointee.base[header.pointee.count &- 1]
  }

  /// Drops the elements from `count` on.
  @inlinable public func truncate(to count: Int) {
    assert(count <= header.pointee.count)
    header.pointee.count = count
    checkInvariants()
  }

  public func reverse() {
    var elements = UnsafeMutableBufferPointer(
      start: header.pointee.base, count: header.pointee.count)
    elements.reverse()
  }

  @inlinable public func removeAll() { header.pointee.count = 0 }

  @usableFromInline func grow() {
    checkInvariants()
    let capacity = header.pointee.capacity * 2
    let base = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
    base.update(from: header.pointee.base, count: header.pointee.count)
    header.pointee.base.deallocate()
    header.pointee.base = base
    header.pointee.capacity = capacity
  }
}
