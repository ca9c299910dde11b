// What may happen to one word: the order of its stores, and which of them each load reads.

import GracewalkMachine

/// Enumerates all orders of a word's stores, and for each load of the word every store to it.
///
/// The axioms for one word alone choose among them: coherence, and that nobody stores between the
/// halves of a read-modify-write. Values depend on values of the same word only, so they are known.
struct WordCandidates {
  /// How many there are; all else is one after the other.
  private(set) var count = 0
  /// Per event, those that come before it through this word, as far as the model orders them.
  private(set) var rows: [Events.Row] = []
  /// Per load of the word, in order, the store it reads.
  private(set) var sources: [Int] = []
  /// What final states show of the word, at the places of `Executions`.
  private(set) var values: [UInt128] = []

  let loads: [Int]
  private let stores: [Int]
  private let events: Events
  private let model: MemoryModel
  private let places: [Int]
  private let word: Int
  /// Per store, its place in the word's order; per load, the store it reads.
  private var coherence: [Int]
  private var source: [Int]
  /// Relations of the candidate at hand: for coherence, and of the model.
  private let programOrder: [Events.Row]
  private var coherent: [Events.Row]
  private var ordered: [Events.Row]
  private var value: [UInt64]

  /// - Parameter places: per event, and behind them per word, the place of its value, or -1.
  init(_ events: Events, word: Int, _ model: MemoryModel, places: [Int]) {
    self.events = events
    self.model = model
    self.word = word
    self.places = places
    loads = events.indices(ofWord: word, writing: false)
    stores = events.indices(ofWord: word, writing: true)
    coherence = events.all.map { _ in 0 }
    source = coherence
    value = events.all.map { _ in 0 }
    programOrder = events.relation { a, b in
      events.all[a].access.word == word && events.all[b].access.word == word
        && events.isBefore(a, b)
    }
    coherent = programOrder
    ordered = programOrder
    order(stores.filter { events.all[$0].process >= 0 }, 1)
  }

  /// Puts the stores in every order.
  private mutating func order(_ left: [Int], _ place: Int) {
    if left.isEmpty { return chooseSource(0) }
    for write in left {
      // Stores of one process to a word are in program order.
      if left.contains(where: { events.isBefore($0, write) }) { continue }
      coherence[write] = place
      order(left.filter { $0 != write }, place + 1)
    }
  }

  /// Lets each load read every store.
  private mutating func chooseSource(_ number: Int) {
    guard number < loads.count else { return judge() }
    let load = loads[number]
    let partner = events.all[load].partner
    for write in stores where !events.isBefore(load, write) {
      if partner >= 0, coherence[partner] != coherence[write] + 1 { continue }
      source[load] = write
      chooseSource(number + 1)
    }
  }

  private mutating func judge() {
    for event in events.all.indices {
      coherent[event] = programOrder[event]
      ordered[event] = 0
    }
    for b in stores {
      for a in stores where coherence[a] < coherence[b] { add(a, b, readsFrom: false) }
      for a in loads where coherence[source[a]] < coherence[b] && events.all[a].partner != b {
        add(a, b, readsFrom: false)
      }
    }
    for b in loads {
      add(source[b], b, readsFrom: true)
      if model == .armv8 {
        for a in loads where events.isAcquired(a, b, from: source[b]) {
          ordered[b] |= 1 << Events.Row(a)
        }
      }
    }
    let all: Events.Row = (1 << Events.Row(coherent.count)) - 1
    guard Events.isAcyclic(coherent, from: 0, among: all), findValues() else { return }
    count += 1
    rows += ordered
    for load in loads { sources.append(source[load]) }
    values.append(shown)
  }

  private mutating func add(_ a: Int, _ b: Int, readsFrom: Bool) {
    coherent[b] |= 1 << Events.Row(a)
    if events.isOrdered(a, b, readsFrom: readsFrom, by: model) { ordered[b] |= 1 << Events.Row(a) }
  }

  /// The value of each event; false if values depend on themselves.
  private mutating func findValues() -> Bool {
    var known: Events.Row = 0
    func isKnown(_ event: Int) -> Bool { known >> Events.Row(event) & 1 == 1 }
    for _ in 0..<loads.count + 1 {
      for write in stores where !isKnown(write) {
        let event = events.all[write]
        if event.access.adds, !isKnown(event.partner) { continue }
        let added = event.access.adds ? value[event.partner] : 0
        value[write] = added + UInt64(event.process < 0 ? 0 : event.access.value)
        known |= 1 << Events.Row(write)
      }
      for load in loads where !isKnown(load) && isKnown(source[load]) {
        value[load] = value[source[load]]
        known |= 1 << Events.Row(load)
      }
    }
    return known.nonzeroBitCount == loads.count + stores.count
  }

  private var shown: UInt128 {
    var shown: UInt128 = 0
    for load in loads where places[load] >= 0 {
      shown |= Executions.packed(value[load], at: places[load])
    }
    guard let last = stores.max(by: { coherence[$0] < coherence[$1] }) else { return shown }
    return shown | Executions.packed(value[last], at: places[events.all.count + word])
  }
}
