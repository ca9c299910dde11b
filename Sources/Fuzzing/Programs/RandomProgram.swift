// Random scenarios on which the searches are compared.

import GracewalkMachine
import GracewalkSupport

/// A small random program over every kind of action the machine has.
public struct RandomProgram: Equatable, Sendable {
  /// One instruction of a random CPU.
  enum Instruction: String {
    case load, store, compareExchange, exchange, fetchAdd, wait, lock, readLock, writeLock
    case section, synchronize, call, barrier, choose, incrementUnlessZero
    case install, walk, write, remove, removeLater
    case retry, poll
    case keep, keepOwn, drop, follow, look, replace, waitForPage, callTwice
    case guestRead, guestWrite, mapLeaf, removeLeaf, protect, mapTable, mapBlock, removeTable
    case tlbi, dsb, giveAway, mapWrongly, claim, moveTable
    case mapUsed, removeAndTell, readTold, takeFrame, removeAndClaim, moveUsed
    case take, takeBoth, await, bump, flip, gamble, peek, guarded, chase, own, clear
    case mask, maskForGood, unmask, interrupt, walkMasked, removeAfterInterrupt, relock
    case takePage, giveBack, peekPage, poke, shrink, takeTable, giveTableBack, giveTableBackLater
    case freeFound
    case use, useLater, release
    case tryLock, tryReadLock, tryWriteLock, downgrade, lockPage, tryLockPage
    case and, or, xor, sub, allow, deny, turnOff, assume, readSeq, writeSeq
  }

  struct Step: Equatable {
    var instruction: Instruction
    var word: Int
    var old: UInt64
    var new: UInt64
    /// Skipped if the CPU's observations so far sum to an odd number.
    var isConditional: Bool

    var text: String { "\(instruction)\(isConditional ? "?" : "")(w\(word) \(old) \(new))" }
  }

  var wordCount: Int
  /// The steps of each CPU's operations.
  var cpus: [[[Step]]]
  /// The number of CPUs that run each program: 1, except in programs with identical CPUs.
  var copies: [Int]
  /// Whether operations have a meaning for a sequential specification.
  var hasSpecification = false
  /// For each CPU, how often its MMU walks speculatively or evicts; -1 if it has none.
  var speculations: [Int] = []
  /// The CPU whose unit walks the other root, if there is one.
  var otherWalker: Int?
  var features = Features()
  var format = EntryFormat.armStage2
  /// Whether loops forget their turns.
  var hasRepeats = false
  /// Pages of the program's slab, if it has one.
  var slabPages = 0
  /// Whether the program has a sequence counter.
  var hasCounter = false
  /// Whether the program has a context that owns the table pages.
  var hasContext = false
  /// The levels of its tables.
  var levels = 2
  /// The kind of grace periods.
  var readCopyUpdate = ReadCopyUpdate.consolidated

  static let mixes: [[Instruction]] = [
    [.load, .store, .compareExchange, .load, .compareExchange],
    [.load, .store, .exchange, .fetchAdd, .incrementUnlessZero, .choose],
    [.load, .store, .compareExchange, .lock, .section, .synchronize, .wait],
    [.lock, .lock, .load, .store, .section, .synchronize, .wait],
    [.readLock, .writeLock, .load, .store, .readLock, .fetchAdd],
    [.section, .call, .barrier, .load, .store, .synchronize],
    [.install, .walk, .write, .remove, .removeLater, .section],
    [.install, .walk, .removeLater, .section, .synchronize, .call],
  ]

  /// Objects of a random scenario.
  struct Objects: Sendable {
    var words: [Location]
    /// Keeps the address of a page, in programs with identical CPUs.
    var kept: Location?
    var locks: [SpinLock]
    var readWriteLock: ReadWriteLock
    var root: TablePage
    /// The root below which tables are moved, in programs that move tables.
    var otherRoot: TablePage?
    /// The CPU whose unit walks it.
    var otherWalker: Int?
    var frames: [DataFrame] = []
    var slab: Slab?
    var context: Context?
    var counter: SequenceCounter?
    /// Whether there is a level between that of the roots and the last one.
    var isDeep = false

    /// The root that a CPU's unit walks.
    func root(of cpu: VirtualCPU) -> TablePage {
      cpu.index == otherWalker ? otherRoot ?? root : root
    }

    /// The root that a step is about.
    func root(of step: Step) -> TablePage { step.word == 1 ? otherRoot ?? root : root }
  }

  /// How large programs may get.
  public enum Size: String, Codable, Sendable {
    /// Small, for many programs in little time.
    case small
    case full

    /// The maximum number of instructions of a CPU, given the number of CPUs: two to four.
    func longest(_ cpuCount: Int) -> Int {
      switch (self, cpuCount) {
      case (.small, 2): 4
      case (.small, 3): 2
      case (.small, _): 1
      case (.full, 2): 5
      case (.full, 3): 4
      case (.full, _): 3
      }
    }
  }

  /// The program for a seed.
  public init(seed: UInt64, size: Size = .full) {
    var random = SplitMix64(seed: seed)
    wordCount = random.pick([1, 2, 3])
    cpus = []
    let cpuCount = random.pick([2, 3, 3, 4])
    copies = Array(repeating: 1, count: cpuCount)
    for _ in 0..<cpuCount {
      let mix = random.pick(Self.mixes)
      let length = 1 + random.below(size.longest(cpuCount))
      cpus.append(Self.parts(from: mix, length: length, words: wordCount, &random))
    }
  }

  /// The scenario for a seed.
  public static func scenario(seed: UInt64, size: Size = .full) -> Scenario {
    RandomProgram(seed: seed, size: size).scenario()
  }

  /// Instructions that queue a callback.
  static let callers: [Instruction] = [
    .call, .callTwice, .removeLater, .drop, .giveTableBackLater, .useLater,
  ]

  private var hasOtherRoot: Bool {
    otherWalker != nil
      || cpus.joined().joined().contains { [.moveTable, .moveUsed].contains($0.instruction) }
  }

  /// A fresh scenario that runs the program.
  ///
  /// - Parameter outcomes: where the outcome of each execution is noted.
  public func scenario(noting outcomes: Outcomes? = nil) -> Scenario {
    scenario { objects in
      outcomes.map {
        [OutcomesNoted($0, word: objects.words[0], namesCPUs: !hasIdenticalCPUs)]
      } ?? []
    }
  }

  /// A fresh scenario that requires something of the program's objects.
  func scenario(requiring invariants: (Objects) -> [any Invariant]) -> Scenario {
    let scenario = Scenario(geometry: Geometry(levels: levels, entries: 2), format: format)
    scenario.features = features
    scenario.readCopyUpdate = readCopyUpdate
    let objects = Objects(
      words: (0..<wordCount).map { scenario.word("w\($0)") },
      kept: hasIdenticalCPUs ? scenario.word("kept") : nil,
      locks: (0..<2).map { scenario.spinLock("l\($0)") },
      readWriteLock: scenario.readWriteLock("rw"), root: scenario.rootTable(),
      otherRoot: hasOtherRoot ? scenario.rootTable("other") : nil, otherWalker: otherWalker,
      frames: hasGuests ? scenario.dataFrames(4) : [],
      slab: slabPages > 0 ? scenario.slab("slab", pages: slabPages) : nil,
      context: hasContext ? scenario.context("vm", ownsPages: true) : nil,
      counter: hasCounter ? scenario.sequenceCounter("seq") : nil, isDeep: isDeep)
    if isDeep { Self.bootMiddle(objects.root, scenario) }
    scenario.mayRepeat = hasRepeats
    let required = invariants(objects)
    if !required.isEmpty { scenario.require(required) }
    let isWatched = hasSpecification
    for (number, parts) in cpus.enumerated() {
      let usesCallbacks = parts.joined().contains { Self.callers.contains($0.instruction) }
      let operations = parts.enumerated().map { part, steps in
        CPUOperation("part \(part)", call: isWatched ? RandomSpecification.call(part) : nil) {
          cpu in
          let seen = try Self.run(steps, objects, cpu)
          return isWatched ? seen % 2 : seen
        }
      }
      let first = scenario.programs.count
      let names = (first..<(first + copies[number])).map { "cpu \($0)" }
      let root = number == otherWalker ? objects.otherRoot : nil
      if let mmu = mmu(of: number, root ?? objects.root) {
        scenario.cpu(names[0], usesCallbacks: usesCallbacks, mmu: mmu, operations)
      } else {
        scenario.cpus(names, usesCallbacks: usesCallbacks, operations)
      }
    }
    return scenario
  }

  /// One line per CPU: `|` separates operations, `?` marks conditional steps.
  public var text: [String] {
    let kind = readCopyUpdate == .separate ? ["grace periods wait for sections alone"] : []
    return kind + (isDeep ? ["tables with three levels"] : [])
      + cpus.enumerated().map { cpu, parts in
        let texts = parts.map { $0.map(\.text).joined(separator: " ") }
        var times = copies[cpu] > 1 ? " ×\(copies[cpu])" : ""
        if let walks = mmuTimes(of: cpu) { times += ", MMU walking speculatively \(walks) times" }
        if cpu == otherWalker { times += " from the other root" }
        return "cpu \(cpu)\(times): \(texts.joined(separator: " | "))"
      }
  }

  /// Simpler programs: without one step, without one condition, or with two operations merged.
  public var simpler: [RandomProgram] {
    var list: [RandomProgram] = []
    if isDeep {
      var flatter = self
      flatter.levels = 2
      list.append(flatter)
    }
    for cpu in cpus.indices {
      if copies[cpu] > 1 {
        var fewer = self
        fewer.copies[cpu] -= 1
        list.append(fewer)
      }
      if mmuTimes(of: cpu) ?? 0 > 0 {
        var calmer = self
        calmer.speculations[cpu] -= 1
        list.append(calmer)
      }
      if cpus[cpu].count > 1 {
        var joined = self
        joined.cpus[cpu] = [Array(cpus[cpu].joined())]
        list.append(joined)
      }
      for part in cpus[cpu].indices {
        for step in cpus[cpu][part].indices {
          var shorter = self
          shorter.cpus[cpu][part].remove(at: step)
          list.append(shorter)
          if cpus[cpu][part][step].isConditional {
            var plain = self
            plain.cpus[cpu][part][step].isConditional = false
            list.append(plain)
          }
        }
      }
    }
    return list
  }

  /// The operations of a CPU: random steps from a mix, split in two at a random place.
  static func parts(
    from mix: [Instruction], length: Int, words: Int, _ random: inout SplitMix64
  ) -> [[Step]] {
    let steps = (0..<length).map { _ in step(from: mix, words: words, &random) }
    let cut = random.below(length + 1)
    return [Array(steps[..<cut]), Array(steps[cut...])]
  }

  static func step(
    from mix: [Instruction], words: Int, _ random: inout SplitMix64
  ) -> Step {
    Step(
      instruction: random.pick(mix), word: random.below(words),
      old: UInt64(random.below(3)), new: UInt64(1 + random.below(2)),
      isConditional: random.below(100) < 35)
  }

  /// The locks and sections that a CPU holds while its part runs; released at its end.
  struct Held {
    var locks: Set<Int> = []
    var reads = false
    var writes = false
    var inSection = false
    var masks = 0
  }

  private static func run(
    _ steps: [Step], _ objects: Objects, _ cpu: VirtualCPU
  ) throws -> UInt64 {
    var seen: UInt64 = 0
    var held = Held()
    for step in steps where !(step.isConditional && seen % 2 == 1) {
      try run(step, objects, cpu, &seen, &held)
    }
    for lock in held.locks.sorted() { try cpu.unlock(objects.locks[lock]) }
    if held.reads { try cpu.readUnlock(objects.readWriteLock) }
    if held.writes { try cpu.writeUnlock(objects.readWriteLock) }
    if held.inSection { try cpu.rcuReadUnlock() }
    for _ in 0..<held.masks { try cpu.unmaskInterrupts() }
    return seen
  }

  private static func run(
    _ step: Step, _ objects: Objects, _ cpu: VirtualCPU, _ seen: inout UInt64, _ held: inout Held
  ) throws {
    let word = objects.words[step.word]
    func note(_ value: UInt64) { seen = seen &* 3 &+ value }
    switch step.instruction {
    case .load: note(try cpu.load(word, .acquire))
    case .store: try cpu.store(word, step.new, .release)
    case .compareExchange:
      let result = try cpu.compareExchange(
        word, expected: step.old, desired: step.new, .acquireRelease)
      note(result.exchanged ? 1 : 0)
    case .exchange: note(try cpu.exchange(word, step.new, .acquireRelease))
    case .fetchAdd: note(try cpu.fetchAdd(word, Int64(step.new), .relaxed))
    case .incrementUnlessZero: note(try cpu.incrementUnlessZero(word, .relaxed) ? 1 : 0)
    case .wait: note(try cpu.wait(until: word, .equals(step.new - 1)))
    case .choose: note(UInt64(try cpu.choose(2)))
    case .lock, .readLock, .writeLock: try toggleLock(step, objects, cpu, &held)
    case .section:
      if held.inSection { try cpu.rcuReadUnlock() } else { try cpu.rcuReadLock() }
      held.inSection.toggle()
    case .synchronize: try cpu.synchronizeRCU()
    case .barrier: try cpu.rcuBarrier()
    case .call:
      try cpu.callRCU { cpu in
        let value = try cpu.load(word, .acquire)
        try cpu.store(word, value &+ step.new, .release)
      }
    case .retry, .poll: note(try runLoop(step, word, cpu))
    case .take, .takeBoth, .await, .bump, .flip, .gamble, .peek, .guarded, .chase, .own, .clear:
      note(try runRepeated(step, objects, cpu))
    case .install, .walk, .write, .remove, .removeLater:
      note(try runPages(step, objects, cpu))
    case .guestRead, .guestWrite, .mapLeaf, .removeLeaf, .protect, .mapTable, .mapBlock,
      .removeTable, .tlbi, .dsb, .giveAway, .mapWrongly, .claim,
      .moveTable:
      note(try runHardware(step, objects, cpu))
    case .mapUsed, .removeAndTell, .readTold, .takeFrame, .removeAndClaim, .moveUsed:
      note(try runReliance(step, objects, cpu))
    case .mask, .maskForGood, .unmask, .interrupt, .walkMasked, .removeAfterInterrupt, .relock:
      try runInterrupt(step, objects, cpu, &seen, masks: &held.masks)
    case .takePage, .giveBack, .peekPage, .poke, .shrink, .takeTable, .giveTableBack,
      .giveTableBackLater, .freeFound:
      note(try runSlab(step, objects, cpu))
    case .use, .useLater, .release: try runContext(step, objects, cpu)
    case .tryLock, .tryReadLock, .tryWriteLock, .downgrade:
      note(try tryLock(step, objects, cpu, &held))
    case .lockPage, .tryLockPage, .and, .or, .xor, .sub, .allow, .deny, .turnOff, .assume,
      .readSeq, .writeSeq:
      note(try runPrimitive(step, objects, cpu, seen))
    default: note(try runIdentical(step, objects, cpu))
    }
  }

  private static func toggleLock(
    _ step: Step, _ objects: Objects, _ cpu: VirtualCPU, _ held: inout Held
  ) throws {
    switch step.instruction {
    case .lock:
      let lock = Int(step.new) - 1
      if held.locks.remove(lock) != nil {
        try cpu.unlock(objects.locks[lock])
      } else {
        try cpu.lock(objects.locks[lock])
        held.locks.insert(lock)
      }
    case .readLock:
      if held.reads { try cpu.readUnlock(objects.readWriteLock) }
      if !held.reads && !held.writes { try cpu.readLock(objects.readWriteLock) }
      held.reads = !held.reads && !held.writes
    default:
      if held.writes { try cpu.writeUnlock(objects.readWriteLock) }
      if !held.reads && !held.writes { try cpu.writeLock(objects.readWriteLock) }
      held.writes = !held.reads && !held.writes
    }
  }

  private static func runPages(
    _ step: Step, _ objects: Objects, _ cpu: VirtualCPU
  ) throws -> UInt64 {
    let entry = try slot(of: step, objects, cpu)
    switch step.instruction {
    case .install:
      guard let page = try cpu.allocateTable() else { return 0 }
      try cpu.store(page[0], step.new, .relaxed)
      let won = try cpu.compareExchange(
        entry, expected: 0, desired: Descriptor.table(page).bits, .release
      ).exchanged
      if !won { try cpu.free(page) }
      return won ? 1 : 0
    case .walk:
      let found = Descriptor(bits: try cpu.load(entry, .acquire))
      guard let page = cpu.table(at: found) else { return 0 }
      return try cpu.load(page[0], .relaxed)
    case .write:
      let found = Descriptor(bits: try cpu.load(entry, .acquire))
      guard let page = cpu.table(at: found) else { return 0 }
      return try cpu.fetchAdd(objects.number(in: page, 1), 1, .relaxed)
    default:
      let found = Descriptor(bits: try cpu.exchange(entry, 0, .acquireRelease))
      guard let page = cpu.table(at: found) else { return 0 }
      if step.instruction == .remove {
        try cpu.free(page)
      } else {
        try cpu.callRCU { cpu in try cpu.free(page) }
      }
      return 1
    }
  }
}
