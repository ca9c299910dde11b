// Atomic updates of words besides adding: taking away, and changing single bits.

extension VirtualCPU {
  /// Takes something away from a word, wrapping, and returns the old value.
  public func fetchSub<Value>(
    _ word: Word<Value>, _ amount: Int64, _ ordering: MemoryOrdering,
    file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> Value {
    try fetchAdd(word, 0 &- amount, ordering, file: file, line: line, label: label)
  }

  /// Keeps these bits of a word, clears all others, and returns the old value.
  public func fetchAnd<Value>(
    _ word: Word<Value>, _ bits: UInt64, _ ordering: MemoryOrdering,
    file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> Value {
    try update(.and, word, bits, ordering, SourceSite(file: file, line: line, label: label))
  }

  /// Sets these bits of a word, and returns the old value.
  public func fetchOr<Value>(
    _ word: Word<Value>, _ bits: UInt64, _ ordering: MemoryOrdering,
    file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> Value {
    try update(.or, word, bits, ordering, SourceSite(file: file, line: line, label: label))
  }

  /// Turns these bits of a word over, and returns the old value.
  public func fetchXor<Value>(
    _ word: Word<Value>, _ bits: UInt64, _ ordering: MemoryOrdering,
    file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> Value {
    try update(.xor, word, bits, ordering, SourceSite(file: file, line: line, label: label))
  }

  private func update<Value>(
    _ update: Action.Update, _ word: Word<Value>, _ bits: UInt64, _ ordering: MemoryOrdering,
    _ site: SourceSite
  ) throws(Abandoned) -> Value {
    let location = Location(word)
    try admit(location, site)
    var action = Action(.access(.update(update)), location, ordering)
    action.operand = bits
    if isWeakened(.loadAndStore, site) {
      return try Value(word: self.update(location, ordering, site) { action.updated(update, $0) })
    }
    return try Value(word: issue(action, site))
  }
}
