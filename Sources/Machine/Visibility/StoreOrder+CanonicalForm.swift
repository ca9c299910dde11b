// The canonical form: orders with the same futures should be equal.

extension StoreOrder {
  /// Cuts a CPU's views within what loads must not miss anyway, which say nothing more, and those
  /// that nothing asks for later.
  ///
  /// - Parameter hasGracePeriods: whether anybody may ask what a section has seen.
  package mutating func cutViews(of cpu: Int, _ use: FutureUse, hasGracePeriods: Bool) {
    if cpus[cpu].gracePeriod == 0 {
      cpus[cpu].graceStart = 0
      cpus[cpu].graceView = 0
    }
    if !use.loads && !(use.hasSections && hasGracePeriods) {
      cpus[cpu].forgetViews()
      return
    }
    let floor = cpus[cpu].newReads
    func cut(_ view: inout View, keeping isKept: Bool = true) {
      if !isKept || view < floor { view = floor }
    }
    cut(&cpus[cpu].oldReads, keeping: use.ordersReads)
    cut(&cpus[cpu].oldWrites, keeping: use.ordersWrites)
    cut(&cpus[cpu].releases, keeping: use.acquires)
    cut(&cpus[cpu].control, keeping: use.hasISB)
    cpus[cpu].sources.mapValues { $1 <= floor || !use.mayReach($0) ? 0 : $1 }
    let buffer = cpus[cpu].buffer
    func isPending(_ word: UInt32) -> Bool {
      buffer.contains { $0.kind == .store && $0.number == word }
    }
    cpus[cpu].coherence.mapValues { word, view in
      use.mayLoad(word) && view > floor && !isPending(word) ? view : 0
    }
    cpus[cpu].own.mapValues { word, store in
      if !use.mayRead(word) || store.time <= floor || isPending(word) {
        return OwnStore()
      }
      return OwnStore(
        time: store.time, view: max(store.view, floor), readView: max(store.readView, floor),
        pick: use.hasISB ? max(store.pick, floor) : 0)
    }
    for index in buffer.indices where buffer[index].kind == .store {
      let mayBeRead = use.mayRead(buffer[index].number)
      cut(&cpus[cpu].buffer[index].view, keeping: mayBeRead)
      cut(&cpus[cpu].buffer[index].readView, keeping: mayBeRead && buffer[index].isLocking)
      if use.hasISB {
        cut(&cpus[cpu].buffer[index].pick)
      } else {
        cpus[cpu].buffer[index].pick = 0
      }
    }
  }

  /// Forgets what was known at the ends of sections, where nobody waits for grace periods.
  package mutating func forgetSectionEnds() {
    for cpu in cpus.indices {
      for domain in cpus[cpu].sectionEnds.indices { cpus[cpu].sectionEnds[domain] = 0 }
    }
  }

  /// Forgets all but the latest values of each word; false if there are no more of any.
  package mutating func limitValues(to most: Int) -> Bool {
    guard words.entries.contains(where: { $0.value.count > most }) else { return false }
    words.mapValues { $1.count > most ? Array($1.suffix(most)) : $1 }
    return true
  }

  /// Forgets visible stores that no CPU can read any more.
  ///
  /// - Parameters:
  ///   - uses: what each CPU may still do.
  ///   - isWalked: whether walks of a unit may read a word.
  package mutating func dropUnreadableStores(
    _ uses: [FutureUse], isWalked: (_ unit: Int, UInt32) -> Bool = { _, _ in false }
  ) {
    var kept = words
    kept.mapValues { word, stores in
      guard stores.count > 1 else { return stores }
      var first = stores.count - 1
      for cpu in cpus.indices
      where uses[cpu].mayLoad(word) && cpus[cpu].newestPending(word) == nil {
        let floor = max(cpus[cpu].newReads, cpus[cpu].coherence[word])
        first = min(first, stores.lastIndex { $0.time <= floor } ?? 0)
      }
      for unit in walks.indices where isWalked(unit, word) {
        let floor = max(walks[unit].floor, walks[unit].missed[word])
        first = min(first, stores.lastIndex { $0.time <= floor } ?? 0)
      }
      return Array(stores[first...])
    }
    words = kept
    for unit in walks.indices { walks[unit].missed.mapValues { kept[$0].count > 1 ? $1 : 0 } }
    for cpu in cpus.indices { cpus[cpu].entries.mapValues { kept[$0].count > 1 ? $1 : 0 } }
    for cpu in cpus.indices where !cpus[cpu].own.entries.isEmpty {
      let coherence = cpus[cpu].coherence
      cpus[cpu].own.mapValues { word, store in
        let isThere = kept[word].contains { $0.time == store.time }
        return isThere && coherence[word] <= store.time ? store : OwnStore()
      }
    }
  }

  /// Replaces each time by the number of stores at or before it that may still be told apart.
  ///
  /// Returns what became of times; nil if they stay as they are.
  @discardableResult
  package mutating func rankTimes() -> ((View) -> View)? {
    var times: [View] = []
    for entry in words.entries { for store in entry.value.dropFirst() { times.append(store.time) } }
    for invalidation in invalidations { times.append(invalidation.time) }
    times.sort()
    if times.last.map(Int.init) ?? 0 == times.count, Int(now) == times.count { return nil }
    let sorted = times
    func rank(_ time: View) -> View { View(sorted.count { $0 <= time }) }
    words.mapValues { _, stores in
      stores.map { VisibleStore(value: $0.value, time: rank($0.time), message: $0.message) }
    }
    for cpu in cpus.indices { cpus[cpu].mapViews(rank) }
    for unit in walks.indices { walks[unit].mapViews(rank) }
    for index in invalidations.indices { invalidations[index].mapViews(rank) }
    finished = finished.map(rank)
    locks.mapValues { rank($1) }
    callbacks.mapValues { CallbackViews(start: rank($1.start), view: rank($1.view)) }
    now = View(sorted.count)
    return rank
  }

  /// Forgets words with one value that nobody may miss, and views that all have passed.
  ///
  /// For hosts that know the newest value of every word.
  package mutating func forgetSettledWords(
    _ uses: [FutureUse], isUsed: (_ unit: Int) -> Bool = { _ in true },
    isWalked: (_ unit: Int, UInt32) -> Bool = { _, _ in false }
  ) {
    let walks = walks
    let least = walks.indices.filter(isUsed).map { walks[$0].floor }.min() ?? now
    var floor = now
    for cpu in cpus.indices where uses[cpu].loads { floor = min(floor, cpus[cpu].newReads) }
    words.mapValues { word, stores in
      guard stores.count == 1, stores[0].time <= floor else { return stores }
      let isSettled = walks.indices.allSatisfy {
        stores[0].time <= walks[$0].floor || !isWalked($0, word)
      }
      return isSettled ? [] : stores
    }
    // Writing only what changes saves copies of what other states share.
    func cut(_ view: inout View) { if view != 0, view <= floor { view = 0 } }
    for domain in finished.indices { cut(&finished[domain]) }
    locks.mapValues { $1 <= floor ? 0 : $1 }
    callbacks.mapValues {
      CallbackViews(start: $1.start <= floor ? 0 : $1.start, view: $1.view <= floor ? 0 : $1.view)
    }
    for cpu in cpus.indices {
      for domain in cpus[cpu].sectionEnds.indices { cut(&cpus[cpu].sectionEnds[domain]) }
      cut(&cpus[cpu].callbackEnd)
      if cpus[cpu].synchronised <= least { cpus[cpu].synchronised = 0 }
      cut(&cpus[cpu].graceStart)
      cut(&cpus[cpu].graceView)
    }
  }
}

extension CPUViews {
  /// Forgets the views of a CPU that loads nothing more; grace periods may still ask for those at
  /// the ends of its sections and callbacks.
  fileprivate mutating func forgetViews() {
    let (ends, end, entries) = (sectionEnds, callbackEnd, entries)
    mapViews { _ in 0 }
    (sectionEnds, callbackEnd, self.entries) = (ends, end, entries)
  }

  /// Replaces each view.
  package mutating func mapViews(_ map: (View) -> View) {
    coherence.mapValues { map($1) }
    sources.mapValues { map($1) }
    entries.mapValues { map($1) }
    own.mapValues { _, store in
      let time = map(store.time)
      if time == 0 { return OwnStore() }
      return OwnStore(
        time: time, view: map(store.view), readView: map(store.readView), pick: map(store.pick))
    }
    oldReads = map(oldReads)
    newReads = map(newReads)
    oldWrites = map(oldWrites)
    releases = map(releases)
    control = map(control)
    for domain in sectionEnds.indices { sectionEnds[domain] = map(sectionEnds[domain]) }
    for index in buffer.indices {
      buffer[index].view = map(buffer[index].view)
      buffer[index].readView = map(buffer[index].readView)
      buffer[index].pick = map(buffer[index].pick)
      buffer[index].translation?.mapViews(map)
    }
    graceStart = map(graceStart)
    graceView = map(graceView)
    callbackEnd = map(callbackEnd)
    synchronised = map(synchronised)
  }
}
