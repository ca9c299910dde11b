// A small table from words to values, of which most have the same.

/// Values for numbers; all that are not in the table have a default.
///
/// Sorted, so equal tables have equal contents. There are few entries, and they are found by
/// looking at each.
package struct WordMap<Value: Equatable & BitwiseCopyable & Sendable>: BitwiseCopyable, Sendable {
  package struct Entry: BitwiseCopyable, Sendable {
    package var word: UInt32
    package var value: Value
  }

  /// In the order of their words; none has the default.
  package private(set) var entries = Row<Entry>()
  private let otherwise: Value

  package init(otherwise: Value) { self.otherwise = otherwise }

  package var isEmpty: Bool { entries.isEmpty }

  package subscript(word: UInt32) -> Value {
    get {
      for index in entries.indices where entries[index].word == word { return entries[index].value }
      return otherwise
    }
    set {
      var place = 0
      while place < entries.count, entries[place].word < word { place += 1 }
      let isThere = place < entries.count && entries[place].word == word
      switch (isThere, newValue == otherwise) {
      case (true, true): entries.remove(at: place)
      case (true, false): entries[place].value = newValue
      case (false, true): break
      case (false, false): entries.insert(Entry(word: word, value: newValue), at: place)
      }
    }
  }

  /// Replaces each value; those that become the default are dropped.
  package mutating func mapValues(_ map: (UInt32, Value) -> Value) {
    var kept = 0
    for index in entries.indices {
      let entry = entries[index]
      let value = map(entry.word, entry.value)
      if value == otherwise { continue }
      if kept != index || value != entry.value {
        entries[kept] = Entry(word: entry.word, value: value)
      }
      kept += 1
    }
    entries.truncate(to: kept)
  }

  /// Replaces each word, by another one for each.
  mutating func mapWords(_ map: (UInt32) -> UInt32) {
    for index in entries.indices {
      var entry = entries[index]
      entry.word = map(entry.word)
      // Those before it are in order already.
      var place = index
      while place > 0, entries[place - 1].word > entry.word {
        entries[place] = entries[place - 1]
        place -= 1
      }
      entries[place] = entry
    }
  }

  /// Takes out the entry at a place.
  package mutating func remove(at place: Int) { entries.remove(at: place) }

  /// Gives all words the default, and keeps the room.
  package mutating func removeAll() { entries.removeAll() }

  func copy() -> WordMap {
    var map = self
    map.entries = entries.copy()
    return map
  }

  mutating func deallocate() { entries.deallocate() }

  /// Adds an entry behind all others; the value is not the default.
  mutating func append(_ word: UInt32, _ value: Value) {
    entries.append(Entry(word: word, value: value))
  }
}
