// Armv8 in models: what loads may still find, what orders them, and when stores become visible.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

private typealias Code = @Sendable (VirtualCPU, SharedWords) throws -> Void

/// The words of a test, and where its CPUs put what they have read.
private struct SharedWords: Sendable {
  var x: Location
  var y: Location
  var root: TablePage
  var lock: SpinLock
  var seen: [Location]
}

struct StoreOrderTests {
  /// Whether some execution ends with these values read.
  private func isAllowed(
    _ codes: [Code], seeing values: [UInt64], under model: MemoryModel = .armv8
  ) -> Bool {
    let endings = [Strategy.exhaustive, .stateful].map { strategy in
      let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
      scenario.memoryModel = model
      scenario.readsPlainly = true
      let words = SharedWords(
        x: scenario.word("x"), y: scenario.word("y"), root: scenario.rootTable(),
        lock: scenario.spinLock("lock"),
        seen: codes.indices.map { scenario.word("seen \($0)") })
      for (number, code) in codes.enumerated() {
        scenario.cpu("cpu \(number)", CPUOperation("run") { try code($0, words) })
      }
      scenario.atEnd("it is not seen") { machine in
        words.seen.map { machine.value(of: $0) } != values
      }
      return strategy.search(Machine(scenario), SearchOptions()).ending
    }
    #expect(endings[0] == endings[1])
    #expect(endings[0] == .violation || endings[0] == .complete, "\(endings[0])")
    return endings[0] == .violation
  }

  // MARK: Messages

  private func message(
    stored ordering: MemoryOrdering = .relaxed, fence first: MemoryOrdering = .relaxed,
    loaded other: MemoryOrdering = .relaxed, fence second: MemoryOrdering = .relaxed
  ) -> [Code] {
    [
      { cpu, words in
        try cpu.store(words.x, 1, .relaxed)
        try cpu.fence(first)
        try cpu.store(words.y, 1, ordering)
      },
      { cpu, words in
        let flag = try cpu.load(words.y, other)
        try cpu.fence(second)
        let data = try cpu.load(words.x, .relaxed)
        try cpu.store(words.seen[1], 2 * flag + data, .relaxed)
      },
    ]
  }

  @Test func aMessageNeedsAnOrderingOnBothSides() {
    #expect(isAllowed(message(), seeing: [0, 2]))
    #expect(!isAllowed(message(), seeing: [0, 2], under: .totalStoreOrder))
    #expect(isAllowed(message(stored: .release), seeing: [0, 2]))
    #expect(isAllowed(message(loaded: .acquire), seeing: [0, 2]))
    #expect(!isAllowed(message(stored: .release, loaded: .acquire), seeing: [0, 2]))
    #expect(!isAllowed(message(fence: .release, fence: .acquire), seeing: [0, 2]))
    #expect(isAllowed(message(fence: .acquire, fence: .acquire), seeing: [0, 2]))
    #expect(isAllowed(message(fence: .release, fence: .release), seeing: [0, 2]))
    #expect(
      !isAllowed(
        message(fence: .sequentiallyConsistent, fence: .sequentiallyConsistent), seeing: [0, 2]))
    for values: [UInt64] in [[0, 0], [0, 1], [0, 3]] {
      #expect(isAllowed(message(stored: .release, loaded: .acquire), seeing: values))
    }
  }

  /// A store waits for the loads before it, so two loads do not each find the other's later store.
  @Test func loadsAreNotBuffered() {
    let codes: [Code] = [
      { cpu, words in
        let x = try cpu.load(words.x, .relaxed)
        try cpu.store(words.y, 1, .relaxed)
        try cpu.store(words.seen[0], x, .relaxed)
      },
      { cpu, words in
        let y = try cpu.load(words.y, .relaxed)
        try cpu.store(words.x, 1, .relaxed)
        try cpu.store(words.seen[1], y, .relaxed)
      },
    ]
    #expect(!isAllowed(codes, seeing: [1, 1]))
    #expect(isAllowed(codes, seeing: [0, 1]))
  }

  /// Loads of one word do not go back.
  @Test func aWordIsCoherent() {
    let codes: [Code] = [
      { cpu, words in
        try cpu.store(words.x, 1, .relaxed)
        try cpu.store(words.x, 2, .relaxed)
      },
      { cpu, words in
        let first = try cpu.load(words.x, .relaxed)
        try cpu.store(words.seen[1], 4 * first + (try cpu.load(words.x, .relaxed)), .relaxed)
      },
    ]
    #expect(isAllowed(codes, seeing: [0, 4 + 2]))
    #expect(!isAllowed(codes, seeing: [0, 8 + 1]))
    #expect(!isAllowed(codes, seeing: [0, 4]))
  }

  // MARK: Store buffering

  private func storeBuffering(_ between: @escaping @Sendable (VirtualCPU) throws -> Void) -> [Code]
  {
    (0..<2).map { number in
      { cpu, words in
        try cpu.store(number == 0 ? words.x : words.y, 1, .relaxed)
        try between(cpu)
        let other = try cpu.load(number == 0 ? words.y : words.x, .relaxed)
        try cpu.store(words.seen[number], other, .relaxed)
      }
    }
  }

  @Test func onlyFullFencesOrderLoadsBehindStores() {
    #expect(isAllowed(storeBuffering { _ in }, seeing: [0, 0]))
    #expect(isAllowed(storeBuffering { try $0.fence(.acquireRelease) }, seeing: [0, 0]))
    #expect(!isAllowed(storeBuffering { try $0.fence(.sequentiallyConsistent) }, seeing: [0, 0]))
  }

  // MARK: Read-modify-writes

  private func exchange(_ ordering: MemoryOrdering) -> [Code] {
    [
      { cpu, words in
        _ = try cpu.exchange(words.x, 1, ordering)
        try cpu.store(words.y, 1, .relaxed)
      },
      { cpu, words in
        let flag = try cpu.load(words.y, .acquire)
        try cpu.store(words.seen[1], 2 * flag + (try cpu.load(words.x, .relaxed)), .relaxed)
      },
    ]
  }

  /// The store of a read-modify-write may become visible after stores behind it.
  @Test func aReadModifyWriteIsTwoAccesses() {
    #expect(isAllowed(exchange(.relaxed), seeing: [0, 2]))
    #expect(isAllowed(exchange(.acquire), seeing: [0, 2]))
    #expect(!isAllowed(exchange(.acquireRelease), seeing: [0, 2]))
  }

  @Test func nothingComesBetweenItsTwoAccesses() {
    let codes: [Code] = (0..<2).map { number in
      { cpu, words in
        let old = try cpu.fetchAdd(words.x, 1, .relaxed)
        try cpu.store(words.seen[number], old, .relaxed)
      }
    }
    #expect(isAllowed(codes, seeing: [0, 1]))
    #expect(isAllowed(codes, seeing: [1, 0]))
    #expect(!isAllowed(codes, seeing: [0, 0]))
    #expect(!isAllowed(codes, seeing: [1, 1]))
  }

  // MARK: Locks

  @Test func locksOrderWhatTheyProtect() {
    let codes: [Code] = [
      { cpu, words in
        try cpu.lock(words.lock)
        try cpu.store(words.x, 1, .relaxed)
        try cpu.store(words.y, 1, .relaxed)
        try cpu.unlock(words.lock)
      },
      { cpu, words in
        try cpu.lock(words.lock)
        let y = try cpu.load(words.y, .relaxed)
        let x = try cpu.load(words.x, .relaxed)
        try cpu.unlock(words.lock)
        try cpu.store(words.seen[1], 2 * y + x, .relaxed)
      },
    ]
    #expect(isAllowed(codes, seeing: [0, 3]))
    #expect(isAllowed(codes, seeing: [0, 0]))
    #expect(!isAllowed(codes, seeing: [0, 2]))
    #expect(!isAllowed(codes, seeing: [0, 1]))
  }

  // MARK: Grace periods

  private func section(_ words: SharedWords, _ cpu: VirtualCPU) throws -> UInt64 {
    try cpu.rcuReadLock()
    let y = try cpu.load(words.y, .relaxed)
    let x = try cpu.load(words.x, .relaxed)
    try cpu.rcuReadUnlock()
    return 2 * y + x
  }

  /// A section that sees what came after a grace period sees what came before it.
  @Test func gracePeriodsOrderSections() {
    func codes(_ waits: Bool) -> [Code] {
      [
        { cpu, words in
          try cpu.store(words.x, 1, .relaxed)
          if waits { try cpu.synchronizeRCU() }
          try cpu.store(words.y, 1, .relaxed)
        },
        { cpu, words in
          try cpu.store(words.seen[1], try section(words, cpu), .relaxed)
        },
      ]
    }
    #expect(isAllowed(codes(false), seeing: [0, 2]))
    #expect(!isAllowed(codes(true), seeing: [0, 2]))
    #expect(isAllowed(codes(true), seeing: [0, 1]))
    #expect(isAllowed(codes(true), seeing: [0, 3]))
  }

  /// Without a section a grace period orders nothing.
  @Test func gracePeriodsAreNoBarrierForOthers() {
    let codes: [Code] = [
      { cpu, words in
        try cpu.store(words.x, 1, .relaxed)
        try cpu.synchronizeRCU()
        try cpu.store(words.y, 1, .relaxed)
      },
      { cpu, words in
        let y = try cpu.load(words.y, .relaxed)
        try cpu.store(words.seen[1], 2 * y + (try cpu.load(words.x, .relaxed)), .relaxed)
      },
    ]
    #expect(isAllowed(codes, seeing: [0, 2]))
  }

  /// A CPU that is interrupted sees what was stored before, and what it stored is seen.
  @Test func interruptsAreBarriers() {
    let codes: [Code] = [
      { cpu, words in
        try cpu.store(words.x, 1, .relaxed)
        try cpu.interruptOthers()
        try cpu.store(words.y, 1, .relaxed)
      },
      { cpu, words in
        try cpu.maskInterrupts()
        let y = try cpu.load(words.y, .relaxed)
        let x = try cpu.load(words.x, .relaxed)
        try cpu.unmaskInterrupts()
        try cpu.store(words.seen[1], 2 * y + x, .relaxed)
      },
    ]
    #expect(!isAllowed(codes, seeing: [0, 2]))
    #expect(isAllowed(codes, seeing: [0, 1]))
    #expect(isAllowed(codes, seeing: [0, 3]))
  }

  // MARK: Pages

  private func publication(
    _ ordering: MemoryOrdering, isPlain: Bool = false, isAtomic: Bool = false
  ) -> [Code] {
    [
      { cpu, words in
        guard let table = try cpu.allocateTable() else { return }
        try cpu.store(table.entry(1), .page(0), .relaxed)
        if isAtomic {
          _ = try cpu.compareExchange(
            words.root.entry(0), expected: .invalid, desired: .table(table), ordering)
        } else {
          try cpu.store(words.root.entry(0), .table(table), ordering)
        }
      },
      { cpu, words in
        let entry = words.root.entry(0)
        let link = try isPlain ? cpu.plainLoad(entry) : cpu.load(entry, .relaxed)
        guard let table = cpu.table(at: link) else { return }
        let leaf = try cpu.load(table.entry(1), .relaxed)
        try cpu.store(words.seen[1], leaf.isValid ? 2 : 1, .relaxed)
      },
    ]
  }

  /// What was written to a page before it was linked may become visible after the link, unless the
  /// link is a release; and to follow the link orders accesses to the page behind it.
  @Test func aTableIsPublishedByARelease() {
    for isAtomic in [false, true] {
      #expect(isAllowed(publication(.relaxed, isAtomic: isAtomic), seeing: [0, 1]))
      #expect(!isAllowed(publication(.release, isAtomic: isAtomic), seeing: [0, 1]))
      #expect(isAllowed(publication(.release, isAtomic: isAtomic), seeing: [0, 2]))
      #expect(
        isAllowed(publication(.release, isPlain: true, isAtomic: isAtomic), seeing: [0, 1]))
    }
    #expect(!isAllowed(publication(.relaxed), seeing: [0, 1], under: .totalStoreOrder))
    #expect(!isAllowed(publication(.acquireRelease, isAtomic: true), seeing: [0, 1]))
    #expect(isAllowed(publication(.acquire, isAtomic: true), seeing: [0, 1]))
  }

  /// The machine keeps old contents of pages only if it knows beforehand that somebody may ask.
  @Test func plainLoadsAreDeclared() {
    let scenario = Scenario()
    scenario.memoryModel = .armv8
    let word = scenario.word("word")
    scenario.cpu("cpu", CPUOperation("run") { _ = try $0.plainLoad(word) })
    let machine = Machine(scenario)
    #expect(machine.failure.map { machine.text(of: $0) }?.contains("readsPlainly") == true)
  }
}
