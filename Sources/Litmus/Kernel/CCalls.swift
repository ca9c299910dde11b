// The kernel's primitives, and what each is in instructions.

import GracewalkSupport

extension CBody {
  /// Reads the arguments of a call, and makes instructions of it.
  mutating func readCall(of name: String, _ line: Int) throws(LitmusError) -> Operand {
    process.line = line
    try stream.expect("(")
    if let order = CPrimitives.loadsOfPlaces[name] {
      let address = try readPlace()
      if stream.takeIf(",") { _ = try readExpression() }
      try stream.expect(")")
      return try load(address, order)
    }
    if let order = CPrimitives.storesToPlaces[name] {
      let address = try readPlace()
      try stream.expect(",")
      let value = try readExpression()
      try stream.expect(")")
      return try store(value, address, order)
    }
    let arguments = try readArguments()
    if let fence = CPrimitives.fences[name] {
      try check(arguments, 0, name, line)
      try emit(.fence(fence))
      return .constant(0)
    }
    if CPrimitives.withoutMeaning.contains(name) { return .constant(0) }
    if let result = try readAccess(name, arguments, line) { return result }
    if let result = try readSynchronisation(name, arguments, line) { return result }
    if let result = try readUpdate(name, arguments, line) { return result }
    throw LitmusError(line, "'\(name.excerpt(60))' is not known")
  }

  private mutating func readArguments() throws(LitmusError) -> [Operand] {
    var arguments: [Operand] = []
    if stream.takeIf(")") { return [] }
    repeat {
      if let word = stream.next.word, let order = CPrimitives.orders[word] {
        stream.take()
        arguments.append(.constant(order))
      } else {
        arguments.append(try readExpression())
      }
    } while stream.takeIf(",")
    try stream.expect(")")
    return arguments
  }

  private func check(
    _ arguments: [Operand], _ count: Int, _ name: String, _ line: Int
  ) throws(LitmusError) {
    guard arguments.count == count else {
      let plural = count == 1 ? "" : "s"
      throw LitmusError(
        line, "'\(name)' takes \(count) argument\(plural), and not \(arguments.count)")
    }
  }

  private mutating func store(
    _ value: Operand, _ address: Operand, _ order: AccessOrder
  ) throws(LitmusError) -> Operand {
    try emit(.store(value, at: address, order == .full ? .relaxed : order))
    if order == .full { try emit(.fence(.full)) }
    return value
  }

  // MARK: Loads and stores

  private mutating func readAccess(
    _ name: String, _ arguments: [Operand], _ line: Int
  ) throws(LitmusError) -> Operand? {
    if let order = CPrimitives.loads[CPrimitives.common(name)] {
      try check(arguments, 1, name, line)
      return try load(arguments[0], order)
    }
    if let order = CPrimitives.stores[CPrimitives.common(name)] {
      try check(arguments, 2, name, line)
      return try store(arguments[1], arguments[0], order)
    }
    switch name {
    case "atomic_load_explicit":
      try check(arguments, 2, name, line)
      return try load(arguments[0], try order(arguments[1], line))
    case "atomic_store_explicit":
      try check(arguments, 3, name, line)
      return try store(arguments[1], arguments[0], try order(arguments[2], line))
    case "atomic_thread_fence":
      try check(arguments, 1, name, line)
      let order = try order(arguments[0], line)
      if order != .relaxed { try emit(.fence(order == .acquire ? .loads : .full)) }
      return .constant(0)
    default: return nil
    }
  }

  private func order(_ operand: Operand, _ line: Int) throws(LitmusError) -> AccessOrder {
    guard case .constant(let value) = operand, let order = CPrimitives.order(value) else {
      throw LitmusError(line, "an order such as memory_order_acquire expected")
    }
    return order
  }

  // MARK: Locks and read-copy-update

  private mutating func readSynchronisation(
    _ name: String, _ arguments: [Operand], _ line: Int
  ) throws(LitmusError) -> Operand? {
    switch name {
    case "rcu_read_lock", "rcu_read_lock_sched", "rcu_read_lock_bh": try emit(.enterSection)
    case "rcu_read_unlock", "rcu_read_unlock_sched", "rcu_read_unlock_bh": try emit(.leaveSection)
    case "synchronize_rcu", "synchronize_rcu_expedited", "synchronize_sched",
      "synchronize_rcu_bh":
      try emit(.synchronize)
    default: return try readWithOperand(name, arguments, line)
    }
    try check(arguments, 0, name, line)
    return .constant(0)
  }

  private mutating func readWithOperand(
    _ name: String, _ arguments: [Operand], _ line: Int
  ) throws(LitmusError) -> Operand? {
    let counts = [
      "spin_lock": 1, "spin_unlock": 1, "raw_spin_lock": 1, "raw_spin_unlock": 1,
      "spin_trylock": 1, "spin_is_locked": 1, "spin_unlock_wait": 1, "srcu_read_lock": 1,
      "srcu_down_read": 1, "srcu_read_unlock": 2, "srcu_up_read": 2, "synchronize_srcu": 1,
      "synchronize_srcu_expedited": 1,
    ]
    guard let count = counts[name] else { return nil }
    try check(arguments, count, name, line)
    let first = arguments[0]
    switch name {
    case "spin_lock", "raw_spin_lock": try emit(.lock(first))
    case "spin_unlock", "raw_spin_unlock": try emit(.unlock(first))
    case "spin_trylock":
      let result = try process.temporary()
      try emit(.tryLock(first, result))
      return .register(result)
    case "spin_is_locked":
      let result = try process.temporary()
      try emit(.isLocked(first, result))
      return .register(result)
    case "spin_unlock_wait": try emit(.waitUntilUnlocked(first))
    case "srcu_read_lock", "srcu_down_read":
      let result = try process.temporary()
      let section = test.addSection(of: try domain(first, line))
      try emit(.enterSleepable(section: section, result))
      return .register(result)
    case "srcu_read_unlock", "srcu_up_read":
      try emit(.leaveSleepable(domain: try domain(first, line), arguments[1]))
    default: try emit(.synchronizeSleepable(domain: try domain(first, line)))
    }
    return .constant(0)
  }

  /// The number of the `srcu_struct` at an address.
  private mutating func domain(_ operand: Operand, _ line: Int) throws(LitmusError) -> Int {
    guard case .constant(let address) = operand,
      let word = LitmusTest.word(at: address, of: test.words.count)
    else { throw LitmusError(line, "an srcu_struct is named where it is used") }
    return test.domain(test.words[word].name)
  }
}
