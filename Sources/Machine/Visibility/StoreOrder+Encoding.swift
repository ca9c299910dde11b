// An order of stores as numbers: equal for two orders if and only if they are equal.

extension StoreOrder {
  /// Calls back with each number.
  package func encode(_ add: (UInt64) -> Void) {
    add(UInt64(words.entries.count))
    for index in words.entries.indices {
      let count = words.count(at: index)
      add(UInt64(words.entries[index].word) | UInt64(count) << 32)
      for place in 0..<count {
        let store = words.store(at: index, place)
        add(store.value)
        add(UInt64(store.time))
      }
    }
    for cpu in cpus.indices { cpus[cpu].encode(add) }
    for domain in finished.indices { add(UInt64(finished[domain])) }
    locks.encode(add) { add(UInt64($0)) }
    callbacks.encode(add) { add(UInt64($0.start) | UInt64($0.view) << 16) }
    for unit in walks.indices { walks[unit].encode(add) }
    for index in invalidations.indices { invalidations[index].encode(add) }
  }
}

extension WordMap {
  fileprivate func encode(_ add: (UInt64) -> Void, _ encode: (Value) -> Void) {
    add(UInt64(entries.count))
    for index in entries.indices {
      add(UInt64(entries[index].word))
      encode(entries[index].value)
    }
  }
}

extension WalkViews {
  fileprivate func encode(_ add: (UInt64) -> Void) {
    add(UInt64(floor) | UInt64(found) << 16 | UInt64(branches) << 32 | UInt64(stored) << 48)
    add(UInt64(issued.count))
    for index in issued.indices { issued[index].encode(add) }
    missed.encode(add) { add(UInt64($0)) }
    sources.encode(add) { add(UInt64($0)) }
  }
}

extension Invalidation {
  fileprivate func encode(_ add: (UInt64) -> Void) {
    add(UInt64(cpu) | (isLocal ? 1 << 8 : 0) | (word.map { UInt64($0) + 1 } ?? 0) << 16)
    add(UInt64(view) | UInt64(time) << 16)
  }
}

extension Translation {
  package func encode(_ add: (UInt64) -> Void) {
    add(UInt64(entry) | UInt64(time) << 32 | UInt64(view) << 48)
    add(limit.map { UInt64($0) + 1 } ?? 0)
  }
}

extension CPUViews {
  fileprivate func encode(_ add: (UInt64) -> Void) {
    func pack(_ a: View, _ b: View, _ c: View = 0, _ d: View = 0) -> UInt64 {
      UInt64(a) | UInt64(b) << 16 | UInt64(c) << 32 | UInt64(d) << 48
    }
    coherence.encode(add) { add(UInt64($0)) }
    own.encode(add) { add(pack($0.time, $0.view, $0.readView, $0.pick)) }
    sources.encode(add) { add(UInt64($0)) }
    entries.encode(add) { add(UInt64($0)) }
    add(pack(oldReads, newReads, oldWrites, releases))
    add(pack(control, graceStart, graceView, callbackEnd))
    add(UInt64(gracePeriod) | UInt64(synchronised) << 16)
    for domain in sectionEnds.indices { add(UInt64(sectionEnds[domain])) }
    add(UInt64(buffer.count))
    for index in buffer.indices {
      buffer[index].encode(
        add, pack(buffer[index].view, buffer[index].readView, buffer[index].pick))
    }
  }
}

extension PendingEntry {
  fileprivate func encode(_ add: (UInt64) -> Void, _ views: UInt64) {
    var flags: UInt64 = (isRelease ? 4 : 0) | (isLocking ? 8 : 0) | (isHidden ? 16 : 0)
    if isRecent { flags |= 128 }
    let hasOperands = lifetime != 0 || operand != 0
    let kinds = UInt64(kind.rawValue) | flags | (hasOperands ? 32 : 0)
    add(kinds | (translation == nil ? 0 : 64) | UInt64(effect) << 8 | UInt64(number) << 32)
    translation?.encode(add)
    add(value)
    add(views)
    if kind == .sectionEnd {
      add(waiters)
      add(callbacks)
    }
    if hasOperands {
      add(UInt64(lifetime))
      add(operand)
    }
  }
}
