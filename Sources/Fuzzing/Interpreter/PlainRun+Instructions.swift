// The meaning of instructions: words, locks, sections, pages, and loops.

extension PlainRun {
  /// Runs an instruction; nil if the interpreter does not know it.
  mutating func run(_ step: RandomProgram.Step) throws(PlainStep) {
    let word = PlainStep.Place.word(step.word)
    switch step.instruction {
    case .load: note(try ask(.load(word)))
    case .store: try ask(.store(word, step.new))
    case .compareExchange: note(try exchanges(word, step.old, step.new) ? 1 : 0)
    case .exchange: note(try ask(.exchange(word, step.new)))
    case .fetchAdd: note(try ask(.add(word, step.new)))
    case .incrementUnlessZero: note(try ask(.incrementUnlessZero(word)))
    case .wait: note(try ask(.wait(word, mask: ~0, step.new - 1)))
    case .choose: note(try ask(.choose(2)))
    case .lock: try toggleLock(Int(step.new) - 1)
    case .readLock: try toggleReadLock()
    case .writeLock: try toggleWriteLock()
    case .section:
      if code.held.inSection { try leaveSection() } else { try enterSection() }
      code.held.inSection.toggle()
    case .synchronize:
      try ask(.beginGracePeriod)
      try ask(.endGracePeriod)
    case .barrier:
      try ask(.beginBarrier)
      try ask(.endBarrier)
    case .call: try ask(.queue(.add(word: step.word, step.new)))
    case .retry: note(try retry(word, step.new))
    case .poll: note(try poll(word, turns: step.old + 2, until: step.new))
    case .install, .walk, .write, .remove, .removeLater: note(try runPages(step))
    case .keep, .keepOwn, .drop, .follow, .look, .replace, .waitForPage, .callTwice:
      note(try runKept(step))
    case .mask, .maskForGood, .unmask, .interrupt, .walkMasked, .removeAfterInterrupt, .relock:
      try runInterrupts(step)
    case .takePage, .giveBack, .peekPage, .poke, .shrink, .takeTable, .giveTableBack,
      .giveTableBackLater, .freeFound:
      note(try runSlab(step))
    case .use: try ask(.use)
    case .useLater: try ask(.queue(.use))
    case .release: try ask(.release)
    case .tryLock, .tryReadLock, .tryWriteLock, .downgrade: note(try runTry(step))
    case .lockPage, .tryLockPage, .and, .or, .xor, .sub, .allow, .deny, .turnOff, .assume,
      .readSeq, .writeSeq:
      note(try runPrimitive(step))
    default: break  // Programs with such instructions are skipped.
    }
  }

  mutating func note(_ value: UInt64) { code.seen = code.seen &* 3 &+ value }

  // MARK: Locks

  private mutating func toggleLock(_ lock: Int) throws(PlainStep) {
    if code.held.locks.contains(lock) {
      try ask(.unlock(.spin(lock)))
      code.held.locks.remove(lock)
    } else {
      try ask(.lock(.spin(lock)))
      code.held.locks.insert(lock)
    }
  }

  private mutating func toggleReadLock() throws(PlainStep) {
    if code.held.reads {
      try ask(.readUnlock)
      code.held.reads = false
    } else if !code.held.writes {
      try ask(.readLock)
      code.held.reads = true
    }
  }

  private mutating func toggleWriteLock() throws(PlainStep) {
    if code.held.writes {
      try ask(.writeUnlock)
      code.held.writes = false
    } else if !code.held.reads {
      try ask(.writeLock)
      code.held.writes = true
    }
  }

  // MARK: Loops

  private mutating func retry(
    _ word: PlainStep.Place, _ summand: UInt64
  ) throws(PlainStep) -> UInt64 {
    var expected = try ask(.load(word))
    for turn in 0..<3 as Range<UInt64> {
      let found = try ask(.compareExchange(word, expected, expected &+ summand))
      if found == expected { return turn }
      expected = found
    }
    return 3
  }

  private mutating func poll(
    _ word: PlainStep.Place, turns: UInt64, until value: UInt64
  ) throws(PlainStep) -> UInt64 {
    for turn in 0..<turns {
      if try ask(.load(word)) == value { return turn }
    }
    return 7
  }

  // MARK: Pages

  /// The entry that an instruction is about: one of the root, or of a table that one leads to.
  mutating func slot(of step: RandomProgram.Step) throws(PlainStep) -> PlainStep.Place {
    let entry = PlainStep.Place.entry(page: 0, Int(step.old) % 2)
    guard program.isDeep, step.new == 1 else { return entry }
    let table = PlainAddress.table(try ask(.load(entry)))
    return table.map { .entry(page: $0, step.word % 2) } ?? entry
  }

  /// The word in which a page is counted: an entry, unless it may lead to a table.
  func number(in page: Int, _ index: Int) -> PlainStep.Place {
    program.isDeep ? .privateWord(page: page) : .entry(page: page, index)
  }

  private mutating func runPages(_ step: RandomProgram.Step) throws(PlainStep) -> UInt64 {
    let slot = try slot(of: step)
    switch step.instruction {
    case .install:
      let page = Int(try ask(.allocate))
      try ask(.store(.entry(page: page, 0), step.new))
      if try exchanges(slot, 0, PlainAddress.entry(to: page)) { return 1 }
      try ask(.free(page: page))
      return 0
    case .walk:
      guard let page = PlainAddress.table(try ask(.load(slot))) else { return 0 }
      return try ask(.load(.entry(page: page, 0)))
    case .write:
      guard let page = PlainAddress.table(try ask(.load(slot))) else { return 0 }
      return try ask(.add(number(in: page, 1), 1))
    default:
      guard let page = PlainAddress.table(try ask(.exchange(slot, 0))) else { return 0 }
      try ask(step.instruction == .remove ? .free(page: page) : .queue(.free(page: page)))
      return 1
    }
  }

  /// Instructions of programs with identical CPUs.
  private mutating func runKept(_ step: RandomProgram.Step) throws(PlainStep) -> UInt64 {
    guard program.hasIdenticalCPUs else { return 0 }
    switch step.instruction {
    case .keep:
      let entry = try ask(.load(slot(of: step)))
      try ask(.store(kept, entry))
      return entry % 2
    case .keepOwn:
      let page = Int(try ask(.allocate))
      try ask(.store(.entry(page: page, 0), step.new))
      return try ask(.exchange(kept, PlainAddress.entry(to: page))) % 2
    case .drop:
      guard let page = PlainAddress.table(try ask(.exchange(kept, 0))) else { return 0 }
      try ask(.queue(.free(page: page)))
      return 1
    case .follow:
      guard let page = PlainAddress.table(try ask(.load(kept))) else { return 0 }
      return try ask(.add(number(in: page, 0), 1))
    case .look: return try ask(.load(kept))
    case .replace:
      let wanted = try ask(.load(kept))
      let found = try ask(.compareExchange(slot(of: step), wanted, 0))
      return found == wanted ? 1 : found
    case .waitForPage: return try ask(.wait(kept, mask: 1, step.new - 1))
    default:
      try ask(.queue(.addLater(word: step.word, step.new)))
      return 0
    }
  }
}
