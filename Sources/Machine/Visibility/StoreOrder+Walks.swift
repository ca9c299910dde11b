// Walks: which stores to table entries the reads of hardware may miss.

/// What the walks of a memory management unit know of the order of stores.
///
/// A walk's reads are ordered by their addresses only. What was made sure of by barriers is in
/// `floor`; all else may be missed, however much the code on the same CPU has read.
package struct WalkViews: BitwiseCopyable, Sendable {
  /// What no walk may miss.
  package var floor: View = 0
  /// Per entry, the oldest store that a walk may still find, since one has missed it once.
  package var missed = WordMap<View>(otherwise: 0)
  /// Per table, what its entries' readers must not miss: the view of the pointer to it.
  package var sources = WordMap<View>(otherwise: 0)
  /// What walks so far have found, what branches depend on, and the stores before a `DMB ST`.
  package var found: View = 0
  package var branches: View = 0
  package var stored: View = 0
  /// Invalidations that no `DSB` has completed yet.
  package var issued = Row<Invalidation>()

  package init() {}

  func copy() -> WalkViews {
    var views = self
    views.missed = missed.copy()
    views.sources = sources.copy()
    views.issued = issued.copy()
    return views
  }

  mutating func deallocate() {
    missed.deallocate()
    sources.deallocate()
    issued.deallocate()
  }

  mutating func forget() {
    missed.removeAll()
    sources.removeAll()
    issued.removeAll()
    (floor, found, branches, stored) = (0, 0, 0, 0)
  }

  /// Replaces each view.
  mutating func mapViews(_ map: (View) -> View) {
    floor = map(floor)
    missed.mapValues { map($1) }
    sources.mapValues { map($1) }
    found = map(found)
    branches = map(branches)
    stored = map(stored)
    for index in issued.indices { issued[index].mapViews(map) }
  }

  /// Forgets views that say no more than what no walk may miss.
  mutating func cut() {
    let floor = floor
    missed.mapValues { $1 <= floor ? 0 : $1 }
    sources.mapValues { $1 <= floor ? 0 : $1 }
  }
}

extension StoreOrder {
  /// The visible stores to an entry that a walk may find, as places in its list; the last is the
  /// newest.
  ///
  /// - Parameter source: the view of the pointer to its table.
  package func readable(byWalksOf unit: Int, _ word: UInt32, after source: View) -> Range<Int> {
    let count = words.count(of: word)
    if count < 2 { return 0..<1 }
    let floor = max(source, walks[unit].floor, walks[unit].missed[word])
    return (words.place(word, upTo: floor) ?? 0)..<count
  }

  /// Notes that a walk has missed a store, which it does once.
  package mutating func noteMissed(_ word: UInt32, _ place: Int, byWalksOf unit: Int) {
    guard place + 1 < words.count(of: word) else { return }
    forbidMissing(word, words.store(word, place + 1).time, unit)
  }

  /// Notes that a unit has read the newest visible store to an entry, which its walks do not miss
  /// from then on.
  package mutating func noteRead(_ word: UInt32, byUnit unit: Int) {
    guard let newest = words.newest(word) else { return }
    forbidMissing(word, newest.time, unit)
  }

  /// Notes a store of a CPU to a table entry, of which a `DSB` makes sure for walks.
  package mutating func noteEntry(_ word: UInt32, by cpu: Int) {
    cpus[cpu].entries[word] = cpus[cpu].coherence[word]
  }

  /// Waits for what was stored before (`DSB`): no walk of any unit may miss the CPU's own stores
  /// to entries, and no walk of its own unit what it has read.
  ///
  /// What others have stored to other entries at an earlier time may still be missed by walks of
  /// other units: it is up to those to wait for it.
  package mutating func synchronise(_ cpu: Int, unit own: Int?) {
    orderEverything(of: cpu)
    if walks.isEmpty { return }
    let everything = cpus[cpu].everything
    for unit in walks.indices {
      if unit == own { walks[unit].floor = max(walks[unit].floor, everything) }
      for index in cpus[cpu].entries.entries.indices {
        let entry = cpus[cpu].entries.entries[index]
        forbidMissing(entry.word, entry.value, unit)
      }
    }
    cpus[cpu].entries.removeAll()
    cpus[cpu].synchronised = everything
  }

  private mutating func forbidMissing(_ word: UInt32, _ time: View, _ unit: Int) {
    walks[unit].missed[word] = max(walks[unit].missed[word], time)
  }

  /// Completes an invalidation: walks from then on see what came before the barrier before it.
  ///
  /// - Parameter isCovered: which entries it is about; nil for all of them.
  package mutating func invalidate(
    unit: Int, by cpu: Int, of isCovered: ((UInt32) -> Bool)? = nil
  ) {
    let view = cpus[cpu].synchronised
    guard let isCovered else {
      walks[unit].floor = max(walks[unit].floor, view)
      return
    }
    for index in words.entries.indices {
      let word = words.entries[index].word
      guard isCovered(word), let place = words.place(at: index, upTo: view) else { continue }
      forbidMissing(word, words.store(at: index, place).time, unit)
    }
  }

  /// Forgets what units know that walk no more.
  package mutating func cutWalks(
    _ isUsed: (Int) -> Bool, isReferred: (_ unit: Int, _ table: UInt32) -> Bool
  ) {
    for unit in walks.indices {
      guard isUsed(unit) else {
        walks[unit].forget()
        continue
      }
      walks[unit].cut()
      walks[unit].sources.mapValues { isReferred(unit, $0) ? $1 : 0 }
    }
  }
}
