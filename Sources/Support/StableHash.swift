// The only hash in a result: no seed, so the same on every machine and in every run.

/// Mixing functions for 64-bit hashes.
public enum StableHash {
  /// A bijection that spreads every input bit (the finaliser of SplitMix64: Steele, Lea and
  /// Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
  @inlinable public static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z &>> 31)
  }

  /// A hash of a sequence so far, extended by one value; order matters.
  @inlinable public static func extend(_ hash: UInt64, with value: UInt64) -> UInt64 {
    mix(hash &* 0x2545_F491_4F6C_DD1D &+ value)
  }

  /// The share of `value` at `position` in a hash that sums the shares of all positions.
  @inlinable public static func share(of value: UInt64, at position: UInt64) -> UInt64 {
    mix(value ^ mix(position &* 0xD134_2543_DE82_EF95))
  }

  /// A hash as text: sixteen hexadecimal digits.
  package static func digits(_ hash: UInt64) -> String {
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// A hash of the bytes of a text.
  public static func of(_ text: String) -> UInt64 {
    text.utf8.reduce(0x6772_6163_6577_616C) { extend($0, with: UInt64($1)) }
  }
}
