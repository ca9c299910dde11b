// Invariants of a growable buffer: its elements fit, and it can grow.

extension GrowableBuffer {
  @inlinable @inline(__always)
  func checkInvariants() {
    mustHold(header.pointee.capacity > 0, "a buffer of no capacity cannot double it")
    mustHold(header.pointee.count >= 0, "a buffer of fewer elements than none")
    mustHold(
      header.pointee.count <= header.pointee.capacity,
      "\(header.pointee.count) elements in a buffer for \(header.pointee.capacity)")
  }
}
