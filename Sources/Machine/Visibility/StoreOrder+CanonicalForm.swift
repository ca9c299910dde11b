// The canonical form: orders with the same futures should be equal.

extension StoreOrder {
  /// Cuts a CPU's views within what loads must not miss anyway, which say nothing more, and those
  /// that nothing asks for later.
  ///
  /// - Parameter hasGracePeriods: whether anybody may ask what a section has seen.
  package mutating func cutViews(of cpu: Int, _ use: FutureUse, hasGracePeriods: Bool) {
    cpus[cpu].cutViews(use, mayBeSeen: use.hasSections && hasGracePeriods)
  }

  /// Forgets what was known at the ends of sections, where nobody waits for grace periods.
  package mutating func forgetSectionEnds() {
    for cpu in cpus.indices {
      for domain in cpus[cpu].sectionEnds.indices { cpus[cpu].sectionEnds[domain] = 0 }
    }
  }

  /// Forgets all but the latest values of each word; false if there are no more of any.
  package mutating func limitValues(to most: Int) -> Bool {
    var isMore = false
    for index in words.entries.indices {
      let count = words.count(at: index)
      if count <= most { continue }
      words.removeFirst(count - most, at: index)
      isMore = true
    }
    return isMore
  }

  /// Forgets visible stores that no CPU can read any more.
  ///
  /// - Parameters:
  ///   - uses: what each CPU may still do.
  ///   - isWalked: whether walks of a unit may read a word.
  package mutating func dropUnreadableStores(
    _ uses: [FutureUse], isWalked: (_ unit: Int, UInt32) -> Bool = { _, _ in false }
  ) {
    for index in words.entries.indices where words.count(at: index) > 1 {
      let word = words.entries[index].word
      var first = words.count(at: index) - 1
      for cpu in cpus.indices
      where uses[cpu].mayLoad(word) && cpus[cpu].newestPending(word) == nil {
        let floor = max(cpus[cpu].newReads, cpus[cpu].coherence[word])
        first = min(first, words.place(at: index, upTo: floor) ?? 0)
      }
      for unit in walks.indices where isWalked(unit, word) {
        let floor = max(walks[unit].floor, walks[unit].missed[word])
        first = min(first, words.place(at: index, upTo: floor) ?? 0)
      }
      words.removeFirst(first, at: index)
    }
    for unit in walks.indices { walks[unit].missed.mapValues { words.count(of: $0) > 1 ? $1 : 0 } }
    for cpu in cpus.indices {
      cpus[cpu].entries.mapValues { words.count(of: $0) > 1 ? $1 : 0 }
      for index in cpus[cpu].own.entries.indices.reversed() {
        let word = cpus[cpu].own.entries[index].word
        let time = cpus[cpu].own.entries[index].value.time
        if cpus[cpu].coherence[word] <= time, words.contains(word, at: time) { continue }
        cpus[cpu].own.remove(at: index)
      }
    }
  }

  /// Replaces each time by the number of stores at or before it that may still be told apart.
  ///
  /// Returns what became of times; nil if they stay as they are.
  package mutating func rankTimes() -> ((View) -> View)? {
    var ranks: [View] = []
    guard rankTimes(&ranks) else { return nil }
    return { [ranks] in ranks[min(Int($0), ranks.count - 1)] }
  }

  /// The same, with an array that has room: per time, what became of it; false if all times stay as
  /// they are.
  mutating func rankTimes(_ ranks: inout [View]) -> Bool {
    var (count, last) = (0, 0)
    words.eachLater { (count, last) = (count + 1, max(last, Int($0.time))) }
    for index in invalidations.indices {
      (count, last) = (count + 1, max(last, Int(invalidations[index].time)))
    }
    if last == count, Int(now) == count { return false }
    ranks.removeAll(keepingCapacity: true)
    for _ in 0...Int(now) { ranks.append(0) }
    words.eachLater { ranks[Int($0.time)] += 1 }
    for index in invalidations.indices { ranks[Int(invalidations[index].time)] += 1 }
    for time in 1..<ranks.count { ranks[time] += ranks[time - 1] }
    ranks.withUnsafeBufferPointer { ranks in mapTimes { ranks[min(Int($0), ranks.count - 1)] } }
    now = View(count)
    return true
  }

  private mutating func mapTimes(_ rank: (View) -> View) {
    words.mapTimes(rank)
    for cpu in cpus.indices { cpus[cpu].mapViews(rank) }
    for unit in walks.indices { walks[unit].mapViews(rank) }
    for index in invalidations.indices { invalidations[index].mapViews(rank) }
    for domain in finished.indices { finished[domain] = rank(finished[domain]) }
    locks.mapValues { rank($1) }
    callbacks.mapValues { CallbackViews(start: rank($1.start), view: rank($1.view)) }
  }

  /// Forgets words with one value that nobody may miss, and views that all have passed.
  ///
  /// For hosts that know the newest value of every word.
  package mutating func forgetSettledWords(
    _ uses: [FutureUse], isUsed: (_ unit: Int) -> Bool = { _ in true },
    isWalked: (_ unit: Int, UInt32) -> Bool = { _, _ in false }
  ) {
    var least: View?
    for unit in walks.indices where isUsed(unit) {
      least = min(least ?? walks[unit].floor, walks[unit].floor)
    }
    let walked = least ?? now
    var floor = now
    for cpu in cpus.indices where uses[cpu].loads { floor = min(floor, cpus[cpu].newReads) }
    for index in words.entries.indices.reversed()
    where words.count(at: index) == 1 && words.store(at: index, 0).time <= floor {
      let (word, time) = (words.entries[index].word, words.store(at: index, 0).time)
      var isSettled = true
      for unit in walks.indices where time > walks[unit].floor && isWalked(unit, word) {
        isSettled = false
      }
      if isSettled { words.remove(at: index) }
    }
    func cut(_ view: inout View) { if view != 0, view <= floor { view = 0 } }
    for domain in finished.indices { cut(&finished[domain]) }
    locks.mapValues { $1 <= floor ? 0 : $1 }
    callbacks.mapValues {
      CallbackViews(start: $1.start <= floor ? 0 : $1.start, view: $1.view <= floor ? 0 : $1.view)
    }
    for cpu in cpus.indices {
      for domain in cpus[cpu].sectionEnds.indices { cut(&cpus[cpu].sectionEnds[domain]) }
      cut(&cpus[cpu].callbackEnd)
      if cpus[cpu].synchronised <= walked { cpus[cpu].synchronised = 0 }
      cut(&cpus[cpu].graceStart)
      cut(&cpus[cpu].graceView)
    }
  }
}

extension CPUViews {
  /// Cuts views within what loads must not miss anyway, and those that nothing asks for later.
  ///
  /// - Parameter mayBeSeen: whether anybody may ask what a section has seen.
  fileprivate mutating func cutViews(_ use: FutureUse, mayBeSeen: Bool) {
    if gracePeriod == 0 { (graceStart, graceView) = (0, 0) }
    if !use.loads && !mayBeSeen { return forgetViews() }
    let floor = newReads
    func cut(_ view: inout View, keeping isKept: Bool = true) {
      if !isKept || view < floor { view = floor }
    }
    cut(&oldReads, keeping: use.ordersReads)
    cut(&oldWrites, keeping: use.ordersWrites)
    cut(&releases, keeping: use.acquires)
    cut(&control, keeping: use.hasISB)
    sources.mapValues { $1 <= floor || !use.mayReach($0) ? 0 : $1 }
    for index in coherence.entries.indices.reversed() {
      let (word, view) = (coherence.entries[index].word, coherence.entries[index].value)
      if use.mayLoad(word), view > floor, newestPending(word) == nil { continue }
      coherence.remove(at: index)
    }
    for index in own.entries.indices.reversed() {
      let (word, store) = (own.entries[index].word, own.entries[index].value)
      guard use.mayRead(word), store.time > floor, newestPending(word) == nil else {
        own.remove(at: index)
        continue
      }
      own[word] = OwnStore(
        time: store.time, view: max(store.view, floor), readView: max(store.readView, floor),
        pick: use.hasISB ? max(store.pick, floor) : 0)
    }
    for index in buffer.indices where buffer[index].kind == .store {
      let mayBeRead = use.mayRead(buffer[index].number)
      cut(&buffer[index].view, keeping: mayBeRead)
      cut(&buffer[index].readView, keeping: mayBeRead && buffer[index].isLocking)
      if use.hasISB { cut(&buffer[index].pick) } else { buffer[index].pick = 0 }
    }
  }

  /// Forgets the views of a CPU that loads nothing more; grace periods may still ask for those at
  /// the ends of its sections and callbacks.
  mutating func forgetViews() {
    coherence.removeAll()
    own.removeAll()
    sources.removeAll()
    (oldReads, newReads, oldWrites, releases, control) = (0, 0, 0, 0, 0)
    (graceStart, graceView, synchronised) = (0, 0, 0)
    for index in buffer.indices { buffer[index].mapViews { _ in 0 } }
  }

  /// Replaces each view, and the times of its own stores.
  package mutating func mapViews(_ map: (View) -> View) {
    own.mapValues { _, store in
      var store = store
      store.time = map(store.time)
      return store.time == 0 ? OwnStore() : store
    }
    mapOwnViews(map) { map($1) }
    mapSharedViews(map)
    // With hardware walks.
    entries.mapValues { map($1) }
    synchronised = map(synchronised)
  }

  /// Replaces the views that only the CPU itself uses.
  ///
  /// - Parameter mapOfWord: for what it has read and written of a word.
  mutating func mapOwnViews(_ map: (View) -> View, ofWord mapOfWord: (UInt32, View) -> View) {
    coherence.mapValues(mapOfWord)
    sources.mapValues { map($1) }
    own.mapValues { _, store in
      OwnStore(
        time: store.time, view: map(store.view), readView: map(store.readView),
        pick: map(store.pick))
    }
    oldReads = map(oldReads)
    newReads = map(newReads)
    oldWrites = map(oldWrites)
    releases = map(releases)
    control = map(control)
    for index in buffer.indices { buffer[index].mapViews(map) }
  }

  /// Replaces the views that others may come to have.
  mutating func mapSharedViews(_ map: (View) -> View) {
    for domain in sectionEnds.indices { sectionEnds[domain] = map(sectionEnds[domain]) }
    graceStart = map(graceStart)
    graceView = map(graceView)
    callbackEnd = map(callbackEnd)
  }
}

extension PendingEntry {
  fileprivate mutating func mapViews(_ map: (View) -> View) {
    view = map(view)
    readView = map(readView)
    pick = map(pick)
    translation?.mapViews(map)
  }
}
