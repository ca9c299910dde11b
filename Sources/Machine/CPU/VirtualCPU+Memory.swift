// Actions on words: the accesses of Linux and C11 atomics, each with an explicit ordering.

/// The result of a compare-exchange.
public struct CompareExchangeResult<Value: WordValue>: Equatable, Sendable {
  /// The word's value before.
  public var original: Value
  /// True if it was the expected value, and so was replaced.
  public var exchanged: Bool
}

/// The condition on a word that a CPU waits for.
public enum WaitCondition<Value: WordValue>: Equatable, Sendable {
  case equals(Value)
  case differs(from: Value)
  /// The masked bits equal a value.
  case bits(UInt64, equal: UInt64)
  /// The masked bits differ from a value.
  case bitsDiffer(UInt64, from: UInt64)
}

extension VirtualCPU {
  /// Reads a word.
  public func load<Value>(
    _ word: Word<Value>, _ ordering: MemoryOrdering,
    file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> Value {
    let site = SourceSite(file: file, line: line, label: label)
    let location = Location(word)
    try admit(location, site)
    if let value = knownValue(of: location.cell, site) { return Value(word: value) }
    return Value(word: try issue(Action(.access(.load), location, ordering), site))
  }

  /// Reads a word as plain code does, with neither `READ_ONCE` nor `rcu_dereference`.
  ///
  /// The compiler may know another way to the address that is found, and so let accesses there come
  /// before the load. That makes a difference under Armv8 only, and `Scenario.readsPlainly` must
  /// say that code does it.
  public func plainLoad<Value>(
    _ word: Word<Value>, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> Value {
    let site = SourceSite(file: file, line: line, label: label)
    let location = Location(word)
    try admit(location, site)
    if let value = knownValue(of: location.cell, site) { return Value(word: value) }
    guard machine.memoryModel != .armv8 || machine.scenario.readsPlainly else {
      throw misuse(
        "a plain load under \(machine.memoryModel.text): set readsPlainly of the scenario, which "
          + "the machine must know beforehand", site)
    }
    var action = Action(.access(.load), location)
    action.isPlain = true
    return Value(word: try issue(action, site))
  }

  /// Reads a word that only read-side sections may read, like `rcu_dereference`.
  public func rcuDereference<Value>(
    _ word: Word<Value>, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> Value {
    let site = SourceSite(file: file, line: line, label: label)
    let location = Location(word)
    try admit(location, site)
    if let value = knownValue(of: location.cell, site) { return Value(word: value) }
    var action = Action(.access(.load), location, .acquire)
    action.isDereference = true
    return Value(word: try issue(action, site))
  }

  /// Writes a word.
  public func store<Value>(
    _ word: Word<Value>, _ value: Value, _ ordering: MemoryOrdering,
    file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) {
    let site = SourceSite(file: file, line: line, label: label)
    let location = Location(word)
    try admit(location, site)
    if leavesOutTaking(location.cell, value.word, site) { return }
    var action = Action(.access(.store), location, ordering)
    action.stored = value.word
    _ = try issue(action, site)
  }

  /// Replaces a word's value if it is the expected one.
  public func compareExchange<Value>(
    _ word: Word<Value>, expected: Value, desired: Value, _ ordering: MemoryOrdering,
    file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> CompareExchangeResult<Value> {
    let site = SourceSite(file: file, line: line, label: label)
    let location = Location(word)
    try admit(location, site)
    if leavesOutTaking(location.cell, desired.word, site) {
      let found = try issue(Action(.access(.load), location, ordering), site)
      return CompareExchangeResult(
        original: Value(word: found), exchanged: found == expected.word)
    }
    let won = CompareExchangeResult(original: expected, exchanged: true)
    if isWeakened(.plainStore, site) {
      var store = Action(.access(.store), location, ordering)
      store.stored = desired.word
      _ = try issue(store, site)
      return won
    }
    var action = Action(.access(.compareExchange), location, ordering)
    action.expected = expected.word
    action.desired = desired.word
    let original = try issue(action, site)
    if isWeakened(.noCheck, site) { return won }
    return CompareExchangeResult(
      original: Value(word: original), exchanged: original == expected.word)
  }

  /// Replaces a word's value if it is the old one, like `try_cmpxchg`; true if it was.
  public func tryCompareExchange<Value>(
    _ word: Word<Value>, _ old: Value, _ new: Value, _ ordering: MemoryOrdering,
    file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> Bool {
    try compareExchange(
      word, expected: old, desired: new, ordering, file: file, line: line, label: label
    ).exchanged
  }

  /// Replaces a word's value and returns the old one.
  public func exchange<Value>(
    _ word: Word<Value>, _ value: Value, _ ordering: MemoryOrdering,
    file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> Value {
    let site = SourceSite(file: file, line: line, label: label)
    let location = Location(word)
    try admit(location, site)
    if leavesOutTaking(location.cell, value.word, site) {
      return Value(word: try issue(Action(.access(.load), location, ordering), site))
    }
    if isWeakened(.loadAndStore, site) {
      return Value(word: try update(location, ordering, site) { _ in value.word })
    }
    var action = Action(.access(.exchange), location, ordering)
    action.stored = value.word
    return Value(word: try issue(action, site))
  }

  /// Adds to a word, wrapping, and returns the old value.
  public func fetchAdd<Value>(
    _ word: Word<Value>, _ addend: Int64, _ ordering: MemoryOrdering,
    file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> Value {
    let site = SourceSite(file: file, line: line, label: label)
    let location = Location(word)
    try admit(location, site)
    if let before = leavesOutReference(addend, location.cell, site) { return Value(word: before) }
    if isWeakened(.loadAndStore, site) {
      return Value(
        word: try update(location, ordering, site) { $0 &+ UInt64(bitPattern: addend) })
    }
    var action = Action(.access(.fetchAdd), location, ordering)
    action.addend = UInt64(bitPattern: addend)
    return Value(word: try issue(action, site))
  }

  /// Adds one to a word unless it is zero; true if it was added.
  public func incrementUnlessZero<Value>(
    _ word: Word<Value>, _ ordering: MemoryOrdering, file: String = #fileID, line: Int = #line,
    label: String = #function
  ) throws(Abandoned) -> Bool {
    let site = SourceSite(file: file, line: line, label: label)
    let location = Location(word)
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
    _ ordering: MemoryOrdering, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) {
    var action = Action(.fence)
    action.ordering = ordering
    _ = try issue(action, SourceSite(file: file, line: line, label: label))
  }

  /// Blocks until a word satisfies a condition; returns its value then.
  ///
  /// Use it instead of a loop: a loop that waits for another CPU makes executions of any length.
  @discardableResult
  public func wait<Value>(
    until word: Word<Value>, _ condition: WaitCondition<Value>,
    file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> Value {
    let site = SourceSite(file: file, line: line, label: label)
    let location = Location(word)
    try admit(location, site)
    if isWeakened(.noWait, site) {
      return Value(word: try issue(Action(.access(.load), location, .acquire), site))
    }
    var action = Action(.access(.wait), location, .acquire)
    action.setCondition(condition)
    guard action.mask != 0, action.awaited & ~action.mask == 0 else {
      throw misuse(
        "a wait for the bits \(hexadecimal(action.mask)) to be, or not to be, "
          + "\(hexadecimal(action.awaited)): they never are", site)
    }
    return Value(word: try issue(action, site))
  }

  /// The maximum number of branches of one choice.
  private static let choicesMax = 65_536

  /// Chooses a number below `count`; every choice is explored.
  public func choose(
    _ count: Int, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> Int {
    let site = SourceSite(file: file, line: line, label: label)
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
