// Hardware walks under weaker memory models: what they may miss, and what barriers promise.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

private struct WalkWords: Sendable {
  var root: TablePage
  var flag: Location
  /// Where a guest puts what it has seen: one more than the frame, or 100 for a fault.
  var seen: Location
}

struct WalkOrderTests {
  private typealias Code = @Sendable (VirtualCPU, WalkWords) throws -> Void

  /// What a guest may see while, or after, other CPUs change the table.
  private func seen(
    under model: MemoryModel = .armv8, hasETS2: Bool = true, block: Bool = false,
    speculates: Bool = false, _ kernel: [Code], guest: @escaping Code
  ) -> Set<UInt64> {
    let endings = [Strategy.exhaustive, .stateful].map { strategy in
      let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2), format: .armStage1)
      scenario.memoryModel = model
      scenario.features.enhancedTranslationSynchronisation = hasETS2
      scenario.features.breakBeforeMakeLevel = 2
      let words = WalkWords(
        root: scenario.rootTable(), flag: scenario.word("flag"), seen: scenario.word("seen"))
      _ = scenario.dataFrames(4)
      if block { scenario.boot { try $0.store(words.root.entry(0), .block(0), .release) } }
      let mmu = MMU(words.root, speculatesOn: speculates ? [0] : [])
      scenario.cpu("guest", mmu: mmu, CPUOperation("run") { try guest($0, words) })
      for (number, code) in kernel.enumerated() {
        scenario.cpu("kernel \(number)", CPUOperation("run") { try code($0, words) })
      }
      let board = Board()
      scenario.atEnd("it is noted") { machine in
        board.note(machine.value(of: words.seen))
        return true
      }
      let ending = strategy.search(Machine(scenario), SearchOptions()).ending
      #expect(ending == .complete)
      return board.values
    }
    #expect(endings[0] == endings[1])
    return endings[0]
  }

  private final class Board: @unchecked Sendable {
    var values: Set<UInt64> = []
    func note(_ value: UInt64) { values.insert(value) }
  }

  private static let fault: UInt64 = 100

  /// An access at any moment.
  private static func read(_ cpu: VirtualCPU, _ words: WalkWords) throws {
    let result = try cpu.guestRead(0)
    let value: UInt64 = if case .done(let frame) = result { UInt64(frame) + 1 } else { fault }
    try cpu.store(words.seen, value, .relaxed)
  }

  /// An access after the flag has been seen.
  private static func readAfterFlag(_ cpu: VirtualCPU, _ words: WalkWords) throws {
    try cpu.wait(until: words.flag, .equals(1))
    try read(cpu, words)
  }

  private static func link(
    _ before: @escaping @Sendable (VirtualCPU) throws -> Void, _ ordering: MemoryOrdering = .relaxed
  ) -> Code {
    { cpu, words in
      guard let table = try cpu.allocateTable() else { return }
      try cpu.store(table.entry(0), .page(0), .relaxed)
      try before(cpu)
      try cpu.store(words.root.entry(0), .table(table), ordering)
    }
  }

  /// Split blocks: the new table is walked while the address stays mapped.
  @Test func aWalkMayFindALinkBeforeTheEntries() {
    func split(
      _ model: MemoryModel, _ ordering: MemoryOrdering = .relaxed,
      _ before: @escaping @Sendable (VirtualCPU) throws -> Void = { _ in }
    ) -> Set<UInt64> {
      seen(under: model, block: true, [Self.link(before, ordering)], guest: Self.read)
    }
    #expect(split(.sequentialConsistency) == [1])
    #expect(split(.totalStoreOrder) == [1])
    #expect(split(.armv8) == [1, Self.fault])
    #expect(split(.armv8, .release) == [1])
    #expect(split(.armv8) { try $0.fence(.release) } == [1])
    #expect(split(.armv8) { try $0.fence(.acquire) } == [1, Self.fault])
    #expect(split(.armv8) { try $0.dsb() } == [1])
  }

  /// An entry made valid, and a flag: with FEAT_ETS2 what orders accesses orders faults.
  @Test(arguments: [true, false]) func anEntryMayBeSeenLate(hasETS2: Bool) {
    func make(
      _ ordering: MemoryOrdering,
      _ before: @escaping @Sendable (VirtualCPU) throws -> Void = { _ in }
    ) -> Set<UInt64> {
      seen(
        hasETS2: hasETS2,
        [
          { cpu, words in
            try cpu.store(words.root.entry(0), .block(2), .relaxed)
            try before(cpu)
            try cpu.store(words.flag, 1, ordering)
          }
        ], guest: Self.readAfterFlag)
    }
    #expect(make(.relaxed) == [3, Self.fault])
    #expect(make(.release) == (hasETS2 ? [3] : [3, Self.fault]))
    #expect(make(.relaxed) { try $0.dsb() } == [3])
  }

  /// A valid entry that is replaced may still be found until a barrier.
  @Test func aWalkMayFindAnOldEntry() {
    func change(
      _ model: MemoryModel, _ before: @escaping @Sendable (VirtualCPU) throws -> Void = { _ in }
    ) -> Set<UInt64> {
      seen(
        under: model, block: true,
        [
          { cpu, words in
            try cpu.store(words.root.entry(0), .block(2), .relaxed)
            try before(cpu)
            try cpu.store(words.flag, 1, .release)
          }
        ], guest: Self.readAfterFlag)
    }
    #expect(change(.sequentialConsistency) == [3])
    #expect(change(.totalStoreOrder) == [3])
    #expect(change(.armv8) == [1, 3])
    #expect(change(.armv8) { try $0.dsb() } == [3])
  }

  /// Whoever invalidates need not be the one who has changed the entry.
  @Test func anInvalidationCoversWhatItsCPUHasSeen() {
    func flush(_ flushes: Bool) -> Set<UInt64> {
      seen(
        block: true, speculates: true,
        [
          { cpu, words in
            try cpu.store(words.root.entry(0), .block(2), .relaxed)
            try cpu.store(words.flag, 2, .release)
          },
          { cpu, words in
            try cpu.wait(until: words.flag, .equals(2))
            try cpu.dsb()
            if flushes { try cpu.tlbi(.all, of: words.root) }
            try cpu.dsb()
            try cpu.store(words.flag, 1, .release)
          },
        ], guest: Self.readAfterFlag)
    }
    #expect(flush(false) == [1, 3])
    #expect(flush(true) == [3])
  }

  /// Under x86-TSO a walk does not look at the stores that its own CPU has pending.
  @Test(arguments: [MemoryModel.totalStoreOrder, .armv8])
  func walksDoNotReadPendingStores(model: MemoryModel) {
    func access(_ before: @escaping @Sendable (VirtualCPU) throws -> Void) -> Set<UInt64> {
      seen(under: model, hasETS2: false, block: true, []) { cpu, words in
        try cpu.store(words.root.entry(0), .block(2), .relaxed)
        try before(cpu)
        try Self.read(cpu, words)
      }
    }
    #expect(access { _ in } == [1, 3])
    #expect(access { try $0.dsb() } == [3])
  }

  /// A guest writes to a clean page whose entry is replaced.
  ///
  /// It ends: an update that fails has read the new entry.
  @Test(arguments: [false, true]) func aGuestDoesNotFailToUpdateForever(omitsRule: Bool) {
    for strategy in [Strategy.exhaustive, .stateful] {
      let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2), format: .armStage1)
      scenario.memoryModel = .armv8
      scenario.features.hardwareAccessFlag = true
      scenario.features.hardwareDirtyState = true
      scenario.omittedRules = omitsRule ? .failedUpdates : []
      let root = scenario.rootTable()
      _ = scenario.dataFrames(4)
      scenario.boot { try $0.store(root.entry(0), Descriptor.block(0).writableClean, .release) }
      scenario.cpu("guest", mmu: MMU(root), CPUOperation("write") { try $0.guestWrite(0) })
      scenario.cpu("kernel", runs: "replace") { cpu in
        _ = try cpu.exchange(root.entry(0), Descriptor.block(2).writableClean, .relaxed)
      }
      var options = SearchOptions()
      options.limits.depth = 40
      let ending = strategy.search(Machine(scenario), options).ending
      #expect(ending == (omitsRule ? .bounded(.depth) : .complete))
    }
  }
}
