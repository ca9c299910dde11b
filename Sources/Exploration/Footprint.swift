// What a step touches, and when two steps are dependent: the whole of what reduction rests on.

import Support

/// One object a step touches.
public struct Touch: BitwiseCopyable, Sendable {
  public var object: UInt32
  public var writes: Bool

  @inlinable init(object: UInt32, writes: Bool) {
    self.object = object
    self.writes = writes
  }
}

/// The objects a step reads and writes, each once.
///
/// Two steps of different CPUs are *dependent* when one writes an object the other touches. Where
/// their footprints are disjoint in this sense, the steps must commute and neither may enable or
/// disable the other.
public final class Footprint {
  @usableFromInline let touches: GrowableBuffer<Touch>

  public convenience init() { self.init(capacity: 128) }

  init(capacity: Int) { touches = GrowableBuffer(capacity: capacity) }

  deinit { touches.deallocate() }

  @inlinable public var count: Int { touches.count }
  @inlinable public subscript(index: Int) -> Touch { touches[index] }
  @inlinable public func removeAll() { touches.removeAll() }

  @inlinable public func read(_ object: UInt32) { add(object, writes: false) }
  @inlinable public func write(_ object: UInt32) { add(object, writes: true) }

  @inlinable func add(_ object: UInt32, writes: Bool) {
    for index in 0..<touches.count where touches[index].object == object {
      if writes { touches[index].writes = true }
      return
    }
    touches.append(Touch(object: object, writes: writes))
  }

  func isEqual(to other: Footprint) -> Bool {
    guard count == other.count else { return false }
    for index in 0..<count {
      let (mine, theirs) = (self[index], other[index])
      if mine.object != theirs.object || mine.writes != theirs.writes { return false }
    }
    return true
  }

  func copy() -> Footprint {
    let copy = Footprint(capacity: max(count, 1))
    for index in 0..<count { copy.touches.append(self[index]) }
    return copy
  }

  /// True if steps with these footprints, by different CPUs, are dependent.
  func isDependent(on other: Footprint) -> Bool {
    for mine in 0..<touches.count {
      let touch = touches[mine]
      for theirs in 0..<other.touches.count {
        let against = other.touches[theirs]
        if touch.object == against.object && (touch.writes || against.writes) { return true }
      }
    }
    return false
  }
}
