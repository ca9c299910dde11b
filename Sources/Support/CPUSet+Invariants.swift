// Preconditions of CPU sets: numbers fit in a word, and `lowest` and `highest` need a member.

extension CPUSet {
  /// A number of 64 or more would stand for another CPU, since shifts are by its last six bits.
  @inlinable @inline(__always)
  static func checkNumber(_ cpu: Int) {
    mustHold(cpu >= 0 && cpu < capacity, "there is no CPU \(cpu) in a set of CPUs")
  }

  @inlinable @inline(__always)
  func checkNotEmpty() { mustHold(bits != 0, "an empty set of CPUs has no lowest or highest") }
}
