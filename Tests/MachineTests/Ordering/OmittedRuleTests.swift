// Rules of weaker memory, left out one by one: each is missed by a program made for it.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkSupport
import TestSupport
import Testing

/// Claims that executions may take old values forever.
private final class StaleHidden: Forwarding {
  override func isStale(_ cpu: Int, choice: Int) -> Bool { false }
}

/// Claims that no CPU can enable a disabled one.
private final class EnablersHidden: Forwarding {
  override func enablers(of cpu: Int) -> CPUSet { CPUSet() }
}

struct OmittedRuleTests {
  private struct Words: Sendable {
    var x, y, z: Location
    var spin: SpinLock
    var shared: ReadWriteLock
  }

  private typealias Code = @Sendable (VirtualCPU, Words) throws -> Void

  private func scenario(_ codes: [Code], without rules: OmittedRules) -> Scenario {
    let scenario = Scenario()
    scenario.memoryModel = .armv8
    scenario.omittedRules = rules
    let words = Words(
      x: scenario.word("x"), y: scenario.word("y"), z: scenario.word("z"),
      spin: scenario.spinLock("spin"), shared: scenario.readWriteLock("shared"))
    for (number, code) in codes.enumerated() {
      scenario.cpu("cpu \(number)", CPUOperation("run") { try code($0, words) })
    }
    return scenario
  }

  // MARK: Footprints

  private static let writer: Code = { cpu, words in try cpu.store(words.x, 1, .relaxed) }

  /// A rule, a program in which it matters, and what two steps do without it.
  private static let footprints: [(rule: OmittedRules, what: String, codes: [Code])] = [
    (
      .visibility, "states differ with the order",
      [
        writer, { cpu, words in try cpu.store(words.y, 1, .relaxed) },
        { cpu, words in
          _ = try cpu.load(words.x, .acquire)
          _ = try cpu.load(words.y, .acquire)
        },
      ]
    ),
    (
      .fullUpdates, "states differ with the order",
      [
        writer,
        { cpu, words in
          _ = try cpu.exchange(words.z, 1, .acquireRelease)
          _ = try cpu.load(words.x, .relaxed)
        },
      ]
    ),
    (
      .promptReleases, "states differ with the order",
      [
        writer,
        { cpu, words in
          try cpu.lock(words.spin)
          _ = try cpu.exchange(words.z, 1, .acquireRelease)
          try cpu.unlock(words.spin)
        },
        { cpu, words in
          try cpu.lock(words.spin)
          _ = try cpu.load(words.x, .relaxed)
          try cpu.unlock(words.spin)
        },
      ]
    ),
    (
      .readers, "states differ with the order",
      [
        writer,
        { cpu, words in
          try cpu.readLock(words.shared)
          _ = try cpu.load(words.x, .relaxed)
          try cpu.readUnlock(words.shared)
        },
        { cpu, words in
          try cpu.readLock(words.shared)
          try cpu.readUnlock(words.shared)
        },
      ]
    ),
    (
      .circles, "disabled by an independent step",
      [
        { cpu, words in
          try cpu.store(words.x, 1, .relaxed)
          _ = try cpu.fetchAdd(words.y, 1, .release)
        },
        { cpu, words in
          try cpu.store(words.y, 1, .relaxed)
          _ = try cpu.fetchAdd(words.x, 1, .release)
        },
      ]
    ),
  ]

  @Test(arguments: footprints.indices)
  func footprintsNeedEachRule(number: Int) {
    let (rule, what, codes) = Self.footprints[number]
    func breach(without rules: OmittedRules) -> String? {
      let machine = Machine(scenario(codes, without: rules))
      return FootprintOracle(machine, statesMax: 10_000).run()?.what
    }
    #expect(breach(without: []) == nil)
    #expect(breach(without: rule) == what)
  }

  /// A fence waits for what makes its CPU's stores visible.
  @Test func disabledStepsKnowWhoEnablesThem() {
    let codes: [Code] = [
      { cpu, words in
        try cpu.store(words.x, 1, .relaxed)
        try cpu.fence(.sequentiallyConsistent)
      }, Self.writer,
    ]
    let machine = Machine(scenario(codes, without: []))
    #expect(FootprintOracle(machine, statesMax: 1_000).run() == nil)
    let lying = EnablersHidden(Machine(scenario(codes, without: [])))
    let breach = FootprintOracle(lying, statesMax: 1_000).run()
    #expect(breach?.what == "enabled by a step of no enabler")
  }

  // MARK: Loops

  /// A CPU that stores and looks for a flag, again and again.
  private func loop(_ model: MemoryModel, without rules: OmittedRules = []) -> Scenario {
    let scenario = Scenario()
    scenario.memoryModel = model
    scenario.omittedRules = rules
    scenario.mayRepeat = true
    let (x, flag) = (scenario.word("x"), scenario.word("flag"))
    scenario.cpu("looper", runs: "loop") { cpu in
      try cpu.repeatUntilDone { () throws -> Bool? in
        try cpu.store(x, 1, .relaxed)
        return try cpu.load(flag, .relaxed) == 1 ? true : nil
      }
    }
    scenario.cpu("setter", runs: "set") { try $0.store(flag, 1, .relaxed) }
    return scenario
  }

  @Test(arguments: [MemoryModel.totalStoreOrder, .armv8])
  func loopsNeedBuffersThatAreFull(model: MemoryModel) {
    func ending(without rules: OmittedRules) -> (Ending, MachineFailure?, Bool) {
      let machine = Machine(loop(model, without: rules))
      let result = Strategy.exhaustive.search(machine, SearchOptions())
      return (result.ending, machine.failure, machine.hasMetCap)
    }
    let (with, without) = (ending(without: []), ending(without: .fullBuffers))
    #expect(with.0 == .complete && with.1 == nil && with.2)
    #expect(without.0 == .halted)
    if case .cap = without.1 {} else { Issue.record("\(String(describing: without.1))") }
  }

  /// A search that is resumed does not come again to the states in which a buffer was full.
  @Test func fullBuffersAreRememberedInCheckpoints() throws {
    let first = Machine(loop(.armv8))
    _ = Strategy.exhaustive.search(first, SearchOptions())
    #expect(first.hasMetCap)
    var bytes: [UInt8] = []
    let writer = CheckpointWriter { bytes.append(contentsOf: $0) }
    first.save(to: writer)
    writer.finish()
    let second = Machine(loop(.armv8))
    #expect(!second.hasMetCap)
    let reader = try #require(CheckpointReader(bytes))
    try second.restore(from: reader)
    #expect(second.hasMetCap && reader.left == 0)
  }

  /// In the end a load finds the flag: what takes the old value forever is no execution.
  @Test func livelocksNeedLoadsThatFindNewValuesInTheEnd() {
    func waiting() -> Machine {
      let scenario = Scenario()
      scenario.memoryModel = .armv8
      scenario.mayRepeat = true
      let flag = scenario.word("flag")
      scenario.cpu("looper", runs: "loop") { cpu in
        try cpu.repeatUntilDone { () throws -> Bool? in
          try cpu.load(flag, .relaxed) == 1 ? true : nil
        }
      }
      scenario.cpu("setter", runs: "set") { try $0.store(flag, 1, .relaxed) }
      return Machine(scenario)
    }
    #expect(LivenessSearch(waiting(), SearchOptions()).run().ending == .complete)
    let lying = LivenessSearch(StaleHidden(waiting()), SearchOptions()).run()
    #expect(lying.ending == .violation)
    #expect(lying.schedule?.text == "3,(0:1)")
  }

  // MARK: Interrupts

  /// What a CPU finds of x that has found y, and interrupts the one that has stored both and ended.
  ///
  /// - Parameter isForeseen: whether views are forgotten that code will not need.
  private func values(isForeseen: Bool, without rules: OmittedRules) -> Set<UInt64> {
    let board = Board()
    func machine(_ foresight: Foresight?) -> Machine {
      let scenario = Scenario()
      scenario.memoryModel = .armv8
      scenario.omittedRules = rules
      let (x, y, seen) = (scenario.word("x"), scenario.word("y"), scenario.word("seen"))
      scenario.cpu("writer", runs: "write") { cpu in
        try cpu.store(x, 1, .relaxed)
        try cpu.store(y, 1, .relaxed)
      }
      scenario.cpu("sender", runs: "send") { cpu in
        guard try cpu.load(y, .relaxed) == 1 else { return }
        try cpu.interruptOthers()
        try cpu.store(seen, 1 + (try cpu.load(x, .relaxed)), .relaxed)
      }
      scenario.atEnd("it is noted") { machine in
        board.values.insert(machine.value(of: seen))
        return true
      }
      return Machine(scenario, identities: nil, foresight: foresight)
    }
    let foresight = isForeseen ? Foresight() : nil
    foresight?.learn(machine(foresight))
    board.values = []
    let searched = machine(foresight)
    #expect(Strategy.exhaustive.search(searched, SearchOptions()).ending == .complete)
    #expect(!searched.outranForesight)
    return board.values
  }

  /// A CPU takes an interrupt also when its code has ended.
  @Test(arguments: [false, true])
  func interruptsReachCPUsThatHaveEnded(isForeseen: Bool) {
    #expect(values(isForeseen: isForeseen, without: []) == [0, 2])
    #expect(values(isForeseen: isForeseen, without: .endedCPUs) == [0, 1, 2])
  }

  /// The store to x is pending, and the one behind it is visible: it has taken place, too.
  @Test(arguments: [false, true])
  func interruptsDoNotComeBeforeEarlierStores(isForeseen: Bool) {
    #expect(values(isForeseen: isForeseen, without: .earlierStores) == [0, 1, 2])
  }

  // MARK: Barriers for walks

  /// What a guest sees that reads after a CPU has replaced an entry and waited.
  private func frames(without rules: OmittedRules) -> Set<UInt64> {
    let scenario = Scenario(geometry: Geometry(levels: 1, entries: 2), format: .armStage1)
    scenario.memoryModel = .armv8
    scenario.omittedRules = rules
    scenario.features.breakBeforeMakeLevel = 2
    let root = scenario.rootTable()
    let (flag, seen) = (scenario.word("flag"), scenario.word("seen"))
    _ = scenario.dataFrames(2)
    scenario.boot { try $0.store(root.entry(0), .page(0), .release) }
    scenario.cpu("guest", mmu: MMU(root), runs: "read") { cpu in
      try cpu.wait(until: flag, .equals(1))
      if case .done(let frame) = try cpu.guestRead(0) {
        try cpu.store(seen, UInt64(frame) + 1, .relaxed)
      }
    }
    scenario.cpu("kernel", runs: "replace") { cpu in
      try cpu.store(root.entry(0), .page(1), .relaxed)
      try cpu.dsb()
      try cpu.store(flag, 1, .release)
    }
    let board = Board()
    scenario.atEnd("it is noted") { machine in
      board.values.insert(machine.value(of: seen))
      return true
    }
    let result = Strategy.exhaustive.search(Machine(scenario), SearchOptions())
    #expect(result.ending == .complete)
    return board.values
  }

  private final class Board: @unchecked Sendable { var values: Set<UInt64> = [] }

  @Test func walksNeedBarriersThatKnowTheEntries() {
    #expect(frames(without: []) == [2])
    #expect(frames(without: .storedEntries) == [1, 2])
  }
}
