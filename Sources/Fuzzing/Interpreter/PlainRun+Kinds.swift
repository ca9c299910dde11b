// The meaning of instructions of one kind each: interrupts, slabs, and primitives.

extension PlainRun {
  mutating func runInterrupts(_ step: RandomProgram.Step) throws(PlainStep) {
    switch step.instruction {
    case .mask:
      try mask()
      code.held.masks += 1
    case .maskForGood: try mask()
    case .relock:
      if step.old == 0 {
        try ask(.lock(.spin(Int(step.new) - 1)))
      } else {
        try ask(step.new == 1 ? .readLock : .writeLock)
      }
    case .unmask:
      try unmask()
      code.held.masks = max(code.held.masks - 1, 0)
    case .interrupt: try interruptOthers()
    case .walkMasked:
      try mask()
      if let page = PlainAddress.table(try ask(.dereference(slot(of: step)))) {
        note(try ask(.dereference(.entry(page: page, 0))))
      }
      try unmask()
    default:
      let slot = try slot(of: step)
      guard let page = PlainAddress.table(try ask(.exchange(slot, 0))) else { return }
      try interruptOthers()
      try ask(.free(page: page))
    }
  }

  // MARK: Slabs

  /// The page of the slab whose address a word holds.
  private func pageOfSlab(at address: UInt64) -> Int? {
    PlainAddress.page(at: address).flatMap { program.isOfSlab($0) ? $0 : nil }
  }

  mutating func runSlab(_ step: RandomProgram.Step) throws(PlainStep) -> UInt64 {
    guard program.slabPages > 0 else { return 0 }
    let word = PlainStep.Place.word(step.word)
    switch step.instruction {
    case .takePage:
      let found = try ask(.allocateFromSlab)
      if found == 0 { return 1 }
      try ask(.store(.entry(page: Int(found) - 1, 0), step.new))
      try ask(.store(word, PlainAddress.address(ofPage: Int(found) - 1)))
      return 2
    case .giveBack:
      guard let page = pageOfSlab(at: try ask(.exchange(word, 0))) else { return 0 }
      try ask(.freeToSlab(page: page))
      return 1
    case .peekPage:
      guard let page = pageOfSlab(at: try ask(.load(word))) else { return 0 }
      return try ask(.load(.entry(page: page, 0)))
    case .poke:
      guard let page = pageOfSlab(at: try ask(.load(word))) else { return 0 }
      return try ask(.add(number(in: page, 1), 1))
    case .shrink:
      try ask(.shrink)
      return 0
    case .takeTable:
      let found = try ask(.allocateFromSlab)
      if found == 0 { return 1 }
      let page = Int(found) - 1
      try ask(.store(.entry(page: page, 0), step.new))
      if try exchanges(slot(of: step), 0, PlainAddress.entry(to: page)) { return 2 }
      try ask(.freeToSlab(page: page))
      return 3
    case .freeFound:
      guard let page = PlainAddress.table(try ask(.load(slot(of: step)))) else { return 0 }
      try ask(program.isOfSlab(page) ? .freeToSlab(page: page) : .free(page: page))
      return 1
    default:
      let slot = try slot(of: step)
      guard let page = PlainAddress.table(try ask(.exchange(slot, 0))) else { return 0 }
      if !program.isOfSlab(page) {
        try ask(.free(page: page))
      } else {
        let isLater = step.instruction == .giveTableBackLater
        try ask(isLater ? .queue(.giveBack(page: page)) : .freeToSlab(page: page))
      }
      return 1
    }
  }

  // MARK: Primitives

  mutating func runTry(_ step: RandomProgram.Step) throws(PlainStep) -> UInt64 {
    switch step.instruction {
    case .tryLock:
      let lock = Int(step.new) - 1
      if code.held.locks.contains(lock) {
        try ask(.unlock(.spin(lock)))
        code.held.locks.remove(lock)
        return 0
      }
      if try ask(.tryLock(.spin(lock))) == 0 { return 0 }
      code.held.locks.insert(lock)
    case .tryReadLock:
      if code.held.reads { return 0 }
      if try ask(.tryReadLock) == 0 { return 0 }
      code.held.reads = true
    case .tryWriteLock:
      if try ask(.tryWriteLock) == 0 { return 0 }
      code.held.writes = true
    default:
      if code.held.reads { return 0 }
      if !code.held.writes { try ask(.writeLock) }
      try ask(.downgrade)
      code.held.reads = true
      code.held.writes = false
    }
    return 1
  }

  mutating func runPrimitive(_ step: RandomProgram.Step) throws(PlainStep) -> UInt64 {
    let word = PlainStep.Place.word(step.word)
    func isValid(_ old: UInt64) -> UInt64 { PlainAddress.isValid(old) ? 1 : 0 }
    switch step.instruction {
    case .and: return try ask(.and(word, step.new))
    case .or: return try ask(.or(word, step.new))
    case .xor: return try ask(.xor(word, step.new))
    case .sub: return try ask(.add(word, 0 &- step.new))
    case .allow: return isValid(try ask(.or(slot(of: step), PlainAddress.writeBit)))
    case .deny: return isValid(try ask(.and(slot(of: step), ~PlainAddress.writeBit)))
    case .turnOff: return isValid(try ask(.xor(slot(of: step), PlainAddress.validBit)))
    case .assume:
      if code.seen % 3 == step.old { throw .cutOff }
      return 0
    case .readSeq:
      guard program.hasCounter else { return 0 }
      let start = try ask(.wait(counter, mask: 1, 0))
      let value = try ask(.load(word))
      return try ask(.load(counter)) == start ? value : 7
    case .writeSeq:
      guard program.hasCounter else { return 0 }
      let before = try ask(.load(counter))
      try ask(.store(counter, before &+ 1))
      try ask(.store(word, step.new))
      let odd = try ask(.load(counter))
      try ask(.store(counter, odd &+ 1))
      return 0
    default:
      guard let page = PlainAddress.table(try ask(.load(slot(of: step)))) else { return 0 }
      if step.instruction == .lockPage {
        try ask(.lock(.page(page)))
      } else if try ask(.tryLock(.page(page))) == 0 {
        return 2
      }
      let value = try ask(.load(.entry(page: page, 1)))
      try ask(.store(.entry(page: page, 1), value &+ 1))
      try ask(.unlock(.page(page)))
      return 1
    }
  }
}
