// A bound on the probability that a search by hashes merged two different states.

/// An upper bound on the chance that among states stored by 64-bit hashes any two share one.
///
/// There are n(n − 1)/2 pairs, each of which collides with probability 2⁻⁶⁴ if hashes behave like
/// random numbers, so the probability is below n²/2⁶⁵ for n states.
public struct CollisionBound: Equatable, Sendable {
  /// The bound is `digit`·10^−`exponent`, rounded up from n²/2⁶⁵ to one digit.
  public let digit: Int
  public let exponent: Int

  /// - Parameter states: the number of stored states: at least one.
  public init(states: Int) {
    let one = UInt128(1) << 65
    var value = UInt128(states) * UInt128(states)
    var exponent = 0
    while value < one {
      value *= 10
      exponent += 1
    }
    let digit = Int((value + one - 1) / one)
    // Ten of one power of ten are one of the next; a probability is at most one.
    self.digit = digit >= 10 ? 1 : digit
    self.exponent = digit >= 10 ? max(exponent - 1, 0) : exponent
  }

  /// For example `6e-10`.
  public var text: String { exponent == 0 ? "1" : "\(digit)e-\(exponent)" }

  /// The bound as a number, exactly as in its text.
  public var value: Double { Double(text) ?? 1 }
}
