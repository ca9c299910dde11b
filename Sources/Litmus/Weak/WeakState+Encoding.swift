// A state as words: equal for two states if and only if they are equal.

extension WeakState {
  /// Calls back with each word.
  func encode(_ add: (UInt64) -> Void) {
    for stores in words {
      add(UInt64(stores.count))
      for store in stores {
        add(store.value)
        add(UInt64(store.time))
      }
    }
    for process in processes { process.encode(add) }
    for section in sections { add((section.isOpen ? 1 : 0) | UInt64(section.waiters) << 1) }
    for view in finished { add(UInt64(view)) }
  }
}

extension WeakProcess {
  fileprivate func encode(_ add: (UInt64) -> Void) {
    func pack(_ a: View, _ b: View, _ c: View = 0, _ d: View = 0) -> UInt64 {
      UInt64(a) | UInt64(b) << 16 | UInt64(c) << 32 | UInt64(d) << 48
    }
    add(
      UInt64(counter) | UInt64(depth) << 32 | UInt64(gracePeriod) << 40 | (isStuck ? 1 << 48 : 0))
    for register in registers {
      add(register.value)
      add(pack(register.view, register.pick))
    }
    for word in coherence.indices {
      add(UInt64(coherence[word]))
      add(pack(own[word].time, own[word].view, own[word].readView, own[word].pick))
    }
    add(pack(oldReads, newReads, oldWrites, releases))
    add(pack(control, graceStart, graceView))
    for view in sectionEnds { add(UInt64(view)) }
    add(UInt64(buffer.count))
    for entry in buffer {
      add(
        UInt64(entry.kind.rawValue) | (entry.isRelease ? 4 : 0) | (entry.isLocking ? 8 : 0)
          | UInt64(entry.number) << 8 | UInt64(entry.waiters) << 16)
      add(entry.value)
      add(pack(entry.view, entry.readView, entry.pick))
    }
    guard let monitor else { return add(0) }
    add(1 | UInt64(monitor.word) << 8 | UInt64(monitor.pending) << 16 | UInt64(monitor.view) << 32)
  }
}
