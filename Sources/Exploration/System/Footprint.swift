// The footprint of a step, and dependence of steps: the basis of all reduction.

import GracewalkSupport

/// The role of a touch in blocking.
public enum TouchRole: UInt8, BitwiseCopyable, Sendable {
  case plain
  /// The step can be disabled because of this object: taking a lock, waiting for a grace period.
  case blocks
  /// A write that can only enable steps which block on the object: releasing a lock, leaving a
  /// section that a grace period waits for.
  ///
  /// Such a write is never enabled together with a step that blocks on the object.
  case releases
}

/// One object a step touches.
public struct Touch: Equatable, BitwiseCopyable, Sendable {
  public var object: UInt32
  public var writes: Bool
  public var role: TouchRole

  @inlinable init(object: UInt32, writes: Bool, role: TouchRole) {
    self.object = object
    self.writes = writes
    self.role = role
  }

  /// True if steps with these touches are dependent, given that both touch the same object.
  @inlinable func conflicts(with other: Touch) -> Bool { writes || other.writes }

  /// True if such steps may be enabled at the same time.
  ///
  /// If not, no race between them can be reversed (Flanagan and Godefroid, POPL 2005, call it "may
  /// be co-enabled").
  @inlinable func mayBeCoEnabled(with other: Touch) -> Bool {
    switch (role, other.role) {
    case (.blocks, .releases), (.releases, .blocks), (.releases, .releases): false
    default: true
    }
  }
}

/// The objects that a step reads and writes, without duplicates.
///
/// Two steps of different CPUs are *dependent* if one writes an object that the other touches.
/// Invariant: independent steps commute, and neither enables or disables the other.
public final class Footprint {
  @usableFromInline let touches: GrowableBuffer<Touch>

  public convenience init() { self.init(capacity: 128) }

  init(capacity: Int) { touches = GrowableBuffer(capacity: capacity) }

  deinit { touches.deallocate() }

  @inlinable public var count: Int { touches.count }
  @inlinable public subscript(index: Int) -> Touch { touches[index] }

  /// Bits that stand for the objects; footprints without a common bit have no common object.
  var signature: UInt64 {
    var bits: UInt64 = 0
    for index in 0..<touches.count {
      bits |= 1 << ((UInt64(touches[index].object) &* 0x9E37_79B9_7F4A_7C15) >> 58)
    }
    return bits
  }

  @inlinable public func removeAll() { touches.removeAll() }

  @inlinable public func read(_ object: UInt32, _ role: TouchRole = .plain) {
    add(object, writes: false, role)
  }

  @inlinable public func write(_ object: UInt32, _ role: TouchRole = .plain) {
    add(object, writes: true, role)
  }

  @inlinable func add(_ object: UInt32, writes: Bool, _ role: TouchRole) {
    for index in 0..<touches.count where touches[index].object == object {
      if writes { touches[index].writes = true }
      if touches[index].role != role { touches[index].role = .plain }
      return
    }
    touches.append(Touch(object: object, writes: writes, role: role))
  }

  /// Puts the touches in the order of their objects.
  func sort() {
    for index in 1..<max(count, 1) {
      let touch = touches[index]
      var place = index
      while place > 0 && touches[place - 1].object > touch.object {
        touches[place] = touches[place - 1]
        place -= 1
      }
      touches[place] = touch
    }
  }

  func copy() -> Footprint {
    let copy = Footprint(capacity: max(count, 1))
    for index in 0..<count { copy.touches.append(self[index]) }
    return copy
  }

  /// True if steps with these footprints, by different CPUs, are dependent.
  func isDependent(on other: Footprint) -> Bool {
    anyTouches(of: other) { $0.conflicts(with: $1) }
  }

  /// True if such steps are dependent and may be enabled at the same time.
  func mayRace(with other: Footprint) -> Bool {
    anyTouches(of: other) { $0.conflicts(with: $1) && $0.mayBeCoEnabled(with: $1) }
  }

  /// True if there are two touches of one object that are related in some way.
  @inline(__always)
  private func anyTouches(of other: Footprint, are related: (Touch, Touch) -> Bool) -> Bool {
    for mine in 0..<touches.count {
      let touch = touches[mine]
      for theirs in 0..<other.touches.count {
        let against = other.touches[theirs]
        if touch.object == against.object && related(touch, against) { return true }
      }
    }
    return false
  }
}
