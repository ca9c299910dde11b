// Who accessed what when: which memory is shared, and which accesses race.
//
// Two relations on the actions of an execution: the order that creating and joining threads
// decides, and C11's happens-before (with the release sequences of C++20). An access that the first
// does not order with a conflicting one makes its cell shared; one that the second does not order
// is a race.

import GracewalkLLVM
import GracewalkSupport

extension ProgramMachine {
  /// Clocks of threads.
  enum Clock: Int {
    /// What happens before the thread's next action.
    case happensBefore
    /// What happened before its latest release fence.
    case released
    /// What an acquire fence will make happen before it.
    case pending
  }

  @inline(__always)
  func clock(_ clock: Clock, _ cpu: Int) -> Int {
    (clock.rawValue &* threadCount &+ cpu) &* threadCount
  }

  /// Whether happens-before is followed at all: plain accesses to shared memory have been seen.
  var racesCount: Bool { options.findsRaces && layout.mayRace }

  private func join(_ target: Int, _ source: Int) {
    for index in 0..<threadCount where order[source + index] > order[target + index] {
      order[target + index] = order[source + index]
    }
  }

  private func tick(_ clock: Clock, _ cpu: Int) {
    let own = self.clock(clock, cpu) + cpu
    order[own] = order[own] + 1
  }

  // MARK: Threads

  func inherit(from parent: Int, to child: Int) {
    setCreationClock(of: child, accesses.join(creationClock(of: child), creationClock(of: parent)))
    setCreationClock(of: parent, accesses.next(creationClock(of: parent), of: parent))
    guard racesCount else { return }
    join(clock(.happensBefore, child), clock(.happensBefore, parent))
    tick(.happensBefore, parent)
  }

  func joinClocks(of other: Int, by cpu: Int) {
    noteResult(of: other)
    setCreationClock(of: cpu, accesses.join(creationClock(of: cpu), creationClock(of: other)))
    if racesCount { join(clock(.happensBefore, cpu), clock(.happensBefore, other)) }
  }

  /// The number of what creating and joining threads orders before a thread's next action.
  @inline(__always)
  func creationClock(of cpu: Int) -> Int { Int(threads[word(cpu, ThreadWord.clock)]) }

  func setCreationClock(of cpu: Int, _ clock: Int) {
    threads[word(cpu, ThreadWord.clock)] = UInt64(clock)
  }

  // MARK: Accesses

  /// Takes note of an access, and judges it.
  func touch(
    _ record: Int, _ offset: Int, _ size: Int, by cpu: Int, _ request: Request, writes: Bool
  ) throws(Finding) {
    if layout.records[record].isConstant { return }
    if layout.records[record].isHardware {
      return try judgeHardware(record, offset, by: cpu, writes)
    }
    if layout.records[record].kind != .global {
      touchLifetime(Region.address(ofRegion: layout.records[record].region), by: cpu, writes: false)
      if !request.isByHardware { try judgeAllocation(record, by: cpu, offset) }
    }
    var race: (cell: Int, word: Int)?
    let single = layout.cell(record, offset, size)
    if single >= 0 {
      if let word = touch(cell: single, by: cpu, request, writes) { race = (single, word) }
    } else {
      layout.eachCell(record, offset, size) { cell in
        if let word = touch(cell: cell, by: cpu, request, writes) { race = (cell, word) }
      }
    }
    guard let race else { return }
    let address =
      Region.address(ofRegion: layout.records[record].region)
      + UInt64(layout.cells[race.cell].start)
    throw Finding(
      .race,
      "a data race on \(name(of: address)): nothing orders this access and "
        + text(ofAccess: race.word, race.cell))
  }

  /// What an access was, by its word among those of a cell.
  func text(ofAccess word: Int, _ cell: Int) -> String {
    let (kind, thread) = (word / threadCount, word % threadCount)
    let what =
      switch kind {
      case CellWord.plainWrite: "the plain write"
      case CellWord.atomicWrite: "the atomic write"
      case CellWord.plainRead: "the plain read"
      default: "the atomic read"
      }
    let base = clockBase(cell)
    let place = Int32(
      truncatingIfNeeded: order[base + (kind - 1 + CellWord.place) * threadCount + thread])
    guard let place = self.place(place - 1) else { return "\(what) of thread \(thread)" }
    let file = place.file.split(separator: "/").last ?? ""
    return "\(what) of thread \(thread) at \(file):\(place.line)"
  }

  func touchLifetime(_ address: UInt64, by cpu: Int, writes: Bool) {
    guard let region = Region.number(of: address) else { return }
    let record = layout.record(ofRegion: region)
    guard record >= 0 else { return }
    let cell = layout.records[record].lifetime
    if !layout.isShared(cell) { noteAccess(cell, by: cpu, writes) }
  }

  /// Takes note of the write that is read from, and of a write that will be.
  private func noteHistory(_ cell: Int, by cpu: Int, _ request: Request, _ writes: Bool) {
    while writerBases.count <= cell { writerBases.append(-1) }
    if writerBases[cell] < 0 { writerBases[cell] = Int32(order.extend(by: 1)) }
    let (writer, history) = (Int(writerBases[cell]), word(cpu, ThreadWord.history))
    let isWriteOnly = request.kind == .store || request.kind == .setMemory
    var hash = StableHash.extend(threads[history], with: writes ? 2 : 1)
    if !isWriteOnly { hash = StableHash.extend(hash, with: order[writer]) }
    threads[history] = hash
    if writes { order[writer] = StableHash.extend(hash, with: UInt64(cell)) }
  }

  /// A hash of what every read of the execution read from.
  func historyHash() -> UInt64 {
    (0..<threadCount).reduce(0) { sum, cpu in
      sum &+ StableHash.share(of: threads[word(cpu, ThreadWord.history)], at: UInt64(cpu))
    }
  }

  /// The word of the access that it races with; nil if there is none.
  @inline(__always)
  private func touch(cell: Int, by cpu: Int, _ request: Request, _ writes: Bool) -> Int? {
    guard layout.isShared(cell) else {
      noteAccess(cell, by: cpu, writes)
      return nil
    }
    if options.countsReadsFrom { noteHistory(cell, by: cpu, request, writes) }
    guard options.findsRaces else { return nil }
    if request.kind.isOnLock || request.isByHardware { return nil }
    let isAtomic =
      request.isAtomic || request.kind == .update || request.kind == .compareExchange
    if !isAtomic, !layout.mayRace {
      // What happens before or after everything that others do needs no clocks.
      if isAlone(cpu) { return nil }
      layout.noteRacy()
    }
    guard layout.mayRace else { return nil }
    return judge(cell, by: cpu, isAtomic: isAtomic, writes, request.place)
  }

  /// Whether all other threads there are have finished and been joined.
  func isAlone(_ cpu: Int) -> Bool {
    for other in 0..<threadCount where other != cpu && status(of: other) != Status.absent {
      noteResult(of: other)
      guard hasFinished(other),
        accesses.knows(creationClock(of: cpu), of: other, at: creationClock(of: other))
      else { return false }
    }
    return true
  }

  /// Takes note of an access to a cell that is not shared, and finds out if it should be.
  private func noteAccess(_ cell: Int, by cpu: Int, _ writes: Bool) {
    let clock = creationClock(of: cpu)
    if !accesses.note(cell, by: cpu, at: clock, writes: writes) { layout.share(cell) }
  }

  /// The accesses that it has seen to memory that is not shared.
  var seenAccesses: Set<SeenAccess> {
    var seen: Set<SeenAccess> = []
    accesses.each { cell, cpu, clock, writes in
      let known = (0..<threadCount).map { clock[$0] }
      seen.insert(SeenAccess(cell: cell, cpu: cpu, writes: writes, clock: known))
    }
    return seen
  }

  /// Takes note of what machines with the same numbers have seen.
  func note(_ seen: Set<SeenAccess>) {
    for access in seen.sorted() where access.cell < layout.cells.count {
      guard !layout.isShared(access.cell), access.clock.count == threadCount else { continue }
      let clock = accesses.number(ofKnown: access.clock)
      if !accesses.note(access.cell, by: access.cpu, at: clock, writes: access.writes) {
        layout.share(access.cell)
      }
    }
  }

  // MARK: Happens-before

  /// Words of a cell in `order`, by thread.
  private enum CellWord {
    static let message = 0, plainWrite = 1, atomicWrite = 2, plainRead = 3, atomicRead = 4
    static let kinds = 5
    /// From here on, the place in the source of each, plus one.
    static let place = 5
    static let count = 9
  }

  private func clockBase(_ cell: Int) -> Int {
    while clockBases.count <= cell { clockBases.append(-1) }
    if clockBases[cell] < 0 {
      clockBases[cell] = Int32(order.extend(by: CellWord.count * threadCount))
    }
    return Int(clockBases[cell])
  }

  private func judge(
    _ cell: Int, by cpu: Int, isAtomic: Bool, _ writes: Bool, _ place: Int32
  ) -> Int? {
    let base = clockBase(cell)
    let clock = self.clock(.happensBefore, cpu)
    for other in 0..<threadCount where other != cpu {
      let known = order[clock + other]
      for word in CellWord.plainWrite..<CellWord.kinds {
        let isWrite = word == CellWord.plainWrite || word == CellWord.atomicWrite
        let isPlain = word == CellWord.plainWrite || word == CellWord.plainRead
        guard writes || isWrite, isPlain || !isAtomic else { continue }
        if order[base + word * threadCount + other] > known { return word * threadCount + other }
      }
    }
    if !isAtomic { hasAccessedPlainly = true }
    let own =
      writes
      ? (isAtomic ? CellWord.atomicWrite : CellWord.plainWrite)
      : (isAtomic ? CellWord.atomicRead : CellWord.plainRead)
    order[base + own * threadCount + cpu] = order[clock + cpu]
    order[base + (own - 1 + CellWord.place) * threadCount + cpu] = UInt64(
      truncatingIfNeeded: Int(place) + 1)
    if writes, !isAtomic {
      for thread in 0..<threadCount { order[base + thread] = 0 }
    }
    return nil
  }

  /// The word of a plain write that a thread does not know of, or of a plain read.
  ///
  /// - Parameter acquires: whether it would take what was released at the cell.
  func plainAccess(unknownTo cpu: Int, _ cell: Int, reads: Bool, acquires: Bool) -> Int? {
    guard cell < clockBases.count, clockBases[cell] >= 0 else { return nil }
    let base = Int(clockBases[cell])
    let clock = self.clock(.happensBefore, cpu)
    for other in 0..<threadCount where other != cpu {
      let known = max(order[clock + other], acquires ? order[base + other] : 0)
      for word in [CellWord.plainWrite, CellWord.plainRead] {
        guard reads || word == CellWord.plainWrite else { continue }
        if order[base + word * threadCount + other] > known { return word * threadCount + other }
      }
    }
    return nil
  }

  private func messageBase(_ record: Int, _ offset: Int) -> Int? {
    let cell = layout.cell(record, at: offset)
    return cell >= 0 && layout.isShared(cell) ? clockBase(cell) : nil
  }

  /// A read takes what the write released.
  func acquire(_ record: Int, _ offset: Int, _ ordering: IROrdering, by cpu: Int) {
    guard racesCount, let message = messageBase(record, offset) else { return }
    join(clock(ordering.acquires ? .happensBefore : .pending, cpu), message)
  }

  /// A write releases what happens before it; one that continues a release sequence adds to it.
  func release(
    _ record: Int, _ offset: Int, _ ordering: IROrdering, by cpu: Int, continues: Bool
  ) {
    guard racesCount, let message = messageBase(record, offset) else { return }
    let source = clock(ordering.releases ? .happensBefore : .released, cpu)
    if continues {
      join(message, source)
    } else {
      for index in 0..<threadCount { order[message + index] = order[source + index] }
    }
    tick(.happensBefore, cpu)
  }

  /// What the newest visible store to a cell has released, where stores may be read that are older.
  func message(at cell: Int) -> [UInt64] {
    guard cell < clockBases.count, clockBases[cell] >= 0 else { return [] }
    let base = Int(clockBases[cell])
    return (0..<threadCount).map { order[base + $0] }
  }

  func setMessage(at cell: Int, _ epoch: (Int) -> UInt64) {
    let base = clockBase(cell)
    for thread in 0..<threadCount { order[base + thread] = epoch(thread) }
  }

  /// A read takes what some store has released.
  func take(_ epoch: (Int) -> UInt64, acquires: Bool, by cpu: Int) {
    let target = clock(acquires ? .happensBefore : .pending, cpu)
    for thread in 0..<threadCount where epoch(thread) > order[target + thread] {
      order[target + thread] = epoch(thread)
    }
  }

  func tickAfterRelease(by cpu: Int) { tick(.happensBefore, cpu) }

  func passFence(_ ordering: IROrdering, by cpu: Int) {
    guard racesCount else { return }
    let now = clock(.happensBefore, cpu)
    if ordering.acquires { join(now, clock(.pending, cpu)) }
    if ordering.releases {
      join(clock(.released, cpu), now)
      tick(.happensBefore, cpu)
    }
  }

  // MARK: Allocations

  /// The thread that allocates writes the object's lifetime cell, as a plain write.
  func noteAllocation(_ address: UInt64, by cpu: Int) {
    guard racesCount, let region = Region.number(of: address) else { return }
    let record = layout.record(ofRegion: region)
    // Accesses to what was there before are no races with those to come.
    var byte = 0
    while byte < layout.records[record].capacity {
      let cell = layout.cell(record, at: byte)
      guard cell >= 0 else {
        byte += 1
        continue
      }
      byte = layout.cells[cell].start + layout.cells[cell].size
      guard cell < clockBases.count, clockBases[cell] >= 0 else { continue }
      for word in 0..<CellWord.count * threadCount { order[Int(clockBases[cell]) + word] = 0 }
    }
    let base = clockBase(layout.records[record].lifetime)
    order[base + CellWord.plainWrite * threadCount + cpu] = order[clock(.happensBefore, cpu) + cpu]
  }

  /// An access must come after the allocation.
  private func judgeAllocation(_ record: Int, by cpu: Int, _ offset: Int) throws(Finding) {
    guard options.findsRaces else { return }
    let owner = Region.owner(of: layout.records[record].region).thread
    guard owner != cpu, owner >= 0 else { return }
    layout.noteRacy()
    guard layout.mayRace else { return }
    let base = clockBase(layout.records[record].lifetime)
    let epoch = order[base + CellWord.plainWrite * threadCount + owner]
    if epoch > order[clock(.happensBefore, cpu) + owner] {
      let address = Region.address(ofRegion: layout.records[record].region) + UInt64(offset)
      throw Finding(
        .race, "\(name(of: address)) is accessed, and nothing orders that after its allocation")
    }
  }

  // MARK: State

  /// A hash of which accesses happen before what.
  ///
  /// For each recorded access: the threads, fences and messages that know of it. Accesses that all
  /// threads know of can race with nothing.
  func knowledgeHash() -> UInt64 {
    var hash: UInt64 = 0
    for thread in 0..<threadCount where status(of: thread) != Status.absent {
      // Most accesses of a thread are of few epochs.
      var (latest, isKnown, knowledge) = (UInt64(0), true, UInt64(0))
      for cell in 0..<clockBases.count where clockBases[cell] >= 0 {
        let base = Int(clockBases[cell])
        for kind in 1..<CellWord.kinds {
          let epoch = order[base + kind * threadCount + thread]
          guard epoch > 0 else { continue }
          if epoch != latest {
            latest = epoch
            let known = knowers(of: epoch, of: thread)
            isKnown = known.isKnown
            knowledge =
              isKnown
              ? 0
              : StableHash.extend(known.bits, with: messages(thatKnow: epoch, of: thread))
          }
          if isKnown { continue }
          let item = StableHash.extend(UInt64(cell), with: UInt64(kind << 8 | thread))
          hash &+= StableHash.extend(item, with: knowledge)
        }
      }
    }
    return hash
  }

  private func knowers(of epoch: UInt64, of thread: Int) -> (bits: UInt64, isKnown: Bool) {
    var hash: UInt64 = 0
    var isKnown = true
    for kind in [Clock.happensBefore, .released, .pending] {
      var bits: UInt64 = 0
      for cpu in 0..<threadCount where order[clock(kind, cpu) + thread] >= epoch {
        bits |= 1 << UInt64(cpu)
      }
      hash = StableHash.extend(hash, with: bits)
      guard kind == .happensBefore else { continue }
      for cpu in 0..<threadCount
      where status(of: cpu) != Status.absent && bits >> UInt64(cpu) & 1 == 0 {
        if !hasFinished(cpu) { isKnown = false }
      }
    }
    return (hash, isKnown)
  }

  private func messages(thatKnow epoch: UInt64, of thread: Int) -> UInt64 {
    var hash: UInt64 = 0
    for cell in 0..<clockBases.count where clockBases[cell] >= 0 {
      if order[Int(clockBases[cell]) + thread] >= epoch { hash &+= StableHash.mix(UInt64(cell)) }
    }
    return weak == nil ? hash : hash &+ weakMessages(thatKnow: epoch, of: thread)
  }
}
