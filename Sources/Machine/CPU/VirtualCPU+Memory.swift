// Actions on words: the accesses of the Linux and C11 atomics, with an explicit ordering each.

/// What a compare-exchange found.
public struct CompareExchangeResult: Equatable, Sendable {
  /// The word's value before.
  public var original: UInt64
  /// True if it was the expected one, and so was replaced.
  public var exchanged: Bool
}

/// What a CPU waits for a word to become.
public enum WaitCondition: Equatable, Sendable {
  case equals(UInt64)
  case differs(from: UInt64)
  /// The bits of the mask, taken alone, equal a value.
  case bits(UInt64, equal: UInt64)
  /// The bits of the mask, taken alone, differ from a value.
  case bitsDiffer(UInt64, from: UInt64)
}

extension VirtualCPU {
  /// Reads a word.
  public func load(
    _ location: Location, _ ordering: MemoryOrdering,
    file: String = #fileID, line: Int = #line
  ) throws(Abandoned) -> UInt64 {
    let site = SourceSite(file: file, line: line)
    try admit(location, site)
    if let value = knownValue(of: location.cell, site) { return value }
    return try issue(Action(.access(.load), location, ordering), site)
  }

  /// Reads a word that only read-side sections may read, like `rcu_dereference`.
  public func dereference(
    _ location: Location, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) -> UInt64 {
    let site = SourceSite(file: file, line: line)
    try admit(location, site)
    if let value = knownValue(of: location.cell, site) { return value }
    var action = Action(.access(.load), location, .acquire)
    action.isDereference = true
    return try issue(action, site)
  }

  /// Writes a word.
  public func store(
    _ value: UInt64, to location: Location, _ ordering: MemoryOrdering,
    file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    let site = SourceSite(file: file, line: line)
    try admit(location, site)
    if leavesOutTaking(location.cell, value, site) { return }
    var action = Action(.access(.store), location, ordering)
    action.stored = value
    _ = try issue(action, site)
  }

  /// Replaces a word's value if it is the expected one.
  public func compareExchange(
    _ location: Location, expected: UInt64, desired: UInt64, _ ordering: MemoryOrdering,
    file: String = #fileID, line: Int = #line
  ) throws(Abandoned) -> CompareExchangeResult {
    let site = SourceSite(file: file, line: line)
    try admit(location, site)
    if leavesOutTaking(location.cell, desired, site) {
      let found = try issue(Action(.access(.load), location, ordering), site)
      return CompareExchangeResult(original: found, exchanged: found == expected)
    }
    let won = CompareExchangeResult(original: expected, exchanged: true)
    if isWeakened(.plainStore, site) {
      var store = Action(.access(.store), location, ordering)
      store.stored = desired
      _ = try issue(store, site)
      return won
    }
    var action = Action(.access(.compareExchange), location, ordering)
    action.expected = expected
    action.desired = desired
    let original = try issue(action, site)
    if isWeakened(.noCheck, site) { return won }
    return CompareExchangeResult(original: original, exchanged: original == expected)
  }

  /// Replaces a word's value and returns the old one.
  public func exchange(
    _ value: UInt64, in location: Location, _ ordering: MemoryOrdering,
    file: String = #fileID, line: Int = #line
  ) throws(Abandoned) -> UInt64 {
    let site = SourceSite(file: file, line: line)
    try admit(location, site)
    if leavesOutTaking(location.cell, value, site) {
      return try issue(Action(.access(.load), location, ordering), site)
    }
    if isWeakened(.loadAndStore, site) {
      return try update(location, ordering, site) { _ in value }
    }
    var action = Action(.access(.exchange), location, ordering)
    action.stored = value
    return try issue(action, site)
  }

  /// Adds to a word, wrapping, and returns the old value.
  public func fetchAdd(
    _ value: Int64, to location: Location, _ ordering: MemoryOrdering,
    file: String = #fileID, line: Int = #line
  ) throws(Abandoned) -> UInt64 {
    let site = SourceSite(file: file, line: line)
    try admit(location, site)
    if let before = leavesOutReference(value, location.cell, site) { return before }
    if isWeakened(.loadAndStore, site) {
      return try update(location, ordering, site) { $0 &+ UInt64(bitPattern: value) }
    }
    var action = Action(.access(.fetchAdd), location, ordering)
    action.addend = UInt64(bitPattern: value)
    return try issue(action, site)
  }

  /// Adds one to a word unless it is zero; true if it was added.
  public func incrementUnlessZero(
    _ location: Location, _ ordering: MemoryOrdering, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) -> Bool {
    let site = SourceSite(file: file, line: line)
    try admit(location, site)
    if isWeakened(.noGet, site) { return true }
    if isWeakened(.getFromZero, site) {
      var add = Action(.access(.fetchAdd), location, ordering)
      add.addend = 1
      _ = try issue(add, site)
      return true
    }
    return try issue(Action(.access(.incrementUnlessZero), location, ordering), site) != 0
  }

  /// Orders this CPU's accesses.
  ///
  /// Not a scheduling point: it touches nothing.
  public func fence(
    _ ordering: MemoryOrdering, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    var action = Action(.fence)
    action.ordering = ordering
    _ = try issue(action, SourceSite(file: file, line: line))
  }

  /// Blocks until a word satisfies a condition; returns its value then.
  ///
  /// Use it instead of a loop: a loop that waits for another CPU makes executions of any length.
  @discardableResult
  public func wait(
    until location: Location, _ condition: WaitCondition,
    file: String = #fileID, line: Int = #line
  ) throws(Abandoned) -> UInt64 {
    let site = SourceSite(file: file, line: line)
    try admit(location, site)
    if isWeakened(.noWait, site) {
      return try issue(Action(.access(.load), location, .acquire), site)
    }
    var action = Action(.access(.wait), location, .acquire)
    action.setCondition(condition)
    guard action.mask != 0, action.awaited & ~action.mask == 0 else {
      throw misuse(
        "a wait for the bits \(hexadecimal(action.mask)) to be, or not to be, "
          + "\(hexadecimal(action.awaited)): they never are", site)
    }
    return try issue(action, site)
  }

  /// Branches of one choice: each is explored, and a schedule names it.
  private static let choicesMax = 65_536

  /// Chooses a number below `count`; every choice is explored.
  public func choose(
    _ count: Int, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) -> Int {
    let site = SourceSite(file: file, line: line)
    if isAbandoned { throw refused() }
    guard (1...Self.choicesMax).contains(count) else {
      throw misuse("a choice among \(count): there are 1 to \(Self.choicesMax)", site)
    }
    if case .boot = role, count > 1 {
      throw misuse(
        "a choice before the CPUs start, where nothing is explored: use a parameter of the model, "
          + "or let an operation choose", site)
    }
    var action = Action(.choose)
    action.choices = count
    return Int(try issue(action, site))
  }
}
