// The kernel's read-modify-writes.

import GracewalkSupport

extension CBody {
  /// What a read-modify-write returns.
  private enum Returned {
    case nothing, old, new
    /// Whether the new value is zero, or negative; whether it was added at all.
    case isZero, isNegative, isAdded
  }

  mutating func readUpdate(
    _ name: String, _ arguments: [Operand], _ line: Int
  ) throws(LitmusError) -> Operand? {
    let (base, order) = CPrimitives.order(of: CPrimitives.common(name))
    func require(_ count: Int) throws(LitmusError) {
      guard arguments.count == count else {
        throw LitmusError(
          line, "'\(name)' takes \(count) arguments, and not \(arguments.count)")
      }
    }
    switch base {
    case "xchg", "atomic_xchg", "atomic_exchange":
      try require(2)
      return try update(.exchange, arguments[0], arguments[1], order, .old)
    case "cmpxchg", "atomic_cmpxchg":
      try require(3)
      let modification = Modification.compareExchange(expected: arguments[1])
      return try update(modification, arguments[0], arguments[2], order, .old)
    case "atomic_add_unless":
      try require(3)
      return try update(.addUnless(arguments[2]), arguments[0], arguments[1], order, .isAdded)
    case "atomic_fetch_add_unless":
      try require(3)
      return try update(.addUnless(arguments[2]), arguments[0], arguments[1], order, .old)
    case "atomic_inc_not_zero":
      try require(1)
      return try update(.addUnless(.constant(0)), arguments[0], .constant(1), order, .isAdded)
    case "atomic_exchange_explicit", "atomic_fetch_add_explicit", "atomic_fetch_sub_explicit":
      try require(3)
      guard case .constant(let value) = arguments[2], let order = CPrimitives.order(value) else {
        throw LitmusError(line, "an order such as memory_order_acquire expected")
      }
      if base == "atomic_exchange_explicit" {
        return try update(.exchange, arguments[0], arguments[1], order, .old)
      }
      let isSum = base == "atomic_fetch_add_explicit"
      let operand = isSum ? arguments[1] : try process.compute(.negate, arguments[1])
      return try update(.add, arguments[0], operand, order, .old)
    default: return try readArithmetic(base, order, arguments, require)
    }
  }

  /// `atomic_add`, `atomic_fetch_or`, `atomic_dec_and_test` and their like.
  private mutating func readArithmetic(
    _ name: String, _ order: AccessOrder, _ arguments: [Operand],
    _ require: (Int) throws(LitmusError) -> Void
  ) throws(LitmusError) -> Operand? {
    var words = name.split(separator: "_").map(String.init)
    guard words.first == "atomic", words.count > 1 else { return nil }
    words.removeFirst()
    var returned = Returned.nothing
    if words.first == "fetch" {
      returned = .old
      words.removeFirst()
    }
    guard let operation = words.first else { return nil }
    switch words.dropFirst().joined(separator: "_") {
    case "": break
    case "return": returned = .new
    case "and_test": returned = .isZero
    case "negative": returned = .isNegative
    default: return nil
    }
    let kinds: [String: Modification] = [
      "add": .add, "sub": .add, "inc": .add, "dec": .add, "and": .and, "or": .or, "xor": .xor,
      "andnot": .and,
    ]
    guard let modification = kinds[operation] else { return nil }
    let isByOne = operation == "inc" || operation == "dec"
    try require(isByOne ? 1 : 2)
    var operand = isByOne ? Operand.constant(1) : arguments[0]
    if operation == "sub" || operation == "dec" { operand = try process.compute(.negate, operand) }
    if operation == "andnot" { operand = try process.compute(.complement, operand) }
    // One that returns nothing orders nothing.
    let isOrdered = returned != .nothing
    return try update(
      modification, arguments[isByOne ? 0 : 1], operand, isOrdered ? order : .relaxed, returned)
  }

  private mutating func update(
    _ modification: Modification, _ address: Operand, _ operand: Operand, _ order: AccessOrder,
    _ returned: Returned
  ) throws(LitmusError) -> Operand {
    guard returned != .nothing else {
      try emit(.update(nil, modification, at: address, by: operand, order))
      return .constant(0)
    }
    let register = try process.temporary()
    let old = Operand.register(register)
    try emit(.update(register, modification, at: address, by: operand, order))
    switch returned {
    case .nothing, .old: return old
    case .new: return try new(modification, old, operand)
    case .isZero: return try process.compute(.isZero, try new(modification, old, operand))
    case .isNegative:
      return try process.compute(.less, try new(modification, old, operand), .constant(0))
    case .isAdded:
      guard case .addUnless(let exempt) = modification else { return old }
      return try process.compute(.unequal, old, exempt)
    }
  }

  private mutating func new(
    _ modification: Modification, _ old: Operand, _ operand: Operand
  ) throws(LitmusError) -> Operand {
    switch modification {
    case .add, .addUnless: try process.compute(.add, old, operand)
    case .and: try process.compute(.and, old, operand)
    case .or: try process.compute(.or, old, operand)
    case .xor: try process.compute(.xor, old, operand)
    case .exchange, .compareExchange: operand
    }
  }
}
