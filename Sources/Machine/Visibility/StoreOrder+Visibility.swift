// When stores become visible, and which must wait for which.

extension StoreOrder {
  /// Makes a store visible after all others, and returns its time.
  ///
  /// - Parameters:
  ///   - old: the value of a word that has no list.
  ///   - message: what the host says of the store; `oldMessage` of a word that has no list.
  package mutating func append(
    _ value: UInt64, to word: UInt32, over old: UInt64, saying message: UInt32 = 0,
    above oldMessage: UInt32 = 0
  ) -> View {
    now += 1
    words.append(
      VisibleStore(value: value, time: now, message: message), to: word,
      above: VisibleStore(value: old, time: 0, message: oldMessage))
    if words.count(of: word) > Self.entriesMax { hasMetCap = true }
    return now
  }

  /// True if another CPU's read-modify-write keeps a word to itself.
  package func isLocked(_ word: UInt32, for cpu: Int) -> Bool {
    for other in cpus.indices where other != cpu && cpus[other].locks(word) { return true }
    return false
  }

  /// True if a pending store may become visible next.
  package func canFlush(_ index: Int, of cpu: Int, inOrder: Bool = false) -> Bool {
    let number = cpus[cpu].buffer[index].number
    let isRelease = cpus[cpu].buffer[index].isRelease
    guard cpus[cpu].buffer[index].kind == .store, !cpus[cpu].buffer[index].isHidden else {
      return false
    }
    for earlier in 0..<index {
      let kind = cpus[cpu].buffer[earlier].kind
      if kind == .sectionEnd || cpus[cpu].buffer[earlier].isHidden { continue }
      if inOrder || kind == .barrier || isRelease { return false }
      if kind == .store && cpus[cpu].buffer[earlier].number == number { return false }
    }
    return !isLocked(number, for: cpu)
  }

  /// The pending stores of a CPU that may become visible next, by their places.
  package func flushable(of cpu: Int, inOrder: Bool = false) -> [Int] {
    var places = Row<Int>()
    defer { places.deallocate() }
    findFlushable(of: cpu, inOrder: inOrder, &places)
    return Array(places)
  }

  /// The same, in a row that has room.
  func findFlushable(of cpu: Int, inOrder: Bool = false, _ places: inout Row<Int>) {
    places.removeAll()
    let mayHaveCycle = hasLocks(besides: cpu)
    for index in cpus[cpu].buffer.indices where canFlush(index, of: cpu, inOrder: inOrder) {
      if mayHaveCycle, mayCloseCycle(index, of: cpu) {
        var copy = copy()
        defer { copy.deallocate() }
        copy.cpus[cpu].buffer.remove(at: index)
        if copy.hasCycle { continue }
      }
      places.append(index)
    }
  }

  /// True if a store of a CPU that becomes visible may leave a circle of those that must precede
  /// each other.
  package func mayCloseCycle(of cpu: Int) -> Bool {
    for index in cpus[cpu].buffer.indices
    where cpus[cpu].buffer[index].kind == .store && !cpus[cpu].buffer[index].isHidden
      && mayCloseCycle(index, of: cpu)
    {
      return true
    }
    return false
  }

  /// True if the next pending store to the word locks it from then on.
  private func mayCloseCycle(_ index: Int, of cpu: Int) -> Bool {
    let word = cpus[cpu].buffer[index].number
    for next in index + 1..<cpus[cpu].buffer.count
    where cpus[cpu].buffer[next].kind == .store && cpus[cpu].buffer[next].number == word {
      return cpus[cpu].buffer[next].isLocking
    }
    return false
  }

  /// Makes a pending store visible, and returns it.
  ///
  /// - Parameters:
  ///   - old: the value of a word that has no list.
  ///   - oldMessage: what the host says of it.
  package mutating func flush(
    _ index: Int, of cpu: Int, over old: UInt64, above oldMessage: UInt32 = 0
  ) -> PendingEntry {
    let entry = cpus[cpu].buffer[index]
    let time = append(
      entry.value, to: entry.number, over: old, saying: entry.message, above: oldMessage)
    noteVisible(entry, at: time, by: cpu)
    for place in index + 1..<cpus[cpu].buffer.count
    where cpus[cpu].buffer[place].kind == .sectionEnd {
      let end = cpus[cpu].buffer[place]
      let domain = Int(end.number)
      cpus[cpu].sectionEnds[domain] = max(cpus[cpu].sectionEnds[domain], time)
      raiseGracePeriods(end.waiters, end.callbacks, to: time)
    }
    cpus[cpu].buffer.remove(at: index)
    return entry
  }

  /// Notes that a store of a CPU has become visible.
  package mutating func noteVisible(_ entry: PendingEntry, at time: View, by cpu: Int) {
    cpus[cpu].coherence[entry.number] = time
    cpus[cpu].oldWrites = max(cpus[cpu].oldWrites, time)
    if entry.isRelease { cpus[cpu].releases = max(cpus[cpu].releases, time) }
    cpus[cpu].own[entry.number] = OwnStore(
      time: time, view: entry.view, readView: entry.readView, pick: max(entry.view, entry.pick))
  }

  /// Stores at once, as a barrier both ways; nothing is pending.
  package mutating func storeAtOnce(
    _ value: UInt64, to word: UInt32, over old: UInt64, saying message: UInt32 = 0,
    above oldMessage: UInt32 = 0, by cpu: Int
  ) {
    let time = append(value, to: word, over: old, saying: message, above: oldMessage)
    cpus[cpu].coherence[word] = time
    cpus[cpu].oldWrites = max(cpus[cpu].oldWrites, time)
    cpus[cpu].releases = max(cpus[cpu].releases, time)
    cpus[cpu].own[word] = OwnStore(time: time, view: time, readView: time, pick: time)
    cpus[cpu].newReads = cpus[cpu].everything
  }

  /// Lets grace periods end with at least this view: those of CPUs, and those of callbacks.
  package mutating func raiseGracePeriods(_ waiters: UInt64, _ others: UInt64, to view: View) {
    for cpu in cpus.indices where waiters >> UInt64(cpu) & 1 == 1 {
      cpus[cpu].graceView = max(cpus[cpu].graceView, view)
    }
    if others == 0 { return }
    for number in 0..<UInt32(64) where others >> UInt64(number) & 1 == 1 {
      callbacks[number].view = max(callbacks[number].view, view)
    }
  }

  // MARK: Read-modify-writes

  /// True if a read-modify-write may store now, whatever it reads.
  package func mayUpdate(
    _ word: UInt32, acquiresInOrder: Bool, isFull: Bool, by cpu: Int
  ) -> Bool {
    if isFull { return !cpus[cpu].hasPendingStore && !isLocked(word, for: cpu) }
    if acquiresInOrder, cpus[cpu].hasPendingRelease { return false }
    let newest = cpus[cpu].newestPending(word)
    for index in (newest ?? 0)..<cpus[cpu].buffer.count
    where cpus[cpu].buffer[index].kind == .barrier {
      return false
    }
    return newest != nil || !isLocked(word, for: cpu)
  }

  /// True if a release may be put in a buffer without closing a cycle.
  package func mayRelease(_ entry: PendingEntry, by cpu: Int) -> Bool {
    guard entry.isRelease, cpus[cpu].hasPendingStore, hasLocks(besides: cpu) else { return true }
    var copy = copy()
    defer { copy.deallocate() }
    copy.cpus[cpu].buffer.append(entry)
    return !copy.hasCycle
  }

  // MARK: Cycles

  /// True if another CPU keeps a word to itself: a circle leads from one CPU to another by way of
  /// words that they keep to themselves.
  private func hasLocks(besides cpu: Int) -> Bool {
    for other in cpus.indices where other != cpu {
      for index in cpus[other].buffer.indices where cpus[other].buffer[index].isLocking {
        return true
      }
    }
    return false
  }

  /// True if pending stores must become visible before each other in a circle.
  ///
  /// Only read-modify-writes with release can bring that about, by keeping words to themselves
  /// while they wait for stores before them. Such an execution has no end.
  package var hasCycle: Bool {
    guard cpus.count(where: { $0.buffer.contains(where: \.isLocking) }) > 1 else { return false }
    var nodes: [(cpu: Int, index: Int)] = []
    for cpu in cpus.indices {
      for index in cpus[cpu].buffer.indices where cpus[cpu].buffer[index].isAwaited {
        nodes.append((cpu, index))
      }
    }
    // Remove stores that none of the others must precede, until there is no such store left.
    var left = Array(nodes.indices)
    while true {
      let kept = left.filter { node in
        left.contains { mustPrecede(nodes[$0], nodes[node]) }
      }
      if kept.isEmpty { return false }
      if kept.count == left.count { return true }
      left = kept
    }
  }

  private func mustPrecede(_ a: (cpu: Int, index: Int), _ b: (cpu: Int, index: Int)) -> Bool {
    let buffer = cpus[a.cpu].buffer
    let first = buffer[a.index]
    let second = cpus[b.cpu].buffer[b.index]
    if a.cpu == b.cpu {
      guard a.index < b.index else { return false }
      return first.number == second.number || second.isRelease
        || buffer[a.index..<b.index].contains { $0.kind == .barrier }
    }
    return first.number == second.number && first.isLocking
      && !buffer[..<a.index].contains { $0.kind == .store && $0.number == first.number }
  }
}
