// Histories by number: what hashes stand for, where hashes are not trusted.

import Support

/// Numbers for sequences of 64-bit values, equal exactly if the sequences are.
///
/// A sequence is the pair of a shorter one and its last value, and each pair that was ever seen has
/// a number (hash-consing: Ershov, "On programming of arithmetic operations", 1958). Pairs are
/// looked up only where code runs, for a history that is new, and never where the tree of
/// observations answers.
final class Identities {
  private struct Pair: Hashable {
    var sequence: UInt32
    var value: UInt64
  }

  /// The empty sequence.
  static let empty: UInt32 = 0

  private var numbers: [Pair: UInt32] = [:]
  private var callbacks: [UInt64: UInt32] = [:]

  /// The number of a sequence, extended by one value.
  func number(of sequence: UInt32, then value: UInt64) -> UInt32 {
    let next = UInt32(numbers.count + 1)
    precondition(next < UInt32.max, "[internal] too many distinct histories")
    let pair = Pair(sequence: sequence, value: value)
    if let known = numbers[pair] { return known }
    numbers[pair] = next
    return next
  }

  /// Notes which history a callback's key stands for; false if it stands for another already.
  func isOnly(_ key: UInt64, for history: UInt32) -> Bool {
    guard let known = callbacks[key] else {
      callbacks[key] = history
      return true
    }
    return known == history
  }
}

/// A sequence of values as its hash and, in a machine that keeps identities, as its number.
struct Chain {
  private(set) var hash: UInt64 = 0
  private(set) var identity = Identities.empty

  mutating func extend(with value: UInt64, _ identities: Identities?) {
    hash = StableHash.extend(hash, with: value)
    if let identities { identity = identities.number(of: identity, then: value) }
  }
}
