// Walks: which stores to table entries the reads of hardware may miss.

/// What the walks of a memory management unit know of the order of stores.
///
/// A walk's reads are ordered by their addresses only. What was made sure of by barriers is in
/// `floor`; all else may be missed, however much the code on the same CPU has read.
package struct WalkViews: Equatable, Sendable {
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
  package var issued: [Invalidation] = []

  package init() {}

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
    let stores = words[word]
    if stores.count < 2 { return 0..<1 }
    let floor = max(source, walks[unit].floor, walks[unit].missed[word])
    return (stores.lastIndex { $0.time <= floor } ?? 0)..<stores.count
  }

  /// Notes that a walk has missed a store, which it does once.
  package mutating func noteMissed(_ word: UInt32, _ place: Int, byWalksOf unit: Int) {
    let stores = words[word]
    guard place + 1 < stores.count else { return }
    walks[unit].missed[word] = max(walks[unit].missed[word], stores[place + 1].time)
  }

  /// Waits for what was stored before (`DSB`): no walk of any unit may miss the CPU's own stores,
  /// and no walk of its own unit what it has read.
  package mutating func synchronise(_ cpu: Int, unit own: Int?) {
    orderEverything(of: cpu)
    for unit in walks.indices {
      let view = unit == own ? cpus[cpu].everything : cpus[cpu].oldWrites
      walks[unit].floor = max(walks[unit].floor, view)
    }
    if !walks.isEmpty { cpus[cpu].synchronised = cpus[cpu].everything }
  }

  /// Completes an invalidation: walks from then on see what came before the barrier before it.
  package mutating func invalidate(unit: Int, by cpu: Int) {
    walks[unit].floor = max(walks[unit].floor, cpus[cpu].synchronised)
  }

  /// Forgets what units know that walk no more.
  package mutating func cutWalks(
    _ isUsed: (Int) -> Bool, isReferred: (_ unit: Int, _ table: UInt32) -> Bool
  ) {
    for unit in walks.indices {
      guard isUsed(unit) else {
        walks[unit] = WalkViews()
        continue
      }
      walks[unit].cut()
      walks[unit].sources.mapValues { isReferred(unit, $0) ? $1 : 0 }
    }
  }
}
