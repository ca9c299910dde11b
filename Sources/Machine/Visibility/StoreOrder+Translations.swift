// Translations of accesses: which entries they may use, before and after invalidations.

/// An invalidation of what walks have cached, issued or completed.
package struct Invalidation: BitwiseCopyable, Equatable, Sendable {
  package var cpu: Int
  /// The entry; nil for all of them.
  package var word: UInt32?
  /// Only the walks of its own CPU.
  package var isLocal: Bool
  /// What came before it: entries that were replaced by then are gone for walks behind it.
  package var view: View
  /// The time at which it was complete; 0 before that.
  package var time: View = 0

  package init(cpu: Int, word: UInt32?, isLocal: Bool, view: View) {
    self.cpu = cpu
    self.word = word
    self.isLocal = isLocal
    self.view = view
  }

  func covers(_ entry: UInt32, of other: Int) -> Bool {
    (word == nil || word == entry) && (!isLocal || other == cpu)
  }

  mutating func mapViews(_ map: (View) -> View) {
    view = map(view)
    time = map(time)
  }
}

/// An entry that an access has been translated by.
package struct Translation: BitwiseCopyable, Equatable, Sendable {
  package var entry: UInt32
  /// The time of the store that wrote the entry.
  package var time: View
  /// What the access depends on through its walk.
  package var view: View
  /// What the access must come before, since an invalidation that is complete by now came after its
  /// walk; nil if there is no such thing.
  package var limit: View?

  package mutating func mapViews(_ map: (View) -> View) {
    time = map(time)
    view = map(view)
    limit = limit.map(map)
  }
}

/// An access that is to be translated.
package struct TranslatedAccess {
  /// The entry of its page.
  package var entry: UInt32
  /// What its walk must not miss.
  package var walkView: View
  /// What the access itself must not miss.
  package var view: View
  /// Whether it stores, and so comes after all that has become visible by now.
  package var stores: Bool

  package init(entry: UInt32, walkView: View, view: View, stores: Bool) {
    self.entry = entry
    self.walkView = walkView
    self.view = view
    self.stores = stores
  }
}

extension StoreOrder {
  /// The translation by the entry at a place of its list of visible stores; nil if that cannot be.
  ///
  /// An entry that is valid may have been cached at any moment before it was replaced and
  /// invalidated. One that leads to a fault is never cached, so a walk has to find it.
  package func translation(
    of access: TranslatedAccess, by cpu: Int, _ place: Int, faults: Bool
  ) -> Translation? {
    let time = words.store(access.entry, place).time
    var result = Translation(
      entry: access.entry, time: time, view: max(access.walkView, time), limit: nil)
    guard place + 1 < words.count(of: access.entry) else { return result }
    let end = words.store(access.entry, place + 1).time
    if faults, end <= access.walkView { return nil }
    for known in invalidations where known.covers(access.entry, of: cpu) && end <= known.view {
      // The walk came before it, and so before all that follows the barrier behind it.
      if known.cpu == cpu {
        if access.walkView >= known.time { return nil }
        continue
      }
      let earlier = faults ? 0 : walks[cpu].found
      if max(result.view, access.view, earlier) >= known.time { return nil }
      if access.stores, !faults { return nil }
      result.limit = min(result.limit ?? known.time, known.time)
    }
    return result
  }

  /// True if an invalidation that is about to be complete has to wait for a translation by an entry
  /// that was replaced before it.
  package func mustWait(
    _ invalidation: Invalidation, for translation: Translation, of cpu: Int
  ) -> Bool {
    cpu != invalidation.cpu && invalidation.covers(translation.entry, of: cpu)
      && words[translation.entry].contains {
        $0.time > translation.time && $0.time <= invalidation.view
      }
  }

  /// Completes the invalidations that a CPU has issued; nothing is left that they wait for.
  package mutating func completeInvalidations(of cpu: Int) {
    now += 1
    for var invalidation in walks[cpu].issued {
      invalidation.time = now
      invalidations.append(invalidation)
    }
    walks[cpu].issued.removeAll()
    if invalidations.count > Self.entriesMax { hasMetCap = true }
    cpus[cpu].oldReads = max(cpus[cpu].oldReads, now)
  }

  /// Waits for what came before (`DSB`), up to a view: all behind it comes later, and walks do once
  /// an `ISB` follows, or with FEAT_ETS2 at once.
  package mutating func synchronise(_ cpu: Int, upTo view: View, hasETS2: Bool) {
    cpus[cpu].see(view)
    cpus[cpu].control = max(cpus[cpu].control, view)
    cpus[cpu].synchronised = max(cpus[cpu].synchronised, view)
    if hasETS2 { walks[cpu].floor = max(walks[cpu].floor, view) }
  }

  /// Lets what comes behind an `ISB`, or a fault, depend on all that decided about it.
  package mutating func orderInstructions(of cpu: Int) {
    cpus[cpu].see(cpus[cpu].control)
    guard !walks.isEmpty else { return }
    cpus[cpu].synchronised = max(cpus[cpu].synchronised, cpus[cpu].control)
    walks[cpu].floor = max(walks[cpu].floor, cpus[cpu].control)
  }
}
