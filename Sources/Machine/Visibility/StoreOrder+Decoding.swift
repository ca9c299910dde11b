// An order of stores from its numbers, into the arrays of another one.

/// Reads numbers, one after the other.
struct NumberReader {
  private var place: UnsafePointer<UInt64>
  private let end: UnsafePointer<UInt64>

  init(_ numbers: UnsafeBufferPointer<UInt64>) {
    guard let start = numbers.baseAddress else { fatalError("[internal] an order has no numbers") }
    place = start
    end = start + numbers.count
  }

  var isAtEnd: Bool { place == end }

  mutating func next() -> UInt64 {
    precondition(place < end, "[internal] an order has too few numbers")
    defer { place += 1 }
    return place.pointee
  }

  mutating func nextView() -> View { View(truncatingIfNeeded: next()) }

  /// Four views of one number.
  mutating func nextViews() -> (View, View, View, View) {
    let bits = next()
    return (
      View(truncatingIfNeeded: bits), View(truncatingIfNeeded: bits >> 16),
      View(truncatingIfNeeded: bits >> 32), View(truncatingIfNeeded: bits >> 48)
    )
  }
}

extension StoreOrder {
  package mutating func decode(_ numbers: [UInt64]) {
    numbers.withUnsafeBufferPointer { decode($0) }
  }

  /// Becomes the order that has been encoded as some numbers, which was in canonical form.
  ///
  /// It had as many CPUs, domains and units. Arrays keep their room, so this allocates nothing most
  /// of the time. What hosts say of stores is not encoded.
  mutating func decode(_ numbers: UnsafeBufferPointer<UInt64>) {
    var numbers = NumberReader(numbers)
    words.removeAll()
    now = 0
    hasMetCap = false
    for _ in 0..<numbers.next() {
      let head = numbers.next()
      words.appendWord(UInt32(truncatingIfNeeded: head))
      for _ in 0..<head >> 32 {
        let value = numbers.next()
        words.appendStore(VisibleStore(value: value, time: numbers.nextView()))
      }
      // In canonical form, times are ranks among the stores that are not the first of their words.
      now += View(head >> 32) - 1
    }
    for cpu in cpus.indices { cpus[cpu].decode(&numbers) }
    for domain in finished.indices { finished[domain] = numbers.nextView() }
    locks.decode(&numbers) { $0.nextView() }
    callbacks.decode(&numbers) {
      let views = $0.nextViews()
      return CallbackViews(start: views.0, view: views.1)
    }
    for unit in walks.indices { walks[unit].decode(&numbers) }
    invalidations.removeAll()
    while !numbers.isAtEnd { invalidations.append(Invalidation(&numbers)) }
    now += View(invalidations.count)
  }
}

extension WordMap {
  fileprivate mutating func decode(
    _ numbers: inout NumberReader, _ decode: (inout NumberReader) -> Value
  ) {
    removeAll()
    for _ in 0..<numbers.next() {
      let word = UInt32(truncatingIfNeeded: numbers.next())
      append(word, decode(&numbers))
    }
  }
}

extension WalkViews {
  fileprivate mutating func decode(_ numbers: inout NumberReader) {
    (floor, found, branches, stored) = numbers.nextViews()
    issued.removeAll()
    for _ in 0..<numbers.next() { issued.append(Invalidation(&numbers)) }
    missed.decode(&numbers) { $0.nextView() }
    sources.decode(&numbers) { $0.nextView() }
  }
}

extension Invalidation {
  fileprivate init(_ numbers: inout NumberReader) {
    let bits = numbers.next()
    let views = numbers.nextViews()
    self.init(
      cpu: Int(bits & 0xFF), word: bits >> 16 == 0 ? nil : UInt32(bits >> 16 - 1),
      isLocal: bits & 1 << 8 != 0, view: views.0)
    time = views.1
  }
}

extension Translation {
  fileprivate init(_ numbers: inout NumberReader) {
    let bits = numbers.next()
    let limit = numbers.next()
    self.init(
      entry: UInt32(truncatingIfNeeded: bits), time: View(truncatingIfNeeded: bits >> 32),
      view: View(truncatingIfNeeded: bits >> 48), limit: limit == 0 ? nil : View(limit - 1))
  }
}

extension CPUViews {
  fileprivate mutating func decode(_ numbers: inout NumberReader) {
    coherence.decode(&numbers) { $0.nextView() }
    own.decode(&numbers) {
      let views = $0.nextViews()
      return OwnStore(time: views.0, view: views.1, readView: views.2, pick: views.3)
    }
    sources.decode(&numbers) { $0.nextView() }
    entries.decode(&numbers) { $0.nextView() }
    (oldReads, newReads, oldWrites, releases) = numbers.nextViews()
    (control, graceStart, graceView, callbackEnd) = numbers.nextViews()
    let bits = numbers.next()
    gracePeriod = UInt8(truncatingIfNeeded: bits)
    synchronised = View(truncatingIfNeeded: bits >> 16)
    for domain in sectionEnds.indices { sectionEnds[domain] = numbers.nextView() }
    buffer.removeAll()
    for _ in 0..<numbers.next() { buffer.append(PendingEntry(&numbers)) }
  }
}

extension PendingEntry {
  fileprivate init(_ numbers: inout NumberReader) {
    let head = numbers.next()
    guard let kind = Kind(rawValue: UInt8(head & 3)) else {
      fatalError("[internal] there are four kinds of entries")
    }
    self.init(kind: kind, number: UInt32(truncatingIfNeeded: head >> 32))
    isRelease = head & 4 != 0
    isLocking = head & 8 != 0
    isHidden = head & 16 != 0
    isRecent = head & 128 != 0
    effect = UInt8(truncatingIfNeeded: head >> 8)
    if head & 64 != 0 { translation = Translation(&numbers) }
    value = numbers.next()
    (view, readView, pick, _) = numbers.nextViews()
    if kind == .sectionEnd {
      waiters = numbers.next()
      callbacks = numbers.next()
    }
    if head & 32 != 0 {
      lifetime = UInt32(truncatingIfNeeded: numbers.next())
      operand = numbers.next()
    }
  }
}
