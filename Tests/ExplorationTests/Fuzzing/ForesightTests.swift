// Machines that forget what their code will not need, compared with one that forgets nothing.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import TestExpectations
import TestSupport
import Testing

@Suite(.tags(.fuzz, .long), .unlessQuick) struct ForesightTests {
  private func mismatches(
    _ seeds: Range<UInt64>, _ mix: RandomProgram.Mix
  ) -> [UInt64] {
    seeds.filter { seed in
      let program = RandomProgram(mix, seed: seed, size: .small)
      let found = Fuzzer.foresightMismatch(executions: 1) {
        program.scenario(under: .armv8)
      }
      return found != nil
    }
  }

  /// Most of these searches begin again at least once, since a single execution teaches little.
  @Test(arguments: [RandomProgram.Mix(), .interrupts, .loops, .slabs, .hardware])
  func nothingIsLost(mix: RandomProgram.Mix) {
    #expect(mismatches(0..<60, mix) == [])
  }

  /// The reader finds y new and x old, which takes an old value of x; it loads x only if it has
  /// found one value of z.
  private func scenario(loadingIf value: UInt64) -> Scenario {
    let scenario = Scenario()
    scenario.memoryModel = .armv8
    let (x, y, z) = (scenario.word("x"), scenario.word("y"), scenario.word("z"))
    scenario.cpu("writer", runs: "write") { cpu in
      try cpu.store(x, 1, .relaxed)
      try cpu.store(y, 1, .release)
    }
    scenario.cpu("marker", runs: "mark") { try $0.store(z, 1, .relaxed) }
    scenario.cpu("reader", runs: "read") { cpu -> any OperationResult in
      let isNew = try cpu.load(y, .relaxed) == 1
      guard try cpu.load(z, .relaxed) == value else { return false }
      let isOld = try cpu.load(x, .relaxed) == 0
      return isNew && isOld
    }
    return scenario
  }

  /// A dereference and an acquire of one word by one operation: only behind the latter is it of use
  /// when the store before it became visible.
  @Test func aDereferenceIsNoAcquire() {
    let found = Fuzzer.foresightMismatch(executions: 8) {
      let scenario = Scenario()
      scenario.memoryModel = .armv8
      let (x, y) = (scenario.word("x"), scenario.word("y"))
      scenario.cpu("left", runs: "exchange") { cpu -> any OperationResult in
        _ = try cpu.rcuDereference(y)
        try cpu.store(x, 1, .release)
        return try cpu.load(y, .acquire) == 0
      }
      scenario.cpu("right", runs: "exchange") { cpu -> any OperationResult in
        try cpu.store(y, 1, .release)
        return try cpu.load(x, .acquire) == 0
      }
      return scenario
    }
    #expect(found == nil)
  }

  /// Relying on what was not seen loses what is read of a word that nobody has loaded so far: of
  /// two programs that differ in when they load it, one has not done so in its first execution.
  @Test func withoutTheCheckItIsCaught() {
    func mismatches(without omitted: Foresight.Omission) -> Int {
      [UInt64(0), 1].count { value in
        Fuzzer.foresightMismatch(executions: 1, without: omitted) { scenario(loadingIf: value) }
          != nil
      }
    }
    #expect(mismatches(without: []) == 0)
    #expect(mismatches(without: .check) == 1)
  }

  /// A guest that knows of a new entry, by a flag or by the mapper's lock, and reads it behind a
  /// barrier.
  private func guest(loads: Bool) -> Scenario {
    let scenario = Scenario(geometry: Geometry(levels: 1, entries: 2), format: .armStage1)
    scenario.memoryModel = .armv8
    scenario.features.breakBeforeMakeLevel = 2
    let (root, lock) = (scenario.rootTable(), scenario.spinLock("lock"))
    let word = scenario.word("word")
    _ = scenario.dataFrames(2)
    scenario.boot { try $0.store(root.entry(0), .page(0), .release) }
    scenario.cpu("mapper", runs: "map") { cpu in
      try cpu.lock(lock)
      try cpu.store(root.entry(0), .page(1), .relaxed)
      if loads { try cpu.store(word, 1, .release) }
      try cpu.unlock(lock)
    }
    scenario.cpu("guest", mmu: MMU(root), runs: "read") { cpu -> any OperationResult in
      if loads {
        guard try cpu.load(word, .relaxed) == 1 else { return false }
        try cpu.dsb()
      } else {
        guard case .done(1) = try cpu.guestRead(0) else { return false }
        try cpu.lock(lock)
        try cpu.unlock(lock)
        try cpu.dsb()
        try cpu.tlbi(.all, of: root)
        try cpu.dsb()
      }
      if case .done(0) = try cpu.guestRead(0) { return true }
      return false
    }
    return scenario
  }

  /// Walks may not miss what their CPU has seen before a barrier, whether it has loaded it or not.
  @Test func walksNeedWhatTheirCPUHasSeen() {
    func mismatches(without omitted: Foresight.Omission) -> [Bool] {
      [true, false].map { loads in
        Fuzzer.foresightMismatch(without: omitted) { guest(loads: loads) } != nil
      }
    }
    #expect(mismatches(without: []) == [false, false])
    #expect(mismatches(without: .walks) == [true, true])
    #expect(mismatches(without: .walkers) == [false, true])
  }

  /// Whoever reads what a check has learned begins where that one was: its search is the same, and
  /// does not begin again.
  @Test func lessonsAreKept() throws {
    func machine(_ foresight: Foresight) -> Machine {
      Machine(scenario(loadingIf: 1), identities: nil, foresight: foresight)
    }
    func search(_ foresight: Foresight) -> (Machine, Statistics) {
      let machine = machine(foresight)
      return (machine, Strategy.stateful.search(machine, SearchOptions()).statistics)
    }
    func novice() -> Foresight {
      let foresight = Foresight()
      foresight.learn(machine(foresight), executions: 1)
      return foresight
    }
    let first = novice()
    let (astonished, steps) = search(first)
    #expect(astonished.outranForesight)
    first.learn(after: astonished, steps: steps.transitions) { machine(first) }
    let (wise, expected) = search(first)
    #expect(!wise.outranForesight)

    var bytes: [UInt8] = []
    let writer = CheckpointWriter { bytes.append(contentsOf: $0) }
    first.save(to: writer)
    writer.finish()
    let second = novice()
    let reader = try #require(CheckpointReader(bytes))
    try second.restore(from: reader) { machine(second) }
    #expect(reader.left == 0)
    let (equal, statistics) = search(second)
    #expect(!equal.outranForesight)
    #expect(statistics == expected)
  }
}
