// An order of stores as numbers: equal for two orders if and only if they are equal.

extension StoreOrder {
  /// Calls back with each number.
  package func encode(_ add: (UInt64) -> Void) {
    add(UInt64(words.entries.count))
    for entry in words.entries {
      add(UInt64(entry.word) | UInt64(entry.value.count) << 32)
      for store in entry.value {
        add(store.value)
        add(UInt64(store.time))
      }
    }
    for cpu in cpus { cpu.encode(add) }
    for view in finished { add(UInt64(view)) }
    locks.encode(add) { add(UInt64($0)) }
    callbacks.encode(add) { add(UInt64($0.start) | UInt64($0.view) << 16) }
  }
}

extension WordMap {
  fileprivate func encode(_ add: (UInt64) -> Void, _ encode: (Value) -> Void) {
    add(UInt64(entries.count))
    for entry in entries {
      add(UInt64(entry.word))
      encode(entry.value)
    }
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
    add(pack(oldReads, newReads, oldWrites, releases))
    add(pack(control, graceStart, graceView, callbackEnd))
    add(UInt64(gracePeriod))
    for view in sectionEnds { add(UInt64(view)) }
    add(UInt64(buffer.count))
    for entry in buffer { entry.encode(add, pack(entry.view, entry.readView, entry.pick)) }
  }
}

extension PendingEntry {
  fileprivate func encode(_ add: (UInt64) -> Void, _ views: UInt64) {
    let flags: UInt64 = (isRelease ? 4 : 0) | (isLocking ? 8 : 0) | (isHidden ? 16 : 0)
    let hasOperands = lifetime != 0 || operand != 0
    let kinds = UInt64(kind.rawValue) | flags | (hasOperands ? 32 : 0)
    add(kinds | UInt64(effect) << 8 | UInt64(number) << 32)
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
