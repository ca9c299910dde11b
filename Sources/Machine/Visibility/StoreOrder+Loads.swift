// Loads: which stores they may read, and what that says of loads behind them.

extension StoreOrder {
  /// What a load must not miss.
  ///
  /// - Parameter address: what its address depends on.
  package func viewBeforeLoad(by cpu: Int, address: View, acquiresInOrder: Bool) -> View {
    let view = max(address, cpus[cpu].newReads)
    return acquiresInOrder ? max(view, cpus[cpu].releases) : view
  }

  /// The visible stores to a word that a load may read, as places in its list; the last is the
  /// newest.
  package func readable(_ word: UInt32, by cpu: Int, after view: View) -> Range<Int> {
    let count = words.count(of: word)
    if count < 2 { return 0..<1 }
    let floor = max(view, cpus[cpu].coherence[word])
    return (words.place(word, upTo: floor) ?? 0)..<count
  }

  /// The visible store at a place of a word's list.
  ///
  /// - Parameter value: of a word that has no list.
  package func store(_ word: UInt32, _ place: Int, otherwise value: UInt64) -> VisibleStore {
    words.count(of: word) == 0 ? VisibleStore(value: value, time: 0) : words.store(word, place)
  }

  /// Notes that a CPU reads a visible store; returns the view and the pick view of the result.
  package mutating func readVisible(
    _ word: UInt32, _ store: VisibleStore, after before: View, acquires: Bool, by cpu: Int
  ) -> (view: View, pick: View) {
    let own = cpus[cpu].own[word]
    let isOwn = own.time != 0 && own.time == store.time
    let time = isOwn ? acquires ? max(own.view, own.readView) : own.view : store.time
    cpus[cpu].coherence[word] = max(cpus[cpu].coherence[word], store.time)
    return (max(before, time), isOwn ? own.pick : 0)
  }

  /// The view and the pick view of the result if a CPU reads its own pending store.
  package func readPending(
    _ index: Int, after before: View, acquires: Bool, by cpu: Int
  ) -> (view: View, pick: View) {
    let entry = cpus[cpu].buffer[index]
    return (max(before, acquires ? max(entry.view, entry.readView) : entry.view), entry.pick)
  }

  /// Notes what a load has read, for what is ordered behind it.
  ///
  /// - Parameter isUnused: whether fences for loads do not wait for it.
  package mutating func noteLoad(
    _ view: View, acquires: Bool, isUnused: Bool = false, by cpu: Int
  ) {
    if isUnused {
      cpus[cpu].oldWrites = max(cpus[cpu].oldWrites, view)
    } else {
      cpus[cpu].oldReads = max(cpus[cpu].oldReads, view)
    }
    if acquires { cpus[cpu].see(view) }
  }

  // MARK: Fences

  /// Orders loads before a fence against loads behind it (`DMB LD`).
  package mutating func orderLoads(of cpu: Int) {
    cpus[cpu].see(cpus[cpu].oldReads)
  }

  /// Orders everything before a fence, which is visible, against loads behind it (`DMB SY`).
  package mutating func orderEverything(of cpu: Int) { cpus[cpu].newReads = cpus[cpu].everything }

  /// Orders stores before a fence against stores behind it (`DMB ST`).
  package mutating func orderStores(of cpu: Int) {
    guard cpus[cpu].hasPendingStore else { return noteStoresOrdered(of: cpu) }
    let last = cpus[cpu].buffer.count - 1
    if cpus[cpu].buffer[last].kind == .barrier { return }
    cpus[cpu].buffer.append(PendingEntry(kind: .barrier))
  }

  /// Notes that all stores before a `DMB ST` are visible.
  package mutating func noteStoresOrdered(of cpu: Int) {
    if walks.indices.contains(cpu) {
      walks[cpu].stored = max(walks[cpu].stored, cpus[cpu].oldWrites)
    }
  }
}
