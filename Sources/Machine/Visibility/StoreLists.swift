// The visible stores of all words, in two arrays.

/// Per word, its visible stores that may still be read, oldest first; none for most words.
///
/// Sorted by words, so equal lists have equal contents. There are few words, and they are found by
/// looking at each.
package struct StoreLists: BitwiseCopyable, Sendable {
  package struct Entry: BitwiseCopyable, Sendable {
    package var word: UInt32
    /// Where its stores end in the array of all.
    fileprivate var end: Int
  }

  /// The words that have stores.
  package private(set) var entries = Row<Entry>()
  private var stores = Row<VisibleStore>()

  package init() {}

  func copy() -> StoreLists {
    var lists = self
    lists.entries = entries.copy()
    lists.stores = stores.copy()
    return lists
  }

  mutating func deallocate() {
    entries.deallocate()
    stores.deallocate()
  }

  /// The stores of a word.
  package subscript(word: UInt32) -> StoreList { StoreList(stores, places(of: word)) }

  // MARK: What is there

  /// Where the stores of a word are in the array of all.
  private func places(of word: UInt32) -> Range<Int> {
    for index in entries.indices where entries[index].word == word { return places(at: index) }
    return 0..<0
  }

  private func places(at index: Int) -> Range<Int> {
    (index == 0 ? 0 : entries[index - 1].end)..<entries[index].end
  }

  func count(of word: UInt32) -> Int { places(of: word).count }

  /// The number of stores of the word at a place among the words.
  func count(at index: Int) -> Int { places(at: index).count }

  /// A store of a word, of those it has.
  func store(_ word: UInt32, _ place: Int) -> VisibleStore {
    stores[places(of: word).lowerBound + place]
  }

  func store(at index: Int, _ place: Int) -> VisibleStore {
    stores[places(at: index).lowerBound + place]
  }

  func newest(_ word: UInt32) -> VisibleStore? {
    let places = places(of: word)
    return places.isEmpty ? nil : stores[places.upperBound - 1]
  }

  /// The place, among the stores of a word, of the newest one at or before a time.
  func place(_ word: UInt32, upTo time: View) -> Int? {
    place(places(of: word), upTo: time)
  }

  func place(at index: Int, upTo time: View) -> Int? { place(places(at: index), upTo: time) }

  private func place(_ places: Range<Int>, upTo time: View) -> Int? {
    var place = places.upperBound
    while place > places.lowerBound {
      place -= 1
      if stores[place].time <= time { return place - places.lowerBound }
    }
    return nil
  }

  /// True if a store of a word has a time.
  func contains(_ word: UInt32, at time: View) -> Bool {
    for place in places(of: word) where stores[place].time == time { return true }
    return false
  }

  /// Calls back with each store that is not the first of its word.
  func eachLater(_ body: (VisibleStore) -> Void) {
    var start = 0
    for index in entries.indices {
      let end = entries[index].end
      for place in start + 1..<end { body(stores[place]) }
      start = end
    }
  }

  // MARK: Changes

  /// Gives a word other stores; none, for one that is to have no list.
  package mutating func replace(_ word: UInt32, with list: [VisibleStore]) {
    if let index = entries.firstIndex(where: { $0.word == word }) { remove(at: index) }
    if list.isEmpty { return }
    let index = makeIndex(of: word)
    for store in list { insert(store, at: index) }
  }

  /// Adds a store behind all others of its word; a word that has none begins with another one.
  mutating func append(_ store: VisibleStore, to word: UInt32, above first: VisibleStore) {
    let index = makeIndex(of: word)
    if count(at: index) == 0 { insert(first, at: index) }
    insert(store, at: index)
  }

  /// The place of a word among the words; one that is new has no stores yet.
  private mutating func makeIndex(of word: UInt32) -> Int {
    var index = 0
    while index < entries.count, entries[index].word < word { index += 1 }
    if index == entries.count || entries[index].word != word {
      let start = index == 0 ? 0 : entries[index - 1].end
      entries.insert(Entry(word: word, end: start), at: index)
    }
    return index
  }

  private mutating func insert(_ store: VisibleStore, at index: Int) {
    stores.insert(store, at: entries[index].end)
    for later in index..<entries.count { entries[later].end += 1 }
  }

  /// Forgets the oldest stores of the word at a place among the words.
  mutating func removeFirst(_ count: Int, at index: Int) {
    if count == 0 { return }
    let start = places(at: index).lowerBound
    stores.remove(from: start, count: count)
    for later in index..<entries.count { entries[later].end -= count }
  }

  /// Forgets the word at a place among the words.
  mutating func remove(at index: Int) {
    removeFirst(count(at: index), at: index)
    entries.remove(at: index)
  }

  /// Forgets some words.
  package mutating func removeAll(where isRemoved: (_ word: UInt32) -> Bool) {
    for index in entries.indices.reversed() where isRemoved(entries[index].word) {
      remove(at: index)
    }
  }

  /// Forgets all but the newest store of each word, and when that became visible.
  package mutating func forgetOrder() {
    for index in entries.indices {
      removeFirst(count(at: index) - 1, at: index)
      let place = entries[index].end - 1
      stores[place] = VisibleStore(value: stores[place].value, time: 0)
    }
  }

  mutating func mapTimes(_ map: (View) -> View) {
    for place in stores.indices { stores[place].time = map(stores[place].time) }
  }

  /// The same, for a store of a word, at a place among those of that word.
  mutating func mapTimes(_ map: (_ word: UInt32, _ place: Int, View) -> View) {
    for index in entries.indices {
      let places = places(at: index)
      for place in places {
        stores[place].time = map(
          entries[index].word, place - places.lowerBound, stores[place].time)
      }
    }
  }

  /// Forgets all, and keeps the room.
  mutating func removeAll() {
    entries.removeAll()
    stores.removeAll()
  }

  /// Adds a word behind all others, whose stores are to follow.
  mutating func appendWord(_ word: UInt32) {
    entries.append(Entry(word: word, end: stores.count))
  }

  /// Adds a store to the last word.
  mutating func appendStore(_ store: VisibleStore) {
    stores.append(store)
    entries[entries.count - 1].end += 1
  }
}

/// The visible stores of a word, oldest first, as long as none changes.
package struct StoreList: RandomAccessCollection {
  private let stores: Row<VisibleStore>
  private let places: Range<Int>

  fileprivate init(_ stores: Row<VisibleStore>, _ places: Range<Int>) {
    self.stores = stores
    self.places = places
  }

  package var startIndex: Int { 0 }
  package var endIndex: Int { places.count }
  package subscript(place: Int) -> VisibleStore { stores[places.lowerBound + place] }
}
