// A small table from words to values, of which most have the same.

/// Values for numbers; all that are not in the table have a default.
///
/// Sorted, so equal tables have equal contents. There are few entries, and they are found by
/// looking at each.
package struct WordMap<Value: Equatable & Sendable>: Equatable, Sendable {
  package struct Entry: Equatable, Sendable {
    package var word: UInt32
    package var value: Value
  }

  /// In the order of their words; none has the default.
  package private(set) var entries: [Entry] = []
  private let otherwise: Value

  package init(otherwise: Value) { self.otherwise = otherwise }

  package subscript(word: UInt32) -> Value {
    get {
      for entry in entries where entry.word == word { return entry.value }
      return otherwise
    }
    set {
      let place = entries.firstIndex { $0.word >= word } ?? entries.count
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
    if entries.isEmpty { return }
    for index in entries.indices {
      entries[index].value = map(entries[index].word, entries[index].value)
    }
    let dropped = otherwise
    entries.removeAll { $0.value == dropped }
  }
}
