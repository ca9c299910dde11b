// Random straight-line programs with all orderings, as LLVM IR and as litmus tests.

import GracewalkSupport

/// A few accesses of a few threads to a few words, with dependencies between registers.
package struct OrderedProgram {
  package enum Order: String, CaseIterable {
    case relaxed = "monotonic"
    case acquire, release
    case both = "acq_rel"
    case sequential = "seq_cst"

    var acquires: Bool { self != .relaxed && self != .release }
    var releases: Bool { self != .relaxed && self != .acquire }
  }

  enum Kind: CaseIterable {
    case load, store, add, exchange, compareExchange
  }

  /// How a value gets from one access to the next.
  enum Way: CaseIterable {
    case directly
    /// Through memory that only the thread accesses.
    case memory
    /// Through a function that returns it.
    case call
    /// It is chosen by a condition that depends on another load, or on nothing.
    case selection
  }

  struct Dependency {
    /// The number of the step that gives the value.
    var step: Int
    var way: Way
  }

  struct Access {
    var kind = Kind.load
    var word = 0
    var order = Order.relaxed
    var value = 0
    var expected = 0
    var isUnused = false
    /// Its result is used by accesses that depend on it, and not kept to the end.
    var isForgotten = false
    var address: Dependency?
    var data: Dependency?
  }

  enum Step {
    case access(Access)
    case fence(Order)
    case branch(Int)
  }

  static let wordMax = 3
  let wordCount: Int
  private(set) var threads: [[Step]] = []

  package init(seed: UInt64) {
    var random = SplitMix64(seed: seed ^ 0x6F72_6465)
    wordCount = 2 + random.below(2)
    let count = 2 + (random.below(4) == 0 ? 1 : 0)
    var value = 0
    for _ in 0..<count {
      var steps: [Step] = []
      var loads: [Int] = []
      for number in 0..<(count == 2 ? 3 + random.below(3) : 2 + random.below(2)) {
        let step = Self.step(&random, wordCount, loads, &value)
        if case .access(let access) = step, access.reads, !access.isUnused { loads.append(number) }
        steps.append(step)
      }
      threads.append(steps)
    }
  }

  /// A program in a notation of its own: threads separated by `|`, and steps by blanks.
  ///
  /// `Wx` is a store, `Rx` a load, `Ax` an addition, `Xx` an exchange, each to `x`, `y` or `z`; `F`
  /// a fence and `B0` a branch on the result of step 0. What follows may be an order (`.acq`,
  /// `.rel`, `.both`, `.sc`), a step that the address depends on (`@0`), and one that the value
  /// depends on (`:0`). The k-th store of the program stores k.
  package init?(_ notation: String) {
    var value = 0
    var largest = 1
    for text in notation.split(separator: "|") {
      var steps: [Step] = []
      for word in text.split(separator: " ") {
        guard let step = Self.step(word, &value, &largest) else { return nil }
        steps.append(step)
      }
      threads.append(steps)
    }
    wordCount = largest + 1
  }

  private static func step(
    _ text: Substring, _ value: inout Int, _ largest: inout Int
  ) -> Step? {
    let orders: [Substring: Order] = [
      "acq": .acquire, "rel": .release, "both": .both, "sc": .sequential,
    ]
    let order = text.firstIndex(of: ".").flatMap { start in
      orders[text[text.index(after: start)...].prefix { $0.isLetter }]
    }
    func number(after sign: Character) -> Int? {
      text.firstIndex(of: sign).flatMap {
        Int(text[text.index(after: $0)...].prefix { $0.isNumber })
      }
    }
    guard let kind = text.first else { return nil }
    if kind == "F" { return .fence(order ?? .sequential) }
    if kind == "B" { return Int(text.dropFirst()).map { .branch($0) } }
    let kinds: [Character: Kind] = ["R": .load, "W": .store, "A": .add, "X": .exchange]
    guard let kind = kinds[kind], let name = text.dropFirst().first,
      let word = ["x", "y", "z"].firstIndex(of: name)
    else { return nil }
    largest = max(largest, word)
    var access = Access(kind: kind, word: word, order: order ?? .relaxed)
    if kind != .load {
      value += 1
      access.value = value
    }
    access.address = number(after: "@").map { Dependency(step: $0, way: .directly) }
    access.data = number(after: ":").map { Dependency(step: $0, way: .directly) }
    return .access(access)
  }

  private static func step(
    _ random: inout SplitMix64, _ wordCount: Int, _ loads: [Int], _ value: inout Int
  ) -> Step {
    let kind = random.below(16)
    if kind < 3 { return .fence(random.pick([.acquire, .release, .both, .sequential])) }
    if kind == 3, !loads.isEmpty { return .branch(random.pick(loads)) }
    var access = Access()
    access.word = random.below(wordCount)
    value += 1
    access.value = value
    access.kind = random.pick([
      .load, .load, .load, .store, .store, .store, .add, .exchange, .compareExchange,
    ])
    switch access.kind {
    case .load: access.order = random.pick([.relaxed, .relaxed, .relaxed, .acquire, .sequential])
    case .store: access.order = random.pick([.relaxed, .relaxed, .relaxed, .release, .sequential])
    default:
      access.order = random.pick([.relaxed, .relaxed, .acquire, .release, .both, .sequential])
    }
    access.expected = random.below(3)
    access.isUnused = access.kind == .add && !access.order.acquires && random.below(3) == 0
    access.isForgotten = access.kind == .load && random.below(3) == 0
    func dependency(_ random: inout SplitMix64) -> Dependency? {
      guard !loads.isEmpty, random.below(3) == 0 else { return nil }
      return Dependency(step: random.pick(loads), way: random.pick(Way.allCases))
    }
    access.address = dependency(&random)
    if access.kind != .load, access.kind != .add { access.data = dependency(&random) }
    return .access(access)
  }
}

extension OrderedProgram.Access {
  var reads: Bool { kind != .store }
  /// Its result is part of final states.
  var isShown: Bool { reads && !isUnused && !isForgotten }
}
