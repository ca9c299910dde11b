// A combination: the number of CPUs, and the operations that each runs, in order.

/// The operations that each CPU runs, by their numbers in a vocabulary.
///
/// CPUs differ only in their operations, so their order does not matter. Invariant: sequences are
/// in lexicographic order; so combinations with the same sequences are equal.
public struct Combination: Hashable, Sendable {
  /// One for each CPU, none of them empty.
  public let sequences: [[Int]]

  public init(_ sequences: [[Int]]) {
    self.sequences = sequences.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// Of all CPUs together.
  public var operationCount: Int { sequences.reduce(0) { $0 + $1.count } }

  /// The combination with each operation replaced by its image.
  func image(under permutation: [Int]) -> Combination {
    Combination(sequences.map { sequence in sequence.map { permutation[$0] } })
  }

  /// True if leaving out operations, and CPUs that are left with none, gives the other one.
  public func contains(_ other: Combination) -> Bool {
    Self.canPlace(other.sequences[...], in: sequences)
  }

  /// Whether each of the smaller sequences fits into a different one of the larger sequences.
  private static func canPlace(_ smaller: ArraySlice<[Int]>, in larger: [[Int]]) -> Bool {
    guard let first = smaller.first else { return true }
    return larger.indices.contains { (index: Int) -> Bool in
      guard isSubsequence(first, of: larger[index]) else { return false }
      var rest = larger
      rest.remove(at: index)
      return canPlace(smaller.dropFirst(), in: rest)
    }
  }

  private static func isSubsequence(_ smaller: [Int], of larger: [Int]) -> Bool {
    var left = smaller[...]
    for operation in larger where operation == left.first { left.removeFirst() }
    return left.isEmpty
  }
}

/// The fewest operations first, then the fewest CPUs, then in lexicographic order.
extension Combination: Comparable {
  public static func < (a: Combination, b: Combination) -> Bool {
    let (mine, yours) = (a.operationCount, b.operationCount)
    if mine != yours { return mine < yours }
    if a.sequences.count != b.sequences.count { return a.sequences.count < b.sequences.count }
    return a.sequences.lexicographicallyPrecedes(b.sequences) { $0.lexicographicallyPrecedes($1) }
  }
}

/// All combinations of some operations within bounds.
public struct CombinationSpace: Sendable {
  /// The number of different operations.
  public let vocabularySize: Int
  /// CPUs of a combination, and operations of a CPU, at most.
  public let cpusMax: Int
  public let operationsMax: Int
  /// The permutations of operations that change nothing, the identity first.
  let symmetries: [[Int]]

  /// All combinations within bounds, up to the permutations that the given ones generate.
  public init(
    vocabularySize: Int, cpusMax: Int, operationsMax: Int, symmetries generators: [[Int]] = []
  ) {
    self.vocabularySize = vocabularySize
    self.cpusMax = cpusMax
    self.operationsMax = operationsMax
    symmetries =
      Self.group(of: generators, vocabularySize) ?? [Array(0..<max(vocabularySize, 0))]
  }

  /// All permutations that some generate, the identity first; nil if those are no permutations, or
  /// they generate too many.
  static func group(of generators: [[Int]], _ size: Int) -> [[Int]]? {
    var group = [Array(0..<max(size, 0))]
    var known = Set(group)
    guard generators.allSatisfy({ $0.sorted() == group[0] }) else { return nil }
    var next = 0
    while next < group.count {
      for generator in generators {
        let product = group[next].map { generator[$0] }
        if known.insert(product).inserted { group.append(product) }
        if group.count > Vocabulary.symmetriesMax { return nil }
      }
      next += 1
    }
    return group
  }

  /// The number of operation sequences of a CPU; nil on overflow.
  private var sequenceCount: Int? {
    Self.sumOfPowers(of: vocabularySize, upTo: operationsMax)
  }

  /// The number of ways to assign operations to CPUs in order; nil on overflow.
  public var assignmentCount: Int? {
    sequenceCount.flatMap { Self.sumOfPowers(of: $0, upTo: cpusMax) }
  }

  /// The number of combinations before symmetries of operations; nil on overflow.
  ///
  /// There are C(s + n − 1, n) multisets of n out of s sequences, and for all n from 0 to N these
  /// add up to C(s + N, N).
  public var combinationCount: Int? {
    guard let sequenceCount else { return nil }
    // Each intermediate C(s + n, n) is a whole number, and the product of two 64-bit numbers fits.
    var count = UInt128(1)
    for cpu in 1..<(max(cpusMax, 0) + 1) {
      count = count * (UInt128(sequenceCount) + UInt128(cpu)) / UInt128(cpu)
      guard count <= UInt128(Int.max) else { return nil }
    }
    return Int(count) - 1
  }

  private static func sumOfPowers(of base: Int, upTo exponent: Int) -> Int? {
    var (sum, power) = (0, 1)
    for _ in 0..<max(exponent, 0) {
      let (product, overflows) = power.multipliedReportingOverflow(by: base)
      let (total, isTooLarge) = sum.addingReportingOverflow(product)
      guard !overflows, !isTooLarge else { return nil }
      (sum, power) = (total, product)
    }
    return sum
  }

  /// One representative of each set of symmetric combinations, smallest first.
  public var combinations: [Combination] {
    var sequences: [[Int]] = []
    var longest: [[Int]] = [[]]
    for _ in 0..<max(operationsMax, 0) {
      longest = longest.flatMap { start in (0..<vocabularySize).map { start + [$0] } }
      sequences += longest
    }
    sequences.sort { $0.lexicographicallyPrecedes($1) }
    var found: [Combination] = []
    func add(to chosen: [[Int]], from first: Int) {
      for index in first..<sequences.count {
        let next = chosen + [sequences[index]]
        let combination = Combination(next)
        if isLeast(combination) { found.append(combination) }
        if next.count < cpusMax { add(to: next, from: index) }
      }
    }
    if cpusMax > 0 { add(to: [], from: 0) }
    return found.sorted()
  }

  private func isLeast(_ combination: Combination) -> Bool {
    symmetries.dropFirst().allSatisfy { !(combination.image(under: $0) < combination) }
  }
}
