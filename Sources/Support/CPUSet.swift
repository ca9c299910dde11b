// A set of CPUs in one machine word.

/// A set of CPU numbers below 64, iterated in ascending order.
public struct CPUSet: Equatable, Sendable, BitwiseCopyable {
  /// The largest number of CPUs a set, and so a system, can hold.
  public static let capacity = 64

  public var bits: UInt64

  @inlinable public init(bits: UInt64 = 0) { self.bits = bits }

  @inlinable public init(_ cpu: Int) {
    CPUSet.checkNumber(cpu)
    bits = 1 &<< UInt64(truncatingIfNeeded: cpu)
  }

  /// The CPUs `0..<count`.
  @inlinable public static func first(_ count: Int) -> CPUSet {
    CPUSet(bits: count >= 64 ? ~0 : (1 &<< UInt64(count)) &- 1)
  }

  @inlinable public var isEmpty: Bool { bits == 0 }
  @inlinable public var count: Int { bits.nonzeroBitCount }

  /// The lowest CPU in the set, which must not be empty.
  @inlinable public var lowest: Int {
    checkNotEmpty()
    return bits.trailingZeroBitCount
  }

  /// The highest CPU in the set, which must not be empty.
  @inlinable public var highest: Int {
    checkNotEmpty()
    return 63 &- bits.leadingZeroBitCount
  }

  @inlinable public func contains(_ cpu: Int) -> Bool {
    CPUSet.checkNumber(cpu)
    return bits &>> UInt64(truncatingIfNeeded: cpu) & 1 == 1
  }

  @inlinable public mutating func insert(_ cpu: Int) {
    CPUSet.checkNumber(cpu)
    bits |= 1 &<< UInt64(truncatingIfNeeded: cpu)
  }

  @inlinable public mutating func remove(_ cpu: Int) {
    CPUSet.checkNumber(cpu)
    bits &= ~(1 &<< UInt64(truncatingIfNeeded: cpu))
  }

  /// Removes and returns the lowest CPU, or nil when the set is empty.
  @inlinable public mutating func popLowest() -> Int? {
    guard bits != 0 else { return nil }
    let cpu = bits.trailingZeroBitCount
    bits &= bits &- 1
    return cpu
  }

  @inlinable public func union(_ other: CPUSet) -> CPUSet { CPUSet(bits: bits | other.bits) }
  @inlinable public func intersection(_ other: CPUSet) -> CPUSet { CPUSet(bits: bits & other.bits) }
  @inlinable public func subtracting(_ other: CPUSet) -> CPUSet { CPUSet(bits: bits & ~other.bits) }
  @inlinable public func isDisjoint(with other: CPUSet) -> Bool { bits & other.bits == 0 }
}
