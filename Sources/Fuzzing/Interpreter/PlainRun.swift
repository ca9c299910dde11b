// Runs the code of one instruction with the results that are known.

/// Runs code up to the first step whose result is not known.
struct PlainRun {
  let program: RandomProgram
  /// What the code knows, which running changes.
  var code: PlainCode
  /// The results that the code has used so far.
  private var used = 0

  init(_ program: RandomProgram, _ code: PlainCode) {
    self.program = program
    self.code = code
  }

  /// Asks for a step; returns its result if that is known.
  @discardableResult
  mutating func ask(_ step: PlainStep) throws(PlainStep) -> UInt64 {
    guard used < code.results.count else { throw step }
    used += 1
    return code.results[used - 1]
  }

  // MARK: What several instructions do

  /// The word at which the program keeps a page's address.
  var kept: PlainStep.Place { .word(program.wordCount) }
  var counter: PlainStep.Place { .word(program.wordCount + 1) }

  mutating func exchanges(
    _ place: PlainStep.Place, _ old: UInt64, _ new: UInt64
  ) throws(PlainStep) -> Bool {
    try ask(.compareExchange(place, old, new)) == old
  }

  mutating func enterSection() throws(PlainStep) {
    code.sectionDepth += 1
    if code.sectionDepth == 1 { try ask(.enterSection) }
  }

  mutating func leaveSection() throws(PlainStep) {
    if code.sectionDepth > 0 { code.sectionDepth -= 1 }
    if code.sectionDepth == 0 { try ask(.leaveSection) }
  }

  mutating func mask() throws(PlainStep) {
    code.maskDepth += 1
    if code.maskDepth == 1 { try ask(.mask) }
  }

  mutating func unmask() throws(PlainStep) {
    if code.maskDepth > 0 { code.maskDepth -= 1 }
    if code.maskDepth == 0 { try ask(.unmask) }
  }

  mutating func interruptOthers() throws(PlainStep) {
    try ask(.sendInterrupt)
    try ask(.interruptTaken)
  }

  /// Gives back what a part still holds when it ends.
  mutating func releaseAll() throws(PlainStep) {
    let held = code.held
    for lock in held.locks.all { try ask(.unlock(.spin(lock))) }
    if held.reads { try ask(.readUnlock) }
    if held.writes { try ask(.writeUnlock) }
    if held.inSection { try leaveSection() }
    for _ in 0..<held.masks { try unmask() }
    code.held = PlainCode.Held()
  }

  /// The body of a callback.
  mutating func run(_ callback: PlainCallback) throws(PlainStep) {
    switch callback {
    case .add(let word, let summand):
      let value = try ask(.load(.word(word)))
      try ask(.store(.word(word), value &+ summand))
    case .addLater(let word, let summand):
      let value = try ask(.load(.word(word)))
      try ask(.queue(.store(word: word, value &+ summand)))
    case .store(let word, let value): try ask(.store(.word(word), value))
    case .free(let page): try ask(.free(page: page))
    case .giveBack(let page):
      try ask(.freeToSlab(page: page))
      try ask(.shrink)
    case .use: try ask(.use)
    }
  }
}
